/* One dialogue in two places: what was sent in one and came to the other. */
#include <criterion/criterion.h>

#include "rules/contrast.h"

struct log {
	uint8_t bytes[32 * 1024];
	size_t length;
	uint64_t frame, offset[2];
	int64_t now_ns;
};

static void
say(struct log *log, enum fact_code code, enum dir dir, enum verb about,
    uint16_t line, const char *text)
{
	struct fact fact = { .code = (uint16_t)code,
		.dir = (uint8_t)dir,
		.about = (uint8_t)about,
		.line = line,
		.frame = ++log->frame,
		.capture_ts_ns = log->now_ns += 1000,
		.stream_offset = log->offset[dir],
		.length = (uint32_t)strlen(text) };

	log->offset[dir] += fact.length + 2;
	log->length +=
	    fact_encode(&fact, slice_str(text), log->bytes + log->length);
}

static void
end(struct log *log, enum ending ending, enum dir who, uint16_t unseen)
{
	struct fact fact = { .code = FACT_CLOSED,
		.dir = (uint8_t)who,
		.value = ending,
		.observability = unseen };

	log->length +=
	    fact_encode(&fact, slice_of(NULL, 0), log->bytes + log->length);
}

static struct log
talk(const char *keyword)
{
	struct log log = { .length = 0 };

	say(&log, FACT_GREETING, TO_CLIENT, VERB_NONE, 1, "220 mx ESMTP");
	say(&log, FACT_COMMAND, TO_SERVER, VERB_EHLO, 0, "EHLO a.example");
	say(&log, FACT_EHLO_REPLY, TO_CLIENT, VERB_EHLO, 1, "250-mx");
	if (keyword != NULL)
		say(&log, FACT_EHLO_REPLY, TO_CLIENT, VERB_EHLO, 2, keyword);
	say(&log, FACT_EHLO_REPLY, TO_CLIENT, VERB_EHLO, 3, "250 8BITMIME");
	say(&log, FACT_COMMAND, TO_SERVER, VERB_MAIL, 0, "MAIL FROM:<>");
	return log;
}

static struct contrast
contrast(const struct log *client, const struct log *server)
{
	struct contrast c;

	cr_assert(contrast_find(slice_of(client->bytes, client->length),
	    slice_of(server->bytes, server->length), PAIRED_BY_CONNECTION, &c));
	return c;
}

Test(contrast, an_overwritten_line_is_one_difference)
{
	struct log client = talk("250-XXXXXXXX"), server = talk("250-STARTTLS");
	struct contrast c = contrast(&client, &server);

	cr_assert_eq(c.count, 1);
	cr_assert(c.altered);
	cr_assert_eq(c.list[0].code, DIFFERENCE_CHANGED);
	cr_assert(slice_equal(c.list[0].sent.bytes, slice_str("250-STARTTLS")));
	cr_assert(
	    slice_equal(c.list[0].arrived.bytes, slice_str("250-XXXXXXXX")));
}

/* Octets that came twice, some of them different the second time. */
static void
say_twice(struct log *log, enum sum sum, uint64_t from, uint64_t extent)
{
	const struct segment_copy first = { .length = 30, .sum = SUM_RIGHT };
	const struct segment_copy later = { .length = 30, .sum = (uint8_t)sum };
	struct fact fact = { .code = FACT_COPIES_DIFFER,
		.dir = TO_CLIENT,
		.frame = ++log->frame,
		.stream_offset = from,
		.extent = extent };
	uint8_t copies[2 * SEGMENT_COPY_BYTES];

	segment_copy_encode(&first, copies);
	segment_copy_encode(&later, copies + SEGMENT_COPY_BYTES);
	log->length += fact_encode(&fact, slice_of(copies, sizeof(copies)),
	    log->bytes + log->length);
}

Test(contrast, a_second_version_that_only_one_place_has_came_from_between)
{
	static const struct {
		bool client, server;
		enum sum sum;
		unsigned count;
	} cases[] = {
		{ true, false, SUM_RIGHT, 1 }, { false, true, SUM_RIGHT, 1 },
		{ true, true, SUM_RIGHT, 0 },  /* it comes from beyond both */
		{ true, false, SUM_WRONG, 0 }, /* damage looks the same */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct log client = talk("250-STARTTLS"), server = client;
		struct contrast c;

		if (cases[i].client)
			say_twice(&client, cases[i].sum, 19, 8);
		if (cases[i].server)
			say_twice(&server, cases[i].sum, 19, 8);
		c = contrast(&client, &server);
		cr_assert_eq(c.count, cases[i].count, "case %zu", i);
		cr_assert_eq(c.altered, cases[i].count > 0);
		if (c.count > 0)
			cr_assert_eq(c.list[0].code, DIFFERENCE_SECOND_VERSION);
	}
}

