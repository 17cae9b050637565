/* Datagrams from fragments: what must come together, and what must not. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "dissect/fragment.h"

struct desk {
	struct fragments *fragments;
	struct counters counters;
	uint8_t family;
	int64_t now_ns;
	struct slice datagram;
};

static void
desk_begin(struct desk *d, size_t budget_bytes)
{
	static const uint8_t key[16] = "a key for tests";

	d->fragments = fragments_create(budget_bytes, key, &d->counters);
	cr_assert_not_null(d->fragments);
}

/* Octets [offset, offset + strlen) of datagram `id`. */
static bool
add(struct desk *d, uint32_t id, uint32_t offset, bool more, const char *text)
{
	struct packet p = { .fragment_id = id,
		.fragment_offset = offset,
		.more_fragments = more,
		.clock_ns = d->now_ns,
		.payload_bytes = (uint32_t)strlen(text),
		.payload_wire_bytes = (uint32_t)strlen(text),
		.kind = PACKET_FRAGMENT,
		.protocol = 6 };
	uint8_t *exact = malloc(strlen(text) + 1);
	bool whole;

	memcpy(exact, text, strlen(text));
	p.payload = exact;
	p.src.address.family = p.dst.address.family = d->family;
	p.dst.address.octets[0] = 1;
	whole = fragments_add(d->fragments, &p, &d->datagram);
	free(exact);
	return whole;
}

static void
expect(const struct desk *d, const char *text)
{
	cr_assert_eq(d->datagram.len, strlen(text));
	cr_assert_eq(memcmp(d->datagram.ptr, text, strlen(text)), 0, "%.*s",
	    (int)d->datagram.len, d->datagram.ptr);
}

#define BEGIN(name, ip_version, budget)              \
	struct desk name = { .family = ip_version }; \
	desk_begin(&name, budget)

Test(fragment, fragments_in_any_order_make_one_datagram)
{
	static const uint32_t orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 },
		{ 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	static const char *const parts[] = { "abcdefgh", "ijklmnop", "qr" };

	for (uint8_t family = 4; family <= 6; family += 2) {
		for (size_t i = 0; i < 6; i++) {
			BEGIN(d, family, 65536);

			for (size_t j = 0; j < 3; j++) {
				uint32_t k = orders[i][j];

				cr_assert_eq(add(&d, 1, 8 * k, k < 2, parts[k]),
				    j == 2);
			}
			expect(&d, "abcdefghijklmnopqr");
			cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_JOINED],
			    1);
			fragments_destroy(d.fragments);
		}
	}
}

Test(fragment, datagrams_are_told_apart_by_their_identification)
{
	BEGIN(d, 4, 65536);

	cr_assert_not(add(&d, 1, 0, true, "aaaaaaaa"));
	cr_assert_not(add(&d, 2, 0, true, "bbbbbbbb"));
	cr_assert(add(&d, 1, 8, false, "c"));
	expect(&d, "aaaaaaaac");
	cr_assert(add(&d, 2, 8, false, "d"));
	expect(&d, "bbbbbbbbd");
	fragments_destroy(d.fragments);
}

Test(fragment, a_repeated_fragment_changes_nothing)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		BEGIN(d, family, 65536);

		for (int i = 0; i < 3; i++)
			cr_assert_not(add(&d, 1, 0, true, "abcdefgh"));
		cr_assert(add(&d, 1, 8, false, "ij"));
		expect(&d, "abcdefghij");
		cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_OVERLAP], 0);
		fragments_destroy(d.fragments);
	}
}

/* As Linux has it: an attacker's later version does not replace the first. */
Test(fragment, of_overlapping_fragments_of_ipv4_the_first_stays)
{
	BEGIN(d, 4, 65536);

	cr_assert_not(add(&d, 1, 8, true, "IJKLMNOP"));
	cr_assert_not(add(&d, 1, 0, true, "abcdefghijklmnopqrstuvwx"));
	cr_assert(add(&d, 1, 24, false, "yz"));
	expect(&d, "abcdefghIJKLMNOPqrstuvwxyz");
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_OVERLAP], 1);
	fragments_destroy(d.fragments);
}

