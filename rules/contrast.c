#include "contrast.h"

#include <stdlib.h>

#include "contrast_versions.h"
#include "ehlo.h"

#define LINES_MAX 384 /* of one direction that are compared */
#define BLIND                                                    \
	(OBS_MIDSTREAM | OBS_GAP_TO_SERVER | OBS_GAP_TO_CLIENT | \
	    OBS_ONE_SIDED | OBS_SNAPLEN | OBS_OVER_LIMIT | OBS_LOST_SYNC)

static const struct {
	const char *name, *text;
} pairings[PAIRINGS] = {
	[PAIRED_BY_CONNECTION] = { "connection",
	    "addresses, ports and both sequence numbers" },
	[PAIRED_BY_NUMBERS] = { "sequence-numbers",
	    "both sequence numbers, under other addresses" },
	[PAIRED_BY_CLIENT_RANDOM] = { "client-random",
	    "the random octets of the ClientHello" },
	[PAIRED_BY_ADDRESSES] = { "addresses",
	    "addresses and ports; the sequence numbers differ" },
	[PAIRED_BY_MESSAGE] = { "message",
	    "the message and its recipients; the connections are two" },
	[PAIRED_BY_ENVELOPE] = { "envelope",
	    "HELO, sender and recipients; the connections are two" },
	[PAIRED_BY_HELO] = { "helo", "the HELO name and the time only" },
};

static const struct {
	const char *name;
	bool same, relay;
	const char *text;
} codes[DIFFERENCES] = {
#define DIFFERENCE(id, name, same, relay, text) { name, same, relay, text },
#include "contrast.def"
#undef DIFFERENCE
};

const char *
pairing_name(enum pairing pairing)
{
	return pairings[pairing].name;
}

const char *
pairing_text(enum pairing pairing)
{
	return pairings[pairing].text;
}

const char *
difference_name(enum difference_code code)
{
	return codes[code].name;
}

const char *
difference_text(enum difference_code code)
{
	return codes[code].text;
}

bool
contrast_is_line(const struct fact *fact)
{
	return fact->code == FACT_GREETING || fact->code == FACT_COMMAND ||
	    fact->code == FACT_REPLY || fact->code == FACT_EHLO_REPLY ||
	    fact->code == FACT_EXTRA_BYTES;
}

/* Where something is missing, a difference proves nothing. */
bool
contrast_is_whole(struct slice facts)
{
	struct slice bytes;
	struct fact fact;

	while (fact_decode(&facts, &fact, &bytes))
		if (contrast_is_line(&fact) && fact.observability & BLIND)
			return false;
	return true;
}

/* --- which side is which ------------------------------------------------- */

#define TURNS_MAX 64

/* The times from what the client says to the answer, the first ones. */
static unsigned
answer_times(struct slice facts, int64_t out[TURNS_MAX])
{
	int64_t asked_ns = 0;
	bool asked = false;
	struct slice bytes;
	struct fact fact;
	unsigned n = 0;

	while (n < TURNS_MAX && fact_decode(&facts, &fact, &bytes)) {
		if (!contrast_is_line(&fact) || fact.flags & FACT_OTHER_READING)
			continue;
		if (fact.dir == TO_CLIENT && asked)
			out[n++] = fact.capture_ts_ns - asked_ns;
		asked = fact.dir == TO_SERVER;
		asked_ns = fact.capture_ts_ns;
	}
	return n;
}

int64_t
contrast_nearer_ns(struct slice a, struct slice b)
{
	int64_t of_a[TURNS_MAX], of_b[TURNS_MAX], sum = 0;
	unsigned n = answer_times(a, of_a), m = answer_times(b, of_b);

	for (unsigned i = 0; i < n && i < m; i++)
		sum += of_b[i] - of_a[i];
	return sum;
}

/* --- what is found ------------------------------------------------------- */

