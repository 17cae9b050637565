#include "record.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SMTP_PORT 25

/* --- turns --------------------------------------------------------------- */

void
record_begin(struct record *r)
{
	memset(r, 0, offsetof(struct record, turns));
	r->text_length = 0;
	r->about_file = false;
	r->label[0] = '\0';
	r->server.port = SMTP_PORT;
	r->whole = true;
}

/* Goes on with the last turn when it is the same side's. */
static void
say(struct record *r, enum dir dir, struct slice bytes)
{
	struct record_turn *turn =
	    r->turn_count > 0 ? &r->turns[r->turn_count - 1] : NULL;
	bool other = turn == NULL || turn->dir != dir;

	if (bytes.len == 0)
		return;
	if (bytes.len > sizeof(r->text) - r->text_length ||
	    (other && r->turn_count == RECORD_TURNS_MAX)) {
		r->whole = false;
		return;
	}
	if (other) {
		turn = &r->turns[r->turn_count++];
		*turn = (struct record_turn){ .dir = dir,
			.at = (uint32_t)r->text_length };
	}
	memcpy(r->text + r->text_length, bytes.ptr, bytes.len);
	r->text_length += bytes.len;
	turn->length += (uint32_t)bytes.len;
}

static void
say_text(struct record *r, enum dir dir, const char *text)
{
	say(r, dir, slice_str(text));
}

static void
say_line(struct record *r, enum dir dir, struct slice line)
{
	say(r, dir, line);
	say_text(r, dir, "\r\n");
}

/* --- fields -------------------------------------------------------------- */

/* RFC 3339 with seconds and any fraction; 0: it is none. */
static int64_t
time_of(const char *text)
{
	struct tm utc = { 0 };
	const char *rest = strptime(text, "%Y-%m-%d", &utc);
	int hours, minutes, seconds = 0;

	if (rest == NULL)
		return 0;
	if (*rest == 'T' || *rest == ' ')
		rest = strptime(rest + 1, "%H:%M:%S", &utc);
	if (rest == NULL || utc.tm_year < 70 || utc.tm_year > 190)
		return 0;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if ((*rest == '+' || *rest == '-') &&
	    sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2)
		seconds = (hours * 60 + minutes) * (*rest == '-' ? 60 : -60);
	return ((int64_t)timegm(&utc) + seconds) * 1000000000;
}

/* Lower case, without final dot; what is no host name is none. */
static void
set_name(struct record *r, const char *name)
{
	size_t n = 0;

	for (; name[n] != '\0'; n++) {
		unsigned char c = (unsigned char)name[n];

		if (n + 1 >= sizeof(r->name) ||
		    (!isalnum(c) && c != '-' && c != '.' && c != '_')) {
			r->name[0] = '\0';
			return;
		}
		r->name[n] = (char)tolower(c);
	}
	if (n > 0 && r->name[n - 1] == '.')
		n--;
	r->name[n] = '\0';
}

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static struct slice
bytes_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return slice_of(json_string_value(value), json_string_length(value));
}

static void
set_port(struct record *r, const json_t *object)
{
	json_int_t port = json_integer_value(json_object_get(object, "port"));

	if (port > 0 && port < 65536)
		r->server.port = (uint16_t)port;
}

static bool
set_place(struct record *r, const json_t *root, char errbuf[RECORD_ERRBUF])
{
	const char *ip = text_of(root, "ip");

	set_port(r, root);
	set_name(r, text_of(root, "domain"));
	r->at_ns = time_of(text_of(root, "timestamp"));
	if (ip[0] == '\0' || address_parse(ip, &r->server.address))
		return true;
	snprintf(errbuf, RECORD_ERRBUF, "\"ip\" is no address: \"%.60s\"", ip);
	return false;
}

/* --- zgrab2 -------------------------------------------------------------- */

/* Where zcrypto puts the version that the server chose. */
static uint16_t
version_of(const json_t *tls)
{
	const json_t *version =
	    json_object_get(json_object_get(json_object_get(tls,
						"handshake_log"),
				"server_hello"),
		"version");
	json_int_t value =
	    json_integer_value(json_object_get(version, "value"));

	return value > 0 && value < 65536 ? (uint16_t)value : 0;
}