/* RFC 5722: the whole datagram goes, and its later fragments with it. */
Test(fragment, overlapping_fragments_of_ipv6_discard_the_datagram)
{
	BEGIN(d, 6, 65536);

	cr_assert_not(add(&d, 1, 0, true, "abcdefghijklmnop"));
	cr_assert_not(add(&d, 1, 8, true, "IJKLMNOP"));
	cr_assert_not(add(&d, 1, 16, false, "q"));
	cr_assert_not(add(&d, 1, 0, true, "abcdefghijklmnop"));
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_OVERLAP], 1);
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_DISCARDED], 1);
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_JOINED], 0);
	fragments_destroy(d.fragments);
}

/* RFC 8200 4.5: a copy is ignored, but a copy is the same to the letter. */
Test(fragment, another_version_of_a_fragment_of_ipv6_is_an_overlap)
{
	BEGIN(d, 6, 65536);

	cr_assert_not(add(&d, 1, 0, true, "abcdefgh"));
	cr_assert_not(add(&d, 1, 0, true, "abcdefgX"));
	cr_assert_not(add(&d, 1, 8, false, "ij"));
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_OVERLAP], 1);
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_JOINED], 0);
	fragments_destroy(d.fragments);
}

Test(fragment, two_different_ends_discard_the_datagram)
{
	BEGIN(d, 4, 65536);

	cr_assert_not(add(&d, 1, 8, false, "ij"));
	cr_assert_not(add(&d, 1, 16, false, "q"));
	cr_assert_not(add(&d, 1, 0, true, "abcdefgh"));
	fragments_destroy(d.fragments);
}

Test(fragment, octets_behind_the_end_discard_the_datagram)
{
	BEGIN(d, 4, 65536);

	cr_assert_not(add(&d, 1, 16, true, "qrstuvwx"));
	cr_assert_not(add(&d, 1, 8, false, "ij"));
	cr_assert_not(add(&d, 1, 0, true, "abcdefgh"));
	fragments_destroy(d.fragments);
}

/* RFC 791 2.3, RFC 8200 4.5: all but the last are multiples of eight. */
Test(fragment, a_fragment_that_is_no_multiple_of_eight_is_dropped)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		BEGIN(d, family, 65536);

		cr_assert_not(add(&d, 1, 0, true, "abcdefghi"));
		cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_UNUSABLE], 1);
		cr_assert_not(add(&d, 1, 0, true, "abcdefgh"));
		cr_assert(add(&d, 1, 8, false, "ij"));
		expect(&d, "abcdefghij");
		fragments_destroy(d.fragments);
	}
}

Test(fragment, nothing_grows_beyond_what_ip_allows)
{
	char big[1025];
	BEGIN(d, 4, 1 << 20);

	memset(big, 'x', sizeof(big) - 1);
	big[1024] = '\0';
	cr_assert_not(add(&d, 1, 65528, false, "12345678"));
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_UNUSABLE], 1);
	cr_assert_not(add(&d, 1, 0, true, ""));
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_UNUSABLE], 2);
	for (uint32_t at = 0; at < 64512; at += 1024)
		cr_assert_not(add(&d, 1, at, true, big));
	big[1023] = '\0';
	cr_assert(add(&d, 1, 64512, false, big));
	cr_assert_eq(d.datagram.len, 65535);
	fragments_destroy(d.fragments);
}

/* As fragroute's ip_frag 8 does it, and in an order that suits no list. */
Test(fragment, the_smallest_pieces_of_the_largest_datagram_come_together)
{
	char piece[9] = "";
	BEGIN(d, 4, 1 << 20);

	for (uint32_t i = 1; i <= 8191; i++) {
		uint32_t unit = i * 4096 % 8191; /* each once: 8191 is prime */

		snprintf(piece, sizeof(piece), "%08u", unit);
		cr_assert_eq(add(&d, 1, unit * 8, unit != 8190, piece),
		    i == 8191);
	}
	cr_assert_eq(d.datagram.len, 65528);
	for (uint32_t unit = 0; unit < 8191; unit++) {
		snprintf(piece, sizeof(piece), "%08u", unit);
		cr_assert_eq(memcmp(d.datagram.ptr + 8 * unit, piece, 8), 0);
	}
	fragments_destroy(d.fragments);
}

