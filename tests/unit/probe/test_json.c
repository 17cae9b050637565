#include <criterion/criterion.h>
#include <iconv.h>
#include <math.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "probe/output/json.h"

static struct json j;

static const char *
text(void)
{
	static char out[8192];

	cr_assert_lt(j.length, sizeof(out));
	memcpy(out, j.text, j.length);
	out[j.length] = '\0';
	json_reset(&j);
	return out;
}

static const char *
string(const char *octets, size_t len)
{
	json_slice(&j, NULL, slice_of(octets, len));
	return text();
}

Test(json, what_must_be_escaped_is)
{
	static const struct {
		const char *octets;
		size_t len;
		const char *json;
	} rows[] = {
		{ "", 0, "\"\"" },
		{ "250-STARTTLS", 12, "\"250-STARTTLS\"" },
		{ "a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"" },
		{ "\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\"" },
		{ "\0\1\13\16\37\177", 6,
		    "\"\\u0000\\u0001\\u000b\\u000e\\u001f\\u007f\"" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\x8c", 9,
		    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\x8c\"" },
		{ "\xf4\x8f\xbf\xbf", 4, "\"\xf4\x8f\xbf\xbf\"" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_str_eq(string(rows[i].octets, rows[i].len),
		    rows[i].json);
	json_free(&j);
}

#define FFFD "\xef\xbf\xbd"

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
Test(json, octets_that_are_no_utf8_are_replaced_one_by_one)
{
	static const struct {
		const char *octets;
		size_t len, replaced;
	} rows[] = { { "\xff", 1, 1 }, { "\x80", 1, 1 }, { "\xc3", 1, 1 },
		{ "\xc0\xaf", 2, 2 }, { "\xe0\x80\xaf", 3, 3 },
		{ "\xf0\x80\x80\xaf", 4, 4 }, { "\xed\xa0\x80", 3, 3 },
		{ "\xf4\x90\x80\x80", 4, 4 }, { "\xf8\x88\x80\x80\x80", 5, 5 },
		{ "\xe2\x82", 2, 2 }, { "\xf0\x9f\x92", 3, 3 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char expected[64] = "\"";

		for (size_t n = 0; n < rows[i].replaced; n++)
			strcat(expected, FFFD);
		strcat(expected, "\"");
		cr_expect_str_eq(string(rows[i].octets, rows[i].len), expected,
		    "row %zu", i);
	}
	cr_expect_str_eq(string("a\xc3(b", 4), "\"a" FFFD "(b\"");
	json_free(&j);
}

/* Others judge: glibc whether it is UTF-8, SQLite whether it is JSON. */
static bool
others_take(const char *value)
{
	static char out[8192];
	char *from = (char *)value, *to = out;
	size_t left = strlen(value), room = sizeof(out);
	iconv_t utf8 = iconv_open("UTF-32LE", "UTF-8");
	bool ok = iconv(utf8, &from, &left, &to, &room) == 0 && left == 0;
	sqlite3_stmt *st;
	sqlite3 *db;

	iconv_close(utf8);
	sqlite3_open(":memory:", &db);
	sqlite3_prepare_v2(db, "SELECT json_valid(?)", -1, &st, NULL);
	sqlite3_bind_text(st, 1, value, -1, SQLITE_STATIC);
	ok &= sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int(st, 0) == 1;
	sqlite3_finalize(st);
	sqlite3_close(db);
	return ok;
}

Test(json, whatever_is_put_in_others_take_it)
{
	uint64_t x = 88172645463325252u;

	cr_assert_not(others_take("\"\xed\xa0\x80\""));
	cr_assert_not(others_take("\"a\"b\""));
	for (int round = 0; round < 5000; round++) {
		char octets[24];

		for (size_t i = 0; i < sizeof(octets); i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			/* Mostly what begins and continues characters. */
			octets[i] = (char)(x & 1 ? 0x80 | x >> 40 : x >> 40);
		}
		cr_assert(others_take(string(octets, sizeof(octets))));
	}
	json_free(&j);
}

Test(json, objects_and_arrays_nest_with_their_commas)
{
	json_object_open(&j, NULL);
	json_text(&j, "a", "b");
	json_array_open(&j, "c");
	json_array_close(&j);
	json_array_open(&j, "d");
	json_unsigned(&j, NULL, 1);
	json_object_open(&j, NULL);
	json_object_close(&j);
	json_object_open(&j, NULL);
	json_bool(&j, "e", true);
	json_bool(&j, "f\"", false);
	json_object_close(&j);
	json_array_close(&j);
	json_signed(&j, "g", -2);
	json_object_close(&j);
	cr_expect_str_eq(text(),
	    "{\"a\":\"b\",\"c\":[],\"d\":[1,{},"
	    "{\"e\":true,\"f\\\"\":false}],\"g\":-2}");
	json_free(&j);
}

Test(json, numbers_are_exact_and_short)
{
	static const struct {
		double value;
		int decimals;
		const char *json;
	} rows[] = { { 0, 2, "0" }, { 3.1, 2, "3.1" }, { 1.9, 1, "1.9" },
		{ 100, 2, "100" }, { 0.005, 1, "0" }, { -0.001, 2, "0" },
		{ -0.4, 2, "-0.4" }, { 0.0333333, 4, "0.0333" },
		{ 2.5, 0, "2" }, { NAN, 2, "0" }, { INFINITY, 2, "0" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_number(&j, NULL, rows[i].value, rows[i].decimals);
		cr_expect_str_eq(text(), rows[i].json);
	}
	json_unsigned(&j, NULL, UINT64_MAX);
	cr_expect_str_eq(text(), "18446744073709551615");
	json_unsigned(&j, NULL, 0);
	cr_expect_str_eq(text(), "0");
	json_signed(&j, NULL, INT64_MIN);
	cr_expect_str_eq(text(), "-9223372036854775808");
	json_free(&j);
}

Test(json, times_are_as_suricata_writes_them)
{
	static const struct {
		int64_t ns;
		const char *json;
	} rows[] = {
		{ 1772360102123456789, "\"2026-03-01T10:15:02.123456+0000\"" },
		{ 0, "\"1970-01-01T00:00:00.000000+0000\"" },
		{ 999, "\"1970-01-01T00:00:00.000000+0000\"" },
		{ -1, "\"1969-12-31T23:59:59.999999+0000\"" },
		{ -1000000000, "\"1969-12-31T23:59:59.000000+0000\"" },
		{ -1000000001, "\"1969-12-31T23:59:58.999999+0000\"" },
		{ INT64_MAX, "\"2262-04-11T23:47:16.854775+0000\"" },
		{ INT64_MIN, "\"1677-09-21T00:12:43.145224+0000\"" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_eve_time(&j, NULL, rows[i].ns);
		cr_expect_str_eq(text(), rows[i].json);
	}
	json_free(&j);
}

Test(json, a_line_is_written_whole_or_the_failure_told)
{
	FILE *out = tmpfile(), *full = fopen("/dev/full", "w");
	char line[64];

	json_object_open(&j, NULL);
	json_object_close(&j);
	cr_expect_eq(json_write(&j, out), 0);
	rewind(out);
	cr_expect_str_eq(fgets(line, sizeof(line), out), "{}\n");
	setvbuf(full, NULL, _IONBF, 0);
	cr_expect_eq(json_write(&j, full), -1);
	fclose(out);
	fclose(full);
	json_free(&j);
}