static void
add(struct contrast *c, enum difference_code code, const struct told *sent,
    const struct told *arrived)
{
	struct difference *d;
	bool altered = c->relay ? codes[code].relay : codes[code].same;

	c->altered |= altered;
	if (c->count == CONTRAST_MAX) {
		c->unlisted++;
		return;
	}
	d = &c->list[c->count++];
	*d = (struct difference){ .code = code, .altered = altered };
	if (sent != NULL)
		d->sent = *sent;
	if (arrived != NULL)
		d->arrived = *arrived;
}

/* The last fact of a code; `about` VERBS: whatever it is about. */
static struct told
last_of(struct slice facts, enum fact_code code, unsigned about)
{
	struct told told, last = { .there = false };

	while (fact_decode(&facts, &told.fact, &told.bytes)) {
		if (told.fact.code != code ||
		    told.fact.flags & FACT_OTHER_READING ||
		    (about != VERBS && told.fact.about != about))
			continue;
		told.there = true;
		last = told;
	}
	return last;
}

/* --- one connection: line by line ---------------------------------------- */

struct lines {
	struct told *list;
	unsigned count;
};

static bool
lines_of(struct slice facts, enum dir dir, struct lines *out)
{
	struct told told;

	out->count = 0;
	out->list = malloc(LINES_MAX * sizeof(*out->list));
	while (out->list != NULL && out->count < LINES_MAX &&
	    fact_decode(&facts, &told.fact, &told.bytes)) {
		if (!contrast_is_line(&told.fact) || told.fact.dir != dir ||
		    told.fact.flags & FACT_OTHER_READING)
			continue;
		told.there = true;
		out->list[out->count++] = told;
	}
	return out->list != NULL;
}

static bool
same_line(const struct told *a, const struct told *b)
{
	return slice_equal(a->bytes, b->bytes) &&
	    (a->fact.flags & FACT_CUT) == (b->fact.flags & FACT_CUT);
}

/* Did the capture see all of the connection, to its end? Else more may have
 * come. */
static bool
is_complete(struct slice facts)
{
	struct told closed = last_of(facts, FACT_CLOSED, VERBS);

	return closed.there &&
	    (closed.fact.value == ENDING_FIN ||
		closed.fact.value == ENDING_RST) &&
	    !(closed.fact.observability & BLIND);
}

/* Lines between two that are alike, [i, i_end) sent and [j, j_end) come. */
struct stretch {
	const struct lines *sent, *arrived;
	unsigned i, i_end, j, j_end;
	bool may_lack_sent, may_lack_arrived; /* what is missing is missing */
};

/* Of what came in their place, the line that is `t` overwritten: of the same
 * length, or the next one where as many came as were sent. */
static unsigned
counterpart(const struct stretch *s, const struct told *t)
{
	bool as_many = s->i_end - s->i == s->j_end - s->j;

	if (as_many)
		return s->j;
	for (unsigned j = s->j; j < s->j_end; j++)
		if (s->arrived->list[j].bytes.len == t->bytes.len &&
		    s->arrived->list[j].fact.code == t->fact.code)
			return j;
	return s->j_end;
}

static void
tell_added(struct contrast *c, struct stretch *s, unsigned until)
{
	for (; s->j < until; s->j++)
		if (s->may_lack_sent && c->whole)
			add(c, DIFFERENCE_ADDED, NULL, &s->arrived->list[s->j]);
}

static void
tell_stretch(struct contrast *c, struct stretch s)
{
	for (; s.i < s.i_end; s.i++) {
		const struct told *sent = &s.sent->list[s.i], *came;
		unsigned j = counterpart(&s, sent);

		if (j == s.j_end) {
			if (s.may_lack_arrived && c->whole)
				add(c, DIFFERENCE_REMOVED, sent, NULL);
			continue;
		}
		tell_added(c, &s, j);
		came = &s.arrived->list[s.j++];
		if (c->whole ||
		    sent->fact.stream_offset == came->fact.stream_offset)
			add(c, DIFFERENCE_CHANGED, sent, came);
	}
	tell_added(c, &s, s.j_end);
}

