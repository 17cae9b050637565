#include <criterion/criterion.h>

#include "dissect/datagram.h"
#include "unit/dissect/frames.h"

/* RFC 1071 by the book: with the sum in it a header comes to 0xffff. */
static uint32_t
folded(const uint8_t *header, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)header[i] * 256 + header[i + 1];
	return (sum & 0xffff) + (sum >> 16);
}

static size_t
copy_of(struct grown *g, size_t captured, uint8_t *room)
{
	struct counters counters = { 0 };
	struct packet p;

	cr_assert_eq(decode_cut(g, 101, captured, &counters, &p), PACKET_TCP);
	return datagram_copy(&p, room);
}

Test(datagram, the_sum_of_the_header_is_right_with_options_too)
{
	static uint8_t room[DATAGRAM_MAX_BYTES];
	struct grown g = { 0 };

	grow_ipv4(&g, 3, 0, SEGMENT_BYTES);
	grow(&g, SEGMENT);
	cr_assert_eq(copy_of(&g, g.len, room), 32 + SEGMENT_BYTES);
	cr_assert_eq(folded(room, 32), 0xffff);
	cr_assert_arr_eq(room + 32, SEGMENT, SEGMENT_BYTES);
}

Test(datagram, a_length_of_0_becomes_the_real_one)
{
	static uint8_t room[DATAGRAM_MAX_BYTES];
	struct grown g = { 0 };

	grow_ipv4(&g, 0, 0, SEGMENT_BYTES);
	grow(&g, SEGMENT);
	g.bytes[2] = g.bytes[3] = 0;
	cr_assert_eq(copy_of(&g, g.len, room), 20 + SEGMENT_BYTES);
	cr_assert_eq(room[2] * 256 + room[3], 20 + SEGMENT_BYTES);
	cr_assert_eq(folded(room, 20), 0xffff);
}

Test(datagram, what_was_cut_keeps_the_length_that_it_had)
{
	static uint8_t room[DATAGRAM_MAX_BYTES];
	struct grown g = { 0 };

	grow_ipv4(&g, 0, 0, SEGMENT_BYTES);
	grow(&g, SEGMENT);
	cr_assert_eq(copy_of(&g, g.len - 3, room), 20 + SEGMENT_BYTES - 3);
	cr_assert_eq(room[2] * 256 + room[3], 20 + SEGMENT_BYTES);
}
