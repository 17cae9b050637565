/* Where the engines differ, why, and what of it may be shown. */
#include "cross_session.h"

#include <ctype.h>

#include "redact.h"
#include "smtp_session.h"

#define NOTHING CROSS_NOTHING
#define LESS CROSS_LESS
#define MORE CROSS_MORE
#define OTHER CROSS_OTHER
#define HOLE CROSS_HOLE

static const struct {
	const char *name;
	unsigned shapes, reason;
	const char *text;
} rows[KNOWN_DIFFERENCES] = {
#define KNOWN(id, name, shapes, reason, text) { name, shapes, reason, text },
#include "cross_check.def"
#undef KNOWN
};

const char *
cross_check_known_name(enum known_difference known)
{
	return rows[known].name;
}

const char *
cross_check_known_text(enum known_difference known)
{
	return rows[known].text;
}

/* --- comparing ----------------------------------------------------------- */

static bool
copies_differ(const struct cross_session *s, enum dir dir, uint64_t offset)
{
	const struct octets *carried =
	    &s->carried[dir == TO_SERVER ? s->client : !s->client];

	return 2 * offset + 1 < carried->len &&
	    carried->bytes[2 * offset + 1] == OCTET_DIFFERS;
}

static void
find_shape(const struct cross_session *s, enum dir dir,
    struct cross_finding *out)
{
	const struct octets *native = &s->native[dir];
	const struct octets *libnids = &s->libnids[dir];
	uint32_t same = 0;

	while (same < native->len && same < libnids->len &&
	    native->bytes[same] == libnids->bytes[same])
		same++;
	out->offset = same;
	if (native->len > 0 && !s->libnids_opened)
		out->shape = CROSS_NOTHING;
	else if (same < native->len && same < libnids->len)
		out->shape = CROSS_OTHER;
	else if (same < native->len)
		out->shape = CROSS_LESS;
	else if (s->gap[dir])
		out->shape = CROSS_HOLE;
	else if (same < libnids->len && !s->over)
		out->shape = CROSS_MORE;
}

struct cross_finding
cross_compare(const struct cross_session *s, enum dir dir)
{
	struct cross_finding found = { 0, 0, KNOWN_DIFFERENCES };
	unsigned reasons = s->reasons;

	find_shape(s, dir, &found);
	if (s->step != STEP_ESTABLISHED)
		reasons |= REASON_NO_HANDSHAKE;
	if (copies_differ(s, dir, found.offset))
		reasons |= REASON_COPIES;
	if (s->gap[dir])
		reasons |= s->snap[dir] ? REASON_SNAPPED : REASON_GAP;
	for (int i = 0; i < KNOWN_DIFFERENCES; i++) {
		if (!(rows[i].shapes & found.shape) ||
		    !(rows[i].reason & reasons))
			continue;
		found.known = (enum known_difference)i;
		break;
	}
	return found;
}

/* --- showing ------------------------------------------------------------- */

/* From `from` to what ends the line, or to the end. */
static size_t
line_end(const struct octets *o, size_t from)
{
	while (from < o->len && o->bytes[from] != '\n')
		from++;
	return from;
}

static enum verb
verb_at(const struct octets *o, size_t from)
{
	size_t to = line_end(o, from);

	to -= to > from && o->bytes[to - 1] == '\r';
	return smtp_verb(slice_of(o->bytes + from, to - from));
}

/*
 * Commands behind which no credential, message or list of people follows.
 * What comes behind any other one is left out: what it is can only be told by
 * who follows the dialogue.
 */
static bool
is_plain(enum verb verb)
{
	switch (verb) {
	case VERB_EHLO:
	case VERB_HELO:
	case VERB_LHLO:
	case VERB_STARTTLS:
	case VERB_MAIL:
	case VERB_RCPT:
	case VERB_RSET:
	case VERB_NOOP:
	case VERB_QUIT:
		return true;
	default:
		return false;
	}
}

/* Are all commands that begin before `upto`? */
static bool
all_plain(const struct octets *client, size_t upto)
{
	for (size_t from = 0; from < upto; from = line_end(client, from) + 1)
		if (!is_plain(verb_at(client, from)))
			return false;
	return true;
}

/*
 * Are the replies? Not where names were asked for or somebody logged in, nor
 * behind a command that nobody knows; but what follows STARTTLS, DATA and BDAT
 * is none. `mail` is set if addresses were named.
 */
static bool
replies_are_plain(const struct octets *client, bool *mail)
{
	bool commands = true;

	for (size_t from = 0; from < client->len;
	     from = line_end(client, from) + 1) {
		enum verb verb = verb_at(client, from);

		*mail |= verb == VERB_MAIL || verb == VERB_RCPT;
		if (verb == VERB_STARTTLS || verb == VERB_DATA ||
		    verb == VERB_BDAT)
			commands = false;
		else if (!is_plain(verb) && (commands || verb != VERB_OTHER))
			return false;
	}
	return true;
}

static bool
is_reply(const uint8_t *line, size_t len)
{
	return len >= 3 && isdigit(line[0]) && isdigit(line[1]) &&
	    isdigit(line[2]) && (len == 3 || line[3] == ' ' || line[3] == '-');
}

struct slice
cross_excerpt(const struct cross_session *s, bool of_libnids, enum dir dir,
    uint64_t offset, unsigned how, uint8_t *room)
{
	const struct octets *both[2] = { s->native, s->libnids };
	const struct octets *o = &both[of_libnids][dir];
	size_t from = offset < o->len ? (size_t)offset : o->len, to, len;
	bool mail = false;

	while (from > 0 && o->bytes[from - 1] != '\n')
		from--;
	to = line_end(o, from);
	len = to - from;
	if (len == 0 || len > CROSS_LINE_MAX)
		return slice_of(room, 0);
	memcpy(room, o->bytes + from, len);
	if (to == o->len)
		how |= REDACT_OPEN_END;
	len -= room[len - 1] == '\r';
	if (dir == TO_SERVER) {
		if (!all_plain(o, to))
			return slice_of(room, 0);
		redact_command(room, len, verb_at(o, from), how);
	} else {
		if (!is_reply(room, len) ||
		    !replies_are_plain(&s->native[TO_SERVER], &mail) ||
		    !replies_are_plain(&s->libnids[TO_SERVER], &mail))
			return slice_of(room, 0);
		redact_reply(room, len, mail ? VERB_RCPT : VERB_EHLO, how);
	}
	return slice_of(room, len);
}