/* The longest sequence that both have: `table[i][j]` is its length from line i
 * and j on. */
static bool
align(struct contrast *c, const struct lines *sent, const struct lines *arrived,
    bool sent_ended, bool arrived_ended)
{
	unsigned n = sent->count, m = arrived->count, w = m + 1;
	uint16_t *table = calloc((size_t)(n + 1) * w, sizeof(*table));
	struct stretch s = { sent, arrived, 0, 0, 0, 0, true, true };

	if (table == NULL)
		return false;
	for (unsigned i = n; i-- > 0;)
		for (unsigned j = m; j-- > 0;) {
			const uint16_t *down = &table[(i + 1) * w + j];
			const uint16_t *right = &table[i * w + j + 1];

			table[i * w + j] =
			    same_line(&sent->list[i], &arrived->list[j]) ?
			    (uint16_t)(down[1] + 1) :
			    *down > *right ? *down :
					     *right;
		}
	while (s.i_end < n && s.j_end < m) {
		if (same_line(&sent->list[s.i_end], &arrived->list[s.j_end])) {
			tell_stretch(c, s);
			s.i = ++s.i_end;
			s.j = ++s.j_end;
		} else if (table[(s.i_end + 1) * w + s.j_end] >=
		    table[s.i_end * w + s.j_end + 1]) {
			s.i_end++;
		} else {
			s.j_end++;
		}
	}
	s.i_end = n;
	s.j_end = m;
	s.may_lack_arrived = arrived_ended;
	s.may_lack_sent = sent_ended;
	tell_stretch(c, s);
	free(table);
	return true;
}

static bool
compare_lines(struct contrast *c, struct slice client, struct slice server)
{
	bool client_ended = is_complete(client);
	bool server_ended = is_complete(server);
	struct lines near[2] = { { NULL, 0 } }, far[2] = { { NULL, 0 } };
	bool ok = lines_of(client, TO_SERVER, &near[TO_SERVER]) &&
	    lines_of(client, TO_CLIENT, &near[TO_CLIENT]) &&
	    lines_of(server, TO_SERVER, &far[TO_SERVER]) &&
	    lines_of(server, TO_CLIENT, &far[TO_CLIENT]) &&
	    align(c, &far[TO_CLIENT], &near[TO_CLIENT], server_ended,
		client_ended) &&
	    align(c, &near[TO_SERVER], &far[TO_SERVER], client_ended,
		server_ended);

	for (int dir = 0; dir < 2; dir++) {
		free(near[dir].list);
		free(far[dir].list);
	}
	return ok;
}

static void
compare_records(struct contrast *c, enum fact_code code, struct slice sender,
    struct slice receiver)
{
	struct told sent = last_of(sender, code, VERBS);
	struct told came = last_of(receiver, code, VERBS);

	if (sent.there && came.there) {
		if (sent.fact.value != came.fact.value ||
		    !slice_equal(sent.bytes, came.bytes))
			add(c, DIFFERENCE_HANDSHAKE_CHANGED, &sent, &came);
	} else if (sent.there && is_complete(receiver)) {
		add(c, DIFFERENCE_HANDSHAKE_CHANGED, &sent, NULL);
	} else if (came.there && is_complete(sender)) {
		add(c, DIFFERENCE_HANDSHAKE_CHANGED, NULL, &came);
	}
}

static void
compare_handshakes(struct contrast *c, struct slice client, struct slice server)
{
	struct told near = last_of(client, FACT_CLOSED, VERBS);
	struct told far = last_of(server, FACT_CLOSED, VERBS);

	compare_records(c, FACT_TLS_CLIENT_HELLO, client, server);
	compare_records(c, FACT_TLS_SERVER_HELLO, server, client);
	if (near.there && far.there && near.fact.value == ENDING_RST &&
	    far.fact.value == ENDING_RST && near.fact.dir == TO_CLIENT &&
	    far.fact.dir == TO_SERVER)
		add(c, DIFFERENCE_RESET_FORGED, &far, &near);
}