static void
set_tls(struct record *r, const json_t *result, const char *status)
{
	const json_t *tls = json_object_get(result, "tls");
	const json_t *completed =
	    json_object_get(tls, "handshake_completed_successfully");

	r->implicit_tls = json_is_true(json_object_get(result, "implicit_tls"));
	r->tls_version = version_of(tls);
	if (json_is_true(completed) ||
	    (tls != NULL && completed == NULL &&
		strcmp(status, "success") == 0))
		r->tls = RECORD_TLS_REACHED;
	else if (json_is_false(completed) ||
	    strcmp(status, "handshake-error") == 0)
		r->tls = RECORD_TLS_FAILED;
}

/* A scanner says its commands in this order, and only some of them. */
static bool
set_scan(struct record *r, const json_t *smtp, char errbuf[RECORD_ERRBUF])
{
	static const struct {
		const char *key, *command;
	} order[] = {
		{ "helo", "HELO scanner\r\n" },
		{ "ehlo", "EHLO scanner\r\n" },
		{ "help", "HELP\r\n" },
		{ "starttls", "STARTTLS\r\n" },
	};
	const json_t *result = json_object_get(smtp, "result");
	const char *status = text_of(smtp, "status");

	if (status[0] == '\0') {
		snprintf(errbuf, RECORD_ERRBUF, "smtp has no \"status\"");
		return false;
	}
	set_port(r, smtp);
	if (text_of(smtp, "timestamp")[0] != '\0')
		r->at_ns = time_of(text_of(smtp, "timestamp"));
	set_tls(r, result, status);
	say(r, TO_CLIENT, bytes_of(result, "banner"));
	r->spoke = r->text_length > 0;
	for (size_t i = 0; r->spoke && i < sizeof(order) / sizeof(*order);
	     i++) {
		struct slice answer = bytes_of(result, order[i].key);

		if (answer.len == 0)
			continue;
		say_text(r, TO_SERVER, order[i].command);
		say(r, TO_CLIENT, answer);
	}
	r->whole &= strcmp(status, "success") == 0 ||
	    r->tls == RECORD_TLS_FAILED;
	return true;
}

/* --- transcripts --------------------------------------------------------- */

static bool
is_reply(struct slice line)
{
	return line.len >= 3 && isdigit(line.ptr[0]) && isdigit(line.ptr[1]) &&
	    isdigit(line.ptr[2]) &&
	    (line.len == 3 || line.ptr[3] == ' ' || line.ptr[3] == '-');
}

static bool
begins(struct slice line, const char *word)
{
	return slice_equal_nocase(slice_first(line, strlen(word)),
	    slice_str(word));
}

