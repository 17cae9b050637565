/* A message's digest: what it depends on, and what it does not. */
#include <criterion/criterion.h>

#include "dialogue.h"
#include "dissect/body_digest.h"

static const uint8_t key[16] = "a key for a test";

#define BEGIN                                                                \
	S("220 mx.example.org ESMTP\r\n"), C("EHLO client.example.net\r\n"), \
	    S("250-mx.example.org\r\n250 CHUNKING\r\n"),                     \
	    C("MAIL FROM:<a@example.net>\r\n"), S("250 ok\r\n"),             \
	    C("RCPT TO:<b@example.org>\r\n"), S("250 ok\r\n")
#define END S("250 queued\r\n"), C("QUIT\r\n"), S("221 bye\r\n")
#define DATA(text) \
	BEGIN, C("DATA\r\n"), S("354 go\r\n"), C(text "\r\n.\r\n"), END

static const struct turn data[] = { DATA("Subject: x\r\n\r\none\r\n..two") };
static const struct turn chunks[] = { BEGIN,
	C("BDAT 17\r\nSubject: x\r\n\r\none"), S("250 ok\r\n"),
	C("BDAT 8 LAST\r\n\r\n.two\r\n"), END };
static const struct turn empty_last[] = { BEGIN,
	C("BDAT 25\r\nSubject: x\r\n\r\none\r\n.two\r\n"), S("250 ok\r\n"),
	C("BDAT 0 LAST\r\n"), END };
static const struct turn relayed[] = { DATA(
    "Received: by relay\r\nSubject: x\r\n\r\none\r\n..two") };
static const struct turn other[] = { DATA("Subject: x\r\n\r\none\r\n..tw0") };
static const struct turn holed[] = { BEGIN, C("DATA\r\n"), S("354 go\r\n"),
	C("Subject: x\r\n\r\n"), C_GAP(3), C("\r\n..two\r\n.\r\n"), END };
#define TURNS(turns) turns, sizeof(turns) / sizeof(*turns)

/* The bytes of the digest fact, all zero without one; how many there are. */
static unsigned
digest_of(const struct turn *turns, size_t count, const uint8_t *with,
    enum cutting cutting, uint8_t out[BODY_DIGEST_BYTES])
{
	struct dialogue d = { .options = { .digest_key = with },
		.cutting = cutting };
	struct slice facts, bytes;
	struct fact fact;
	unsigned found = 0;

	memset(out, 0, BODY_DIGEST_BYTES);
	dialogue_run(&d, turns, count);
	facts = slice_of(d.facts, d.facts_len);
	while (fact_decode(&facts, &fact, &bytes)) {
		if (fact.code != FACT_BODY_DIGEST)
			continue;
		cr_assert_eq(bytes.len, BODY_DIGEST_BYTES);
		memcpy(out, bytes.ptr, BODY_DIGEST_BYTES);
		found++;
	}
	dialogue_free(&d);
	return found;
}

Test(body_digest, is_the_same_however_the_message_was_sent)
{
	uint8_t first[BODY_DIGEST_BYTES], second[BODY_DIGEST_BYTES];

	cr_assert_eq(digest_of(TURNS(data), key, CUT_NONE, first), 1);
	cr_assert_eq(digest_of(TURNS(data), key, CUT_OCTETS, second), 1);
	cr_assert_arr_eq(first, second, BODY_DIGEST_BYTES);
	cr_assert_eq(digest_of(TURNS(chunks), key, CUT_NONE, second), 1);
	cr_assert_arr_eq(first, second, BODY_DIGEST_BYTES);
	cr_assert_eq(digest_of(TURNS(empty_last), key, CUT_NONE, second), 1);
	cr_assert_arr_eq(first, second, BODY_DIGEST_BYTES);
}

Test(body_digest, a_header_more_leaves_what_stands_behind_it)
{
	uint8_t first[BODY_DIGEST_BYTES], second[BODY_DIGEST_BYTES];

	digest_of(TURNS(data), key, CUT_NONE, first);
	digest_of(TURNS(relayed), key, CUT_NONE, second);
	cr_assert_arr_neq(first, second, 8);
	cr_assert_arr_eq(first + 8, second + 8, 8);
	digest_of(TURNS(other), key, CUT_NONE, second);
	cr_assert_arr_neq(first, second, 8);
	cr_assert_arr_neq(first + 8, second + 8, 8);
}

Test(body_digest, depends_on_the_key)
{
	static const uint8_t another[16] = "another key here";
	uint8_t first[BODY_DIGEST_BYTES], second[BODY_DIGEST_BYTES];

	digest_of(TURNS(data), key, CUT_NONE, first);
	digest_of(TURNS(data), another, CUT_NONE, second);
	cr_assert_arr_neq(first, second, 8);
}

Test(body_digest, is_not_told_unasked_nor_of_a_part)
{
	uint8_t out[BODY_DIGEST_BYTES];

	cr_assert_eq(digest_of(TURNS(data), NULL, CUT_NONE, out), 0);
	cr_assert_eq(digest_of(TURNS(holed), key, CUT_NONE, out), 0);
}

Test(body_digest, is_siphash_of_the_octets)
{
	static const char message[] = "no line at all, and longer than a word";
	struct body_digest d;
	uint8_t out[BODY_DIGEST_BYTES];
	uint64_t sum = 0;

	body_digest_begin(&d, key, false);
	body_digest_add(&d, slice_str(message));
	body_digest_end(&d, out);
	for (int i = 0; i < 8; i++)
		sum |= (uint64_t)out[i] << 8 * i;
	cr_assert_eq(sum, siphash(1, 3, key, message, strlen(message)));
}