/* --- two connections: by what they come to ------------------------------- */

static struct slice
keyword_of(const struct told *line)
{
	struct slice text = slice_after(line->bytes, 4);
	size_t n = 0;

	while (n < text.len && text.ptr[n] != ' ' && text.ptr[n] != '=' &&
	    text.ptr[n] != '\r')
		n++;
	return slice_first(text, n);
}

/* Has an EHLO reply a line with this keyword? */
static bool
has_keyword(struct slice facts, struct slice keyword)
{
	struct told told;

	while (fact_decode(&facts, &told.fact, &told.bytes))
		if (told.fact.code == FACT_EHLO_REPLY && told.fact.line > 1 &&
		    !(told.fact.flags & FACT_OTHER_READING) &&
		    slice_equal_nocase(keyword_of(&told), keyword))
			return true;
	return false;
}

/* Keywords of `facts` that `other` does not have. */
static void
tell_keywords(struct contrast *c, struct slice facts, struct slice other,
    enum difference_code code)
{
	struct slice rest = facts, before = facts;
	struct told told;

	while (fact_decode(&rest, &told.fact, &told.bytes)) {
		struct slice seen = slice_first(facts, facts.len - before.len);
		struct slice keyword = keyword_of(&told);

		before = rest;
		told.there = true;
		if (told.fact.code != FACT_EHLO_REPLY || told.fact.line <= 1 ||
		    told.fact.flags & FACT_OTHER_READING ||
		    ehlo_line_offers_starttls(slice_after(told.bytes, 4)) ||
		    has_keyword(seen, keyword) || has_keyword(other, keyword))
			continue;
		if (code == DIFFERENCE_KEYWORD_REMOVED)
			add(c, code, &told, NULL);
		else
			add(c, code, NULL, &told);
	}
}

static bool
speaks_tls(struct slice facts)
{
	return last_of(facts, FACT_TLS_ESTABLISHED, VERBS).there ||
	    last_of(facts, FACT_IMPLICIT_TLS, VERBS).there ||
	    last_of(facts, FACT_TLS_SERVER_HELLO, VERBS).there;
}

/* The line of an EHLO reply that offers STARTTLS. */
static struct told
offer_of(struct slice facts)
{
	struct told told;

	while (fact_decode(&facts, &told.fact, &told.bytes)) {
		told.there = true;
		if (told.fact.code == FACT_EHLO_REPLY && told.fact.line > 1 &&
		    !(told.fact.flags & FACT_OTHER_READING) &&
		    ehlo_line_offers_starttls(slice_after(told.bytes, 4)))
			return told;
	}
	return (struct told){ .there = false };
}

static bool
mail_is_clear(struct slice facts)
{
	return last_of(facts, FACT_COMMAND, VERB_MAIL).there;
}

static void
compare_tls(struct contrast *c, struct slice client, struct slice server)
{
	bool near = speaks_tls(client), far = speaks_tls(server);
	struct told offer = offer_of(server);
	struct told answer = last_of(client, FACT_EHLO_REPLY, VERBS);
	struct told asked = last_of(client, FACT_COMMAND, VERB_STARTTLS);

	if (offer.there && !near && c->whole && answer.there &&
	    answer.fact.flags & FACT_LAST_LINE && !offer_of(client).there)
		add(c, DIFFERENCE_OFFER_WITHHELD, &offer, NULL);
	if (asked.there && !near && c->whole && offer.there &&
	    !last_of(server, FACT_COMMAND, VERB_STARTTLS).there)
		add(c, DIFFERENCE_STARTTLS_KEPT_BACK, &asked, NULL);
	if (near && !far && mail_is_clear(server))
		add(c, DIFFERENCE_TLS_ENDS, NULL, NULL);
	if (far && !near && mail_is_clear(client))
		add(c, DIFFERENCE_TLS_BEGINS, NULL, NULL);
}

