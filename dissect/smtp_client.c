/* The client's side of a dialogue: commands, AUTH lines, messages. */
#include <ctype.h>

#include "redact.h"
#include "smtp_session.h"

#define MAILS_DETAILED 16

static const struct {
	char word[12];
	enum verb verb;
} verbs[] = {
	{ "EHLO", VERB_EHLO },
	{ "HELO", VERB_HELO },
	{ "STARTTLS", VERB_STARTTLS },
	{ "MAIL", VERB_MAIL },
	{ "RCPT", VERB_RCPT },
	{ "DATA", VERB_DATA },
	{ "BDAT", VERB_BDAT },
	{ "RSET", VERB_RSET },
	{ "NOOP", VERB_NOOP },
	{ "QUIT", VERB_QUIT },
	{ "AUTH", VERB_AUTH },
	{ "VRFY", VERB_VRFY },
	{ "EXPN", VERB_EXPN },
	{ "HELP", VERB_HELP },
	{ "ETRN", VERB_ETRN },
	{ "XCLIENT", VERB_XCLIENT },
	{ "XFORWARD", VERB_XFORWARD },
	{ "LHLO", VERB_LHLO },
};

/* Whole tokens: STARTTLSX is not STARTTLS. */
enum verb
smtp_verb(struct slice line)
{
	size_t n = 0;

	while (n < line.len && line.ptr[n] != ' ' && line.ptr[n] != '\t')
		n++;
	for (size_t i = 0; n > 0 && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (verbs[i].word[0] == ascii_upper(line.ptr[0]) &&
		    slice_equal_nocase(slice_first(line, n),
			slice_str(verbs[i].word)))
			return verbs[i].verb;
	return VERB_OTHER;
}

/* --- commands without an answer ------------------------------------------ */

void
smtp_pending_push(struct smtp_session *s, enum verb verb)
{
	unsigned last =
	    (s->pending_first + s->pending_used + PENDING_VERBS - 1u) %
	    PENDING_VERBS;

	if (s->pending_used > 0 && s->pending[last].verb == verb &&
	    s->pending[last].count < UINT16_MAX) {
		s->pending[last].count++;
		return;
	}
	if (s->pending_used == PENDING_VERBS) {
		/* Nobody pipelines so much of such variety: the oldest are
		 * given up, and their answers are only counted. */
		if (s->pending[s->pending_first].verb != VERB_NONE)
			s->unmatched += s->pending[s->pending_first].count;
		s->pending_first = (s->pending_first + 1) % PENDING_VERBS;
		s->pending_used--;
	}
	last = (s->pending_first + s->pending_used++) % PENDING_VERBS;
	s->pending[last] = (struct pending){ (uint8_t)verb, 1 };
}

enum verb
smtp_pending_first(const struct smtp_session *s)
{
	return s->pending_used == 0 ?
	    VERB_NONE :
	    (enum verb)s->pending[s->pending_first].verb;
}

enum verb
smtp_pending_last(const struct smtp_session *s)
{
	unsigned last =
	    (s->pending_first + s->pending_used + PENDING_VERBS - 1u) %
	    PENDING_VERBS;

	return s->pending_used == 0 ? VERB_NONE :
				      (enum verb)s->pending[last].verb;
}

void
smtp_pending_pop(struct smtp_session *s)
{
	if (s->pending_used == 0 || --s->pending[s->pending_first].count > 0)
		return;
	s->pending_first = (s->pending_first + 1) % PENDING_VERBS;
	s->pending_used--;
}

/* --- lines --------------------------------------------------------------- */

static void
say_command(struct smtp_session *s, struct slice line, enum verb verb,
    uint64_t extent, uint16_t flags, const struct origin *at)
{
	uint8_t copy[FACT_LINE_MAX_BYTES];
	struct fact fact = { .code = FACT_COMMAND,
		.dir = TO_SERVER,
		.about = (uint8_t)verb,
		.flags = flags,
		.extent = extent };

	if (smtp_terse(s))
		return;
	line = slice_first(line, sizeof(copy));
	if (line.len > 0)
		memcpy(copy, line.ptr, line.len);
	if (redact_command(copy, line.len, verb, smtp_redaction(s, flags)))
		fact.flags |= FACT_REDACTED;
	if (s->pending_used > 0 ||
	    (!s->greeted && !s->midstream && s->seen[TO_CLIENT] == false))
		fact.flags |= FACT_PIPELINED;
	smtp_say(s, &fact, slice_of(copy, line.len), at);
}

static void
auth_line(struct smtp_session *s, struct slice line, uint64_t extent,
    uint16_t flags, const struct origin *at)
{
	uint8_t copy[FACT_LINE_MAX_BYTES];
	struct fact fact = { .code = FACT_AUTH_EXCHANGE,
		.dir = TO_SERVER,
		.about = VERB_AUTH,
		.flags = flags,
		.extent = extent };

	line = slice_first(line, sizeof(copy));
	redact_all(copy, line.len);
	fact.flags |= FACT_REDACTED;
	smtp_say(s, &fact, slice_of(copy, line.len), at);
	smtp_pending_push(s, VERB_AUTH);
	/* RFC 4954 4: each line is answered; the answer says how it goes on,
	 * if there is somebody to see it. */
	if (!at->one_sided)
		s->mode = MODE_COMMAND;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* RFC 3030 2: BDAT SP size [SP LAST]. False: no size that makes sense. */
static bool
parse_chunk(struct smtp_session *s, struct slice line)
{
	uint64_t size = 0;
	size_t i = 4, digits = 0;

	s->chunk_last = false;
	while (i < line.len && is_blank(line.ptr[i]))
		i++;
	for (; i < line.len && isdigit(line.ptr[i]); i++, digits++) {
		if (size > (UINT64_MAX - 9) / 10)
			return false;
		size = size * 10 + (line.ptr[i] - '0');
	}
	if (digits == 0 || (i < line.len && !is_blank(line.ptr[i])))
		return false;
	while (i < line.len && is_blank(line.ptr[i]))
		i++;
	while (line.len > i && is_blank(line.ptr[line.len - 1]))
		line.len--;
	s->chunk_last =
	    slice_equal_nocase(slice_after(line, i), slice_str("LAST"));
	s->chunk_left = size;
	return true;
}

/* --- digests of messages ------------------------------------------------- */

/* Several chunks are one message (RFC 3030 2). */
static void
digest_begin(struct smtp_session *s, bool dots)
{
	if (s->options->digest_key == NULL || s->digest != NULL)
		return;
	s->digest = fact_pool_take(s->log->pool, sizeof(*s->digest));
	if (s->digest != NULL)
		body_digest_begin(s->digest, s->options->digest_key, dots);
}

void
smtp_digest_drop(struct smtp_session *s)
{
	if (s->digest != NULL)
		fact_pool_give(s->log->pool, s->digest, sizeof(*s->digest));
	s->digest = NULL;
}

static void
digest_add(struct smtp_session *s, struct slice bytes)
{
	if (s->digest != NULL)
		body_digest_add(s->digest, bytes);
}

static void
digest_say(struct smtp_session *s, const struct origin *at)
{
	struct fact fact = { .code = FACT_BODY_DIGEST, .dir = TO_SERVER };
	uint8_t sums[BODY_DIGEST_BYTES];

	if (s->digest == NULL)
		return;
	body_digest_end(s->digest, sums);
	smtp_digest_drop(s);
	if (!smtp_terse(s))
		smtp_say(s, &fact, slice_of(sums, sizeof(sums)), at);
}

/* --- commands ------------------------------------------------------------ */

/*
 * The state machine, first part: what a command makes of the octets behind
 * it, where its answer can be seen and where the client is alone. Behind all
 * others come commands.
 */
static const struct {
	enum verb verb;
	enum mode mode, alone;
} behind[] = {
	{ VERB_DATA, MODE_DATA_WAIT, MODE_BODY },
	{ VERB_BDAT, MODE_CHUNK, MODE_CHUNK },
	{ VERB_STARTTLS, MODE_STARTTLS_WAIT, MODE_STARTTLS_WAIT },
	{ VERB_AUTH, MODE_COMMAND, MODE_AUTH },
};

static void
after_command(struct smtp_session *s, struct slice line, enum verb verb,
    const struct origin *at)
{
	s->mode = MODE_COMMAND;
	for (size_t i = 0; i < sizeof(behind) / sizeof(*behind); i++)
		if (behind[i].verb == verb)
			s->mode = at->one_sided ? behind[i].alone :
						  behind[i].mode;
	if (verb != VERB_BDAT)
		smtp_digest_drop(s);
	if (verb == VERB_DATA) {
		/* The command's CRLF may begin the end. */
		smtp_body_begin(s, 2);
		digest_begin(s, true);
	} else if (verb == VERB_BDAT) {
		smtp_body_begin(s, 0);
		/* A chunk without a size that makes sense is none. */
		if (!parse_chunk(s, line) || s->chunk_left == 0)
			s->mode = MODE_COMMAND;
		digest_begin(s, false);
		if (s->chunk_last && s->chunk_left == 0)
			digest_say(s, at);
	}
}

/* A response to AUTH, also one sent without waiting for the challenge. */
static bool
is_auth_line(const struct smtp_session *s, struct slice line, enum verb verb,
    bool one_sided)
{
	if (s->mode == MODE_AUTH)
		return !(one_sided && verb != VERB_OTHER);
	return verb == VERB_OTHER && line.len > 0 &&
	    smtp_pending_last(s) == VERB_AUTH;
}

static bool
is_hello(enum verb verb)
{
	return verb == VERB_EHLO || verb == VERB_HELO || verb == VERB_LHLO;
}

void
smtp_client_line(struct smtp_session *s, struct slice line, uint64_t extent,
    uint16_t flags, const struct origin *at)
{
	enum verb verb = smtp_verb(line);

	smtp_reply_taken(s, at);
	/* What was asked before was answered in the gap: hardly anybody goes
	 * on without the answer. */
	if (s->pending_unsure && !(flags & FACT_UNFINISHED)) {
		s->pending_unsure = false;
		if (smtp_pending_last(s) != VERB_AUTH || verb != VERB_OTHER)
			s->pending_used = 0;
	}
	if (is_auth_line(s, line, verb, at->one_sided)) {
		auth_line(s, line, extent, flags, at);
		return;
	}
	/* Midstream, these may be lines of a message. */
	if (s->mode == MODE_LOST && !is_hello(verb))
		return;
	if (!s->recognised) {
		if (!is_hello(verb))
			return;
		s->recognised = true;
	}
	/* RFC 5321 has no empty command; servers answer 500 or ignore it:
	 * see skip_optional(). */
	if (line.len == 0) {
		say_command(s, line, VERB_OTHER, extent, flags, at);
		smtp_pending_push(s, VERB_NONE);
		return;
	}
	say_command(s, line, verb, extent, flags, at);
	if (flags & FACT_UNFINISHED)
		return;
	after_command(s, line, verb, at);
	/* The answer to the last chunk is the answer to the message. */
	smtp_pending_push(s,
	    verb == VERB_BDAT && s->chunk_last ? VERB_BODY : verb);
}

/* --- messages ------------------------------------------------------------ */

bool
smtp_terse(const struct smtp_session *s)
{
	return s->mails > MAILS_DETAILED;
}

/* `tail` as in next_tail(): 0 where octets are missing before it. */
void
smtp_body_begin(struct smtp_session *s, uint8_t tail)
{
	s->body_bytes = 0;
	s->body_tail = tail;
	s->body_last = tail == 2 ? '\r' << 8 | '\n' : 0;
}

void
smtp_body_end(struct smtp_session *s, const struct origin *at)
{
	struct fact fact = { .code = FACT_BODY,
		.dir = TO_SERVER,
		.extent = s->body_bytes };
	struct origin where = *at;

	where.stream_offset = s->body_offset;
	if (s->body_bytes > 0 && !smtp_terse(s))
		smtp_say(s, &fact, slice_of(NULL, 0), &where);
	s->body_bytes = 0;
}

/*
 * CR LF . CR LF, however it is cut up. `tail` is how many of the five octets
 * have been seen; 2 is the start of a line.
 */
static uint8_t
next_tail(uint8_t tail, uint8_t c)
{
	static const uint8_t end[] = { '\r', '\n', '.', '\r', '\n' };

	if (c == end[tail])
		return (uint8_t)(tail + 1);
	return c == '\r' ? 1 : 0;
}

bool
smtp_body_ends_loosely(const struct smtp_session *s)
{
	uint32_t last = s->body_last;

	if ((last & 0xff) != '\n')
		return false;
	last >>= 8;
	if ((last & 0xff) == '\r')
		last >>= 8;
	return (last & 0xff) == '.' &&
	    ((last >> 8 & 0xff) == '\n' || (last >> 8 & 0xff) == '\r');
}

size_t
smtp_feed_body(struct smtp_session *s, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	size_t i = 0;
	uint8_t tail = s->body_tail;

	(void)dir;
	if (s->body_bytes == 0)
		s->body_offset = at->stream_offset;
	while (i < bytes.len) {
		if (tail == 0) {
			/* The end begins with CR; what is before it does not
			 * matter. */
			const uint8_t *cr =
			    memchr(bytes.ptr + i, '\r', bytes.len - i);

			if (cr == NULL) {
				i = bytes.len;
				break;
			}
			i = (size_t)(cr - bytes.ptr);
		}
		tail = next_tail(tail, bytes.ptr[i++]);
		if (tail == 5) {
			s->body_bytes += i;
			s->body_tail = 0;
			s->mode = MODE_COMMAND;
			smtp_body_end(s, at);
			digest_add(s, slice_first(bytes, i));
			digest_say(s, at);
			smtp_pending_push(s, VERB_BODY);
			return i;
		}
	}
	digest_add(s, slice_first(bytes, i));
	s->body_tail = tail;
	s->body_bytes += i;
	for (i = bytes.len < 4 ? 0 : bytes.len - 4; i < bytes.len; i++)
		s->body_last = s->body_last << 8 | bytes.ptr[i];
	return i;
}

size_t
smtp_feed_chunk(struct smtp_session *s, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	size_t taken = bytes.len < s->chunk_left ? bytes.len :
						   (size_t)s->chunk_left;

	(void)dir;
	if (s->body_bytes == 0)
		s->body_offset = at->stream_offset;
	s->chunk_left -= taken;
	s->body_bytes += taken;
	digest_add(s, slice_first(bytes, taken));
	if (s->chunk_left == 0) {
		s->mode = MODE_COMMAND;
		smtp_body_end(s, at);
		if (s->chunk_last)
			digest_say(s, at);
	}
	return taken;
}