Test(fragment, holes_of_every_second_unit_are_filled_by_one_fragment)
{
	char big[1025];
	BEGIN(d, 4, 65536);

	memset(big, 'b', 1024);
	big[1024] = '\0';
	for (uint32_t at = 0; at < 1024; at += 16)
		cr_assert_not(add(&d, 1, at, true, "aaaaaaaa"));
	cr_assert_not(add(&d, 1, 0, true, big));
	cr_assert(add(&d, 1, 1024, false, "c"));
	for (uint32_t at = 0; at < 1024; at++)
		cr_assert_eq(d.datagram.ptr[at], at % 16 < 8 ? 'a' : 'b');
	cr_assert_eq(d.datagram.ptr[1024], 'c');
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_OVERLAP], 1);
	fragments_destroy(d.fragments);
}

Test(fragment, what_waits_for_half_a_minute_is_given_up)
{
	BEGIN(d, 4, 65536);

	d.now_ns = 0;
	cr_assert_not(add(&d, 1, 0, true, "abcdefgh"));
	fragments_expire(d.fragments, INT64_C(29999999999));
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_LOST], 0);
	fragments_expire(d.fragments, INT64_C(30000000000));
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_LOST], 1);
	cr_assert_not(add(&d, 1, 8, false, "ij"));
	fragments_finish(d.fragments);
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_LOST], 2);
	fragments_destroy(d.fragments);
}

Test(fragment, what_waits_for_a_part_goes_though_younger_ones_came_since)
{
	BEGIN(d, 6, 65536);

	for (uint32_t id = 0; id < 40; id++) {
		d.now_ns = id * INT64_C(1000000000);
		cr_assert_not(add(&d, id, 0, true, "abcdefgh"));
	}
	/* Those of the first ten seconds. */
	fragments_expire(d.fragments, INT64_C(39000000000));
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_LOST], 10);
	cr_assert_not(add(&d, 9, 8, false, "ij"));
	cr_assert(add(&d, 10, 8, false, "ij"));
	fragments_destroy(d.fragments);
}

/* --- room ---------------------------------------------------------------- */

Test(fragment, without_room_the_oldest_go_first)
{
	BEGIN(d, 4, 8192);

	for (uint32_t id = 0; id < 100; id++)
		cr_assert_not(add(&d, id, 0, true, "abcdefgh"));
	cr_assert_geq(d.counters.of[COUNTER_FRAGMENTS_EVICTED], 80);
	cr_assert_not(add(&d, 0, 8, false, "ij"));
	cr_assert(add(&d, 99, 8, false, "ij"));
	fragments_destroy(d.fragments);
}

/* Each is there or was counted as shed, to the last one. */
Test(fragment, a_hundred_thousand_incomplete_datagrams_are_accounted_for)
{
	BEGIN(d, 4, 1 << 18);

	for (uint32_t id = 0; id < 100000; id++)
		cr_assert_not(add(&d, id, 0, true, "abcdefgh"));
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_LOST], 0);
	cr_assert(add(&d, 99999, 8, false, "ij"));
	expect(&d, "abcdefghij");
	fragments_finish(d.fragments);
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_LOST] +
		d.counters.of[COUNTER_FRAGMENTS_EVICTED],
	    99999);
	cr_assert_gt(d.counters.of[COUNTER_FRAGMENTS_LOST], 250);
	fragments_destroy(d.fragments);
}

/* Identifications that agree in their low bits: the hash is keyed, so that
 * they end up anywhere, and all of them are found again. */
Test(fragment, identifications_with_equal_low_bits_are_told_apart)
{
	char text[3] = "";
	BEGIN(d, 6, 1 << 20);

	for (uint32_t i = 0; i < 1000; i++)
		cr_assert_not(add(&d, i << 16, 0, true, "abcdefgh"));
	for (uint32_t i = 0; i < 1000; i++) {
		text[0] = (char)('a' + i % 26);
		text[1] = (char)('a' + i / 26 % 26);
		cr_assert(add(&d, i << 16, 8, false, text));
		cr_assert_eq(memcmp(d.datagram.ptr + 8, text, 2), 0);
	}
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_JOINED], 1000);
	fragments_destroy(d.fragments);
}

/* It would not fit if everybody else went: nobody does. */
Test(fragment, what_can_never_fit_drives_nobody_out)
{
	char big[8001];
	BEGIN(d, 4, 8192);

	memset(big, 'x', 8000);
	big[8000] = '\0';
	cr_assert_not(add(&d, 1, 0, true, "abcdefgh"));
	cr_assert_not(add(&d, 2, 0, true, big));
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_EVICTED], 1);
	cr_assert(add(&d, 1, 8, false, "ij"));
	fragments_destroy(d.fragments);
}
