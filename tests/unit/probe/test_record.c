/* What others have recorded becomes turns of a dialogue. */
#include <criterion/criterion.h>

#include "probe/study/record.h"

static struct record r;
static char errbuf[RECORD_ERRBUF];

static bool
parse(const char *json)
{
	return record_parse_json(slice_str(json), &r, errbuf);
}

static void
expect_turn(unsigned turn, enum dir dir, const char *text)
{
	cr_assert_lt(turn, r.turn_count);
	cr_expect_eq(r.turns[turn].dir, dir);
	cr_expect(slice_equal(record_said(&r, turn), slice_str(text)), "%.*s",
	    (int)record_said(&r, turn).len, record_said(&r, turn).ptr);
}

#define SMTP(more)                                                               \
	"{\"ip\":\"192.0.2.1\",\"domain\":\"MX.example.org.\",\"data\":{"        \
	"\"smtp\":{\"port\":2525,\"timestamp\":\"2026-03-01T10:00:00.5Z\"," more \
	"}}}"

Test(record, a_scan_becomes_a_dialogue)
{
	cr_assert(parse(SMTP("\"status\":\"success\",\"result\":{\"banner\":"
			     "\"220 hi\\r\\n\",\"ehlo\":\"250 hi\\r\\n\","
			     "\"starttls\":\"220 go\\r\\n\",\"tls\":{"
			     "\"handshake_completed_successfully\":true}}")));
	cr_expect_eq(r.server.port, 2525);
	cr_expect_str_eq(r.name, "mx.example.org");
	cr_expect_eq(r.at_ns, INT64_C(1772359200000000000));
	cr_assert_eq(r.turn_count, 5);
	expect_turn(0, TO_CLIENT, "220 hi\r\n");
	expect_turn(1, TO_SERVER, "EHLO scanner\r\n");
	expect_turn(2, TO_CLIENT, "250 hi\r\n");
	expect_turn(3, TO_SERVER, "STARTTLS\r\n");
	expect_turn(4, TO_CLIENT, "220 go\r\n");
	cr_expect_eq(r.tls, RECORD_TLS_REACHED);
	cr_expect(r.whole);
}

Test(record, a_module_is_known_by_its_protocol_under_any_name)
{
	cr_assert(
	    parse("{\"ip\":\"192.0.2.1\",\"data\":{\"banner\":{\"status\":"
		  "\"success\",\"protocol\":\"banner\"},\"submission\":{"
		  "\"status\":\"success\",\"protocol\":\"smtp\",\"port\":"
		  "587,\"result\":{\"banner\":\"220 hi\\r\\n\"}}}}"));
	cr_expect_eq(r.server.port, 587);
	cr_expect(r.spoke);
}

Test(record, nobody_speaks_where_there_is_no_greeting)
{
	cr_assert(parse(SMTP("\"status\":\"connection-refused\"")));
	cr_expect_not(r.spoke);
	cr_expect_eq(r.turn_count, 0);
}

Test(record, a_handshake_that_failed_is_one_and_silence_is_none)
{
	cr_assert(parse(SMTP("\"status\":\"handshake-error\",\"result\":{"
			     "\"banner\":\"220 hi\\r\\n\",\"starttls\":"
			     "\"220 go\\r\\n\"}")));
	cr_expect_eq(r.tls, RECORD_TLS_FAILED);
	cr_assert(
	    parse(SMTP("\"status\":\"success\",\"result\":{\"banner\":"
		       "\"220 hi\\r\\n\",\"starttls\":\"220 go\\r\\n\"}")));
	cr_expect_eq(r.tls, RECORD_TLS_UNKNOWN);
	cr_assert(parse(SMTP("\"status\":\"io-timeout\",\"result\":{\"banner\":"
			     "\"220 hi\\r\\n\",\"ehlo\":\"250-h\"}")));
	cr_expect_not(r.whole);
}

Test(record, what_is_none_says_why)
{
	cr_expect_not(parse("{}"));
	cr_expect_not(parse("[1"));
	cr_expect_not(parse("{\"ip\":\"x\",\"lines\":[]}"));
	cr_expect(strstr(errbuf, "no address") != NULL);
	cr_expect_not(parse("{\"lines\":[1]}"));
	cr_expect_not(parse("{\"data\":{\"smtp\":{}}}"));
}

Test(record, quoted_lines_get_the_commands_that_they_answer)
{
	cr_assert(parse("{\"lines\":[\"250-mx.example.org\",\"250 DSN\"]}"));
	expect_turn(0, TO_CLIENT, "220 \r\n");
	expect_turn(1, TO_SERVER, "EHLO client\r\n");
	expect_turn(2, TO_CLIENT, "250-mx.example.org\r\n250 DSN\r\n");
	cr_expect_eq(r.server.address.family, 0);
}

Test(record, a_transcript_is_taken_line_by_line)
{
	static const char *const lines[] = { "# comment",
		"server: [2001:db8::1]:587", "time: 2026-03-01", "220 a ESMTP",
		"EHLO b\r", "250 a", "S: 500 what", "C: QUIT" };

	record_begin(&r);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		cr_assert(record_add_line(&r, slice_str(lines[i]), errbuf));
	cr_assert(record_finish(&r));
	cr_expect_eq(r.server.port, 587);
	cr_expect_eq(r.server.address.family, 6);
	cr_expect_eq(r.at_ns, INT64_C(1772323200000000000));
	expect_turn(0, TO_CLIENT, "220 a ESMTP\r\n");
	expect_turn(1, TO_SERVER, "EHLO b\r\n");
	expect_turn(2, TO_CLIENT, "250 a\r\n500 what\r\n");
	expect_turn(3, TO_SERVER, "QUIT\r\n");
	record_begin(&r);
	cr_expect_not(record_finish(&r));
}

Test(record, a_wrong_heading_is_quoted_as_far_as_it_goes)
{
	static const char line[] = { 't', 'i', 'm', 'e', ':', ' ', 'x', 'y' };

	record_begin(&r);
	cr_expect_not(
	    record_add_line(&r, slice_of(line, sizeof(line) - 1), errbuf));
	cr_expect_eq(strncmp(errbuf, "\"time: x\": ", 11), 0, "%s", errbuf);
}

Test(record, more_than_there_is_room_for_is_not_whole)
{
	static char line[1002];

	record_begin(&r);
	memset(line, 'x', sizeof(line) - 1);
	memcpy(line, "250-", 4);
	for (int i = 0; i < 40; i++)
		cr_assert(record_add_line(&r, slice_str(line), errbuf));
	cr_expect_not(r.whole);
	cr_expect_leq(r.text_length, sizeof(r.text));
}