/* The reply's second line begins at 22, and its keyword at 26. */
Test(contrast, what_was_thrown_away_accuses_where_it_covers_the_offer)
{
	static const struct {
		uint64_t from, extent;
		bool server; /* it came there too */
		bool accuses;
	} cases[] = {
		{ 26, 8, false, true },	 /* the keyword */
		{ 22, 12, false, true }, /* the line */
		{ 26, 8, true, false },	 /* it comes from beyond both */
		{ 26, 7, false, false }, /* damage looks the same */
		{ 27, 7, false, false },
		{ 26, 1, false, false },
		{ 24, 12, false, false },
		{ 8, 8, false, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct log client = talk("250-STARTTLS"), server = client;
		struct contrast c;

		say_twice(&client, SUM_WRONG, cases[i].from, cases[i].extent);
		if (cases[i].server)
			say_twice(&server, SUM_WRONG, cases[i].from,
			    cases[i].extent);
		c = contrast(&client, &server);
		cr_assert_eq(c.altered, cases[i].accuses, "case %zu", i);
		if (c.count > 0)
			cr_assert_eq(c.list[0].code,
			    DIFFERENCE_DISCARDED_VERSION);
	}
}

Test(contrast, a_line_is_missing_only_where_it_could_be_seen)
{
	static const struct {
		enum ending ending;
		uint16_t unseen;
		unsigned count;
	} cases[] = {
		{ ENDING_FIN, 0, 1 },
		{ ENDING_RST, 0, 1 },
		{ ENDING_CAPTURE_END, 0, 0 },
		{ ENDING_EXPIRED, 0, 0 },
		{ ENDING_FIN, OBS_GAP_TO_SERVER, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct log client = talk("250-STARTTLS"), server = client;
		struct contrast c;

		say(&client, FACT_COMMAND, TO_SERVER, VERB_QUIT, 0, "QUIT");
		end(&client, ENDING_FIN, TO_SERVER, 0);
		end(&server, cases[i].ending, TO_SERVER, cases[i].unseen);
		c = contrast(&client, &server);
		cr_assert_eq(c.count, cases[i].count, "case %zu", i);
		if (c.count > 0)
			cr_assert_eq(c.list[0].code, DIFFERENCE_REMOVED);
	}
}

Test(contrast, lines_in_the_middle_come_and_go)
{
	struct log with = talk("250-STARTTLS"), without = talk(NULL);
	struct contrast c = contrast(&without, &with);

	cr_assert_eq(c.count, 1);
	cr_assert_eq(c.list[0].code, DIFFERENCE_REMOVED);
	c = contrast(&with, &without);
	cr_assert_eq(c.count, 1);
	cr_assert_eq(c.list[0].code, DIFFERENCE_ADDED);
}

Test(contrast, a_reset_that_each_side_got_from_the_other)
{
	struct log client = talk("250-STARTTLS"), server = client;
	struct contrast c;

	end(&client, ENDING_RST, TO_CLIENT, 0);
	end(&server, ENDING_RST, TO_SERVER, 0);
	c = contrast(&client, &server);
	cr_assert_eq(c.count, 1);
	cr_assert_eq(c.list[0].code, DIFFERENCE_RESET_FORGED);
	/* Both may give up at the same time: each sees its own one first. */
	c = contrast(&server, &client);
	cr_assert_eq(c.count, 0);
}

Test(contrast, who_asks_waits_longer_for_the_answer)
{
	struct log far = talk("250-STARTTLS"), near = { .length = 0 };

	near.now_ns = 77;
	say(&near, FACT_COMMAND, TO_SERVER, VERB_EHLO, 0, "EHLO a.example");
	near.now_ns += 5000;
	say(&near, FACT_EHLO_REPLY, TO_CLIENT, VERB_EHLO, 1, "250-mx");
	cr_assert_eq(contrast_nearer_ns(slice_of(far.bytes, far.length),
			 slice_of(near.bytes, near.length)),
	    5000);
	cr_assert_eq(contrast_nearer_ns(slice_of(near.bytes, near.length),
			 slice_of(far.bytes, far.length)),
	    -5000);
}