static struct slice
trimmed(struct slice s)
{
	while (s.len > 0 && isspace(s.ptr[0]))
		s = slice_after(s, 1);
	while (s.len > 0 && isspace(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static void
add_server_line(struct record *r, struct slice line)
{
	/* Who quotes an answer to EHLO leaves out what came before it. */
	if (r->turn_count == 0 && !begins(line, "220"))
		say_text(r, TO_CLIENT, "220 \r\n");
	if (r->turn_count == 1 && !begins(line, "220"))
		say_text(r, TO_SERVER, "EHLO client\r\n");
	say_line(r, TO_CLIENT, line);
	r->spoke = true;
}

static void
add_said(struct record *r, struct slice line)
{
	if (begins(line, "S: "))
		add_server_line(r, slice_after(line, 3));
	else if (begins(line, "C: "))
		say_line(r, TO_SERVER, slice_after(line, 3));
	else if (is_reply(line))
		add_server_line(r, line);
	else
		say_line(r, TO_SERVER, line);
}

static bool
set_server(struct record *r, const char *text)
{
	const char *colon = strrchr(text, ':'), *start = text;
	char address[ADDRESS_TEXT_BYTES];
	size_t n = strlen(text);
	unsigned long port = SMTP_PORT;

	if (address_parse(text, &r->server.address))
		return true;
	if (colon == NULL)
		return false;
	n = (size_t)(colon - text);
	if (*start == '[' && n > 2 && text[n - 1] == ']') {
		start++;
		n -= 2;
	}
	port = strtoul(colon + 1, NULL, 10);
	if (n >= sizeof(address) || port == 0 || port > 65535)
		return false;
	memcpy(address, start, n);
	address[n] = '\0';
	r->server.port = (uint16_t)port;
	return address_parse(address, &r->server.address);
}

/* 1: it was one; 0: it is none; -1: its value is wrong. */
static int
add_heading(struct record *r, struct slice line)
{
	const uint8_t *colon = memchr(line.ptr, ':', line.len);
	struct slice value;
	char text[DOMAIN_TEXT_BYTES];

	if (colon == NULL || r->turn_count > 0)
		return 0;
	value = trimmed(slice_after(line, (size_t)(colon - line.ptr) + 1));
	snprintf(text, sizeof(text), "%.*s", (int)value.len,
	    (const char *)value.ptr);
	if (begins(line, "server:"))
		return set_server(r, text) ? 1 : -1;
	if (begins(line, "name:")) {
		set_name(r, text);
		return r->name[0] != '\0' ? 1 : -1;
	}
	if (begins(line, "time:")) {
		r->at_ns = time_of(text);
		return r->at_ns != 0 ? 1 : -1;
	}
	return 0;
}

bool
record_add_line(struct record *r, struct slice line, char errbuf[RECORD_ERRBUF])
{
	int heading;

	while (line.len > 0 &&
	    (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == '\n'))
		line.len--;
	if (line.len == 0 || line.ptr[0] == '#')
		return true;
	heading = add_heading(r, line);
	if (heading < 0) {
		snprintf(errbuf, RECORD_ERRBUF,
		    "\"%.*s\": server: wants an address and a port, name: a "
		    "host name, time: 2026-03-01T10:00:00Z",
		    line.len < 60 ? (int)line.len : 60, (const char *)line.ptr);
		return false;
	}
	if (heading == 0)
		add_said(r, line);
	return true;
}

bool
record_finish(struct record *r)
{
	return r->turn_count > 0;
}

static bool
set_lines(struct record *r, const json_t *lines, char errbuf[RECORD_ERRBUF])
{
	size_t i;
	json_t *line;

	json_array_foreach(lines, i, line)
	{
		if (!json_is_string(line)) {
			snprintf(errbuf, RECORD_ERRBUF,
			    "\"lines\" has something that is no text");
			return false;
		}
		add_said(r,
		    slice_of(json_string_value(line),
			json_string_length(line)));
	}
	return true;
}

/* --- a line of JSON ------------------------------------------------------ */

/* The module's result. With `zgrab2 multiple` its section can have any name,
 * and only "protocol" says what it is. */
static const json_t *
smtp_of(const json_t *root)
{
	json_t *data = json_object_get(root, "data"), *result;
	const json_t *smtp = json_object_get(data, "smtp");
	const char *name;

	json_object_foreach(data, name, result)
	{
		if (smtp == NULL &&
		    strcmp(text_of(result, "protocol"), "smtp") == 0)
			smtp = result;
	}
	return smtp;
}

static bool
parse_root(const json_t *root, struct record *r, char errbuf[RECORD_ERRBUF])
{
	const json_t *smtp = smtp_of(root);
	const json_t *lines = json_object_get(root, "lines");
	const json_t *study = json_object_get(root, "study");

	if (json_is_object(study)) {
		r->about_file = true;
		snprintf(r->label, sizeof(r->label), "%s",
		    text_of(study, "label"));
		return true;
	}
	if (!json_is_object(smtp) && !json_is_array(lines)) {
		snprintf(errbuf, RECORD_ERRBUF,
		    "neither \"data\".\"smtp\", as zgrab2 writes it, nor "
		    "\"lines\" of a transcript");
		return false;
	}
	if (!set_place(r, root, errbuf))
		return false;
	return json_is_array(lines) ? set_lines(r, lines, errbuf) :
				      set_scan(r, smtp, errbuf);
}

bool
record_parse_json(struct slice line, struct record *r,
    char errbuf[RECORD_ERRBUF])
{
	json_error_t error;
	json_t *root = json_loadb((const char *)line.ptr, line.len,
	    JSON_ALLOW_NUL, &error);
	bool good;

	record_begin(r);
	if (root == NULL) {
		snprintf(errbuf, RECORD_ERRBUF, "no JSON: %.80s (octet %d)",
		    error.text, error.position);
		return false;
	}
	good = parse_root(root, r, errbuf);
	json_decref(root);
	return good;
}