static void
compare_relayed(struct contrast *c, struct slice client, struct slice server)
{
	static const enum verb told_by[] = { VERB_XCLIENT, VERB_XFORWARD };
	struct told data = last_of(client, FACT_COMMAND, VERB_BDAT);
	struct told other = last_of(server, FACT_COMMAND, VERB_BDAT);

	compare_tls(c, client, server);
	if (last_of(client, FACT_EHLO_REPLY, VERBS).there &&
	    last_of(server, FACT_EHLO_REPLY, VERBS).there && c->whole) {
		tell_keywords(c, server, client, DIFFERENCE_KEYWORD_REMOVED);
		tell_keywords(c, client, server, DIFFERENCE_KEYWORD_ADDED);
	}
	for (size_t i = 0; i < sizeof(told_by) / sizeof(*told_by); i++) {
		struct told line = last_of(server, FACT_COMMAND, told_by[i]);

		if (line.there &&
		    !last_of(client, FACT_COMMAND, told_by[i]).there)
			add(c, DIFFERENCE_CLIENT_TOLD, NULL, &line);
	}
	if (data.there != other.there && mail_is_clear(client) &&
	    mail_is_clear(server))
		add(c, DIFFERENCE_CHUNKING, &data, &other);
}

/* --- copies -------------------------------------------------------------- */

/* What came to `facts` twice, and differs, came from between the two places
 * unless the other one has it as well. */
static void
compare_versions(struct contrast *c, struct slice facts, struct slice other)
{
	struct slice rest = facts;
	struct told told = { .there = true };

	while (fact_decode(&rest, &told.fact, &told.bytes)) {
		enum difference_code code =
		    difference_of_versions(&told, facts);

		if (code < DIFFERENCES && !has_versions(other, &told.fact))
			add(c, code, NULL, &told);
	}
}

/* --- both ---------------------------------------------------------------- */

/* Bytes of FACT_BODY_DIGEST: of the whole message, then of its content. */
static void
compare_messages(struct contrast *c, struct slice client, struct slice server)
{
	struct told sent = last_of(client, FACT_BODY_DIGEST, VERBS);
	struct told came = last_of(server, FACT_BODY_DIGEST, VERBS);

	if (!sent.there || !came.there || slice_equal(sent.bytes, came.bytes))
		return;
	add(c,
	    slice_equal(slice_after(sent.bytes, 8),
		slice_after(came.bytes, 8)) ?
		DIFFERENCE_HEADER_CHANGED :
		DIFFERENCE_CONTENT_CHANGED,
	    &sent, &came);
}

/* Two connections, or one whose client says another name on the far side. */
static bool
is_relay(struct slice client, struct slice server, enum pairing pairing)
{
	struct told sent = last_of(client, FACT_COMMAND, VERB_EHLO);
	struct told came = last_of(server, FACT_COMMAND, VERB_EHLO);

	return pairing >= PAIRED_BY_MESSAGE ||
	    (pairing == PAIRED_BY_ADDRESSES && sent.there && came.there &&
		!same_line(&sent, &came));
}

bool
contrast_find(struct slice client, struct slice server, enum pairing pairing,
    struct contrast *out)
{
	bool ok = true;

	memset(out, 0, sizeof(*out));
	out->whole = contrast_is_whole(client) && contrast_is_whole(server);
	out->relay = is_relay(client, server, pairing);
	if (out->relay) {
		compare_relayed(out, client, server);
	} else {
		ok = compare_lines(out, client, server);
		compare_handshakes(out, client, server);
		compare_versions(out, client, server);
		compare_versions(out, server, client);
	}
	compare_messages(out, client, server);
	return ok;
}
