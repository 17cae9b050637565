/*
 * STARTTLS came through, but not so that the client sees it: behind a reply
 * that was inflated until the client misses it, with a code or separator that
 * is not its reply's, or in other case than the server writes it.
 */
#include <stdio.h>

#include "ehlo.h"
#include "product.h"
#include "trial.h"
#include "wording.h"

/* Postfix keeps about 2 kB of a reply (laboratory: 40 lines of junk); other
 * clients may keep less. */
#define BURIED_MIN_BYTES 1500

struct hidden {
	enum evidence_code how; /* EVIDENCE_CODES: it is not */
	unsigned line;		/* that tells, from 0 */
	uint64_t octets;	/* of the reply before the offer */
};

static uint64_t
octets_before(const struct session *s, unsigned line)
{
	unsigned last = line < s->lines_kept ? line : s->lines_kept - 1;

	return s->lines[last].stream_offset - s->lines[0].stream_offset;
}

/* Does an earlier line have the same keyword? */
static bool
is_repeated(const struct session *s, unsigned line)
{
	struct slice word = ehlo_keyword(ehlo_line_kept(&s->lines[line]));

	for (unsigned i = 1; i < line; i++)
		if (slice_equal_nocase(word,
			ehlo_keyword(ehlo_line_kept(&s->lines[i]))))
			return true;
	return false;
}

/* Marks the lines that no list of keywords needs; their octets. */
static uint64_t
find_junk(const struct registry *registry, const struct session *s,
    bool junk[EHLO_LINES_MAX])
{
	uint64_t octets = 0;

	junk[0] = false;
	for (unsigned i = 1; i < s->lines_kept; i++) {
		struct slice text = ehlo_line_kept(&s->lines[i]);

		junk[i] = !ehlo_line_offers_starttls(text) &&
		    (!registry_knows(registry, ehlo_keyword(text)) ||
			is_repeated(s, i));
		if (junk[i])
			octets += s->lines[i].whole_length;
	}
	return octets;
}

/* The offer came whole, and mail went on without it. */
bool
hidden_has_a_say(const struct session *s)
{
	unsigned line;

	if (!s->offered || s->starttls_sent || !s->mail_clear ||
	    s->lines_kept < 2 || s->tls_established)
		return false;
	line = session_offer_line(s);
	if (octets_before(s, line) >= BURIED_MIN_BYTES)
		return true;
	return line < s->lines_kept &&
	    (s->lines[line].flags & FACT_ODD_CODE ||
		session_offer(s) > OFFER_CAPITALS);
}

static struct hidden
find_hidden(const struct trial *trial, bool junk[EHLO_LINES_MAX])
{
	const struct session *s = trial->session;
	const struct registry *registry = trial->context->registry;
	struct hidden h = { .how = EVIDENCE_CODES,
		.line = session_offer_line(s) };
	const struct product *product = product_of(registry, s);
	bool named = product != NULL && product_greets(product, s);

	h.octets = octets_before(s, h.line);
	if (h.line < s->lines_kept && s->lines[h.line].flags & FACT_ODD_CODE) {
		h.how = EVIDENCE_OFFER_CODE;
	} else if (h.octets >= BURIED_MIN_BYTES) {
		if (find_junk(registry, s, junk) * 2 < h.octets)
			return h;
		h.how = named ? EVIDENCE_OFFER_BURIED_BY_OTHERS :
				EVIDENCE_OFFER_BURIED;
		for (h.line = 1; !junk[h.line];)
			h.line++;
	} else {
		h.how = named && session_offer(s) == OFFER_MIXED ?
		    EVIDENCE_OFFER_CASE :
		    EVIDENCE_OFFER_NOT_CAPITAL;
	}
	return h;
}

/* Sessions of the server whose reply has `hash`. */
struct replies {
	uint64_t sessions;
	int64_t first_ns, last_ns;
};

static struct replies
replies_with(const struct trial *trial, const struct profile *own,
    uint64_t hash)
{
	const struct context *context = trial->context;
	const struct profile *profiles;
	size_t count =
	    context->profiles(context->world, &own->server, &profiles);
	struct replies r = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct profile *p = &profiles[i];

		if (p->verb != VERB_EHLO || !p->offered ||
		    p->keywords_hash != hash ||
		    !history_near_in_time(p, own->first_ns))
			continue;
		if (r.sessions == 0 || p->first_ns < r.first_ns)
			r.first_ns = p->first_ns;
		if (r.sessions == 0 || p->last_ns > r.last_ns)
			r.last_ns = p->last_ns;
		r.sessions += p->sessions;
	}
	return r;
}

static void
weigh_length(struct trial *trial, const bool junk[EHLO_LINES_MAX])
{
	const struct session *s = trial->session;
	struct replies as_long, as_short;
	enum evidence_code code = EVIDENCE_CODES;
	struct profile own, clean;
	struct evidence *e;

	if (!session_profile(s, &own) ||
	    !session_profile_of_lines(s, junk, &clean))
		return;
	as_long = replies_with(trial, &own, own.keywords_hash);
	as_short = replies_with(trial, &own, clean.keywords_hash);
	if (as_short.sessions >= MANY_SESSIONS &&
	    as_short.first_ns < own.first_ns &&
	    as_short.last_ns > own.last_ns &&
	    as_short.last_ns - as_short.first_ns >= SEVERAL_DAYS_NS)
		code = EVIDENCE_REPLY_SHORT_OFTEN;
	else if (as_short.sessions > 0)
		code = EVIDENCE_REPLY_SHORT_OTHERWISE;
	else if (as_long.last_ns - as_long.first_ns >= SEVERAL_DAYS_NS)
		code = EVIDENCE_REPLY_LONG_FOR_DAYS;
	if (code == EVIDENCE_CODES)
		return;
	e = trial_evidence(trial, code, 0);
	snprintf(e->detail, sizeof(e->detail),
	    "%llu sessions with the short reply, %llu with the long one",
	    (unsigned long long)as_short.sessions,
	    (unsigned long long)as_long.sessions);
}

/* The server's replies with these keywords: how it writes the offer in them. */
struct spellings {
	uint64_t capital, alike; /* sessions; this one left out */
	int64_t first_capital_ns;
};

static struct spellings
ask_spellings(const struct trial *trial, const struct profile *own)
{
	const struct context *context = trial->context;
	const struct profile *profiles;
	size_t count =
	    context->profiles(context->world, &own->server, &profiles);
	struct spellings sp = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct profile *p = &profiles[i];

		if (p->verb != VERB_EHLO ||
		    p->keywords_hash != own->keywords_hash ||
		    !history_near_in_time(p, own->first_ns))
			continue;
		if (p->offered == OFFER_CAPITALS) {
			if (sp.capital == 0 ||
			    p->first_ns < sp.first_capital_ns)
				sp.first_capital_ns = p->first_ns;
			sp.capital += p->sessions;
		} else if (p->offered == own->offered) {
			sp.alike += p->sessions;
		}
	}
	/* The session itself is among them if it was seen well enough. */
	sp.alike -= sp.alike > 0;
	return sp;
}

/* A server may write as it likes, and two behind one address may differ; that
 * it hardly ever writes so, in the very same reply, is another thing. */
static void
weigh_case(struct trial *trial)
{
	struct spellings sp;
	struct profile own;
	struct evidence *e;

	if (!session_profile(trial->session, &own))
		return;
	sp = ask_spellings(trial, &own);
	if (sp.capital > sp.alike)
		e = trial_evidence(trial, EVIDENCE_CASE_CHANGED, 0);
	else if (sp.capital == 0 && sp.alike >= SOME_SESSIONS)
		e = trial_evidence(trial, EVIDENCE_CASE_ALWAYS_SO, 0);
	else
		return;
	snprintf(e->detail, sizeof(e->detail),
	    "%llu sessions with capitals, %llu like this one",
	    (unsigned long long)sp.capital, (unsigned long long)sp.alike);
	trial->history.other_offered = sp.capital;
	trial->history.before = sp.first_capital_ns < own.first_ns;
}

static const char *
benign_of(enum evidence_code how)
{
	switch (how) {
	case EVIDENCE_OFFER_CODE:
		return "a slip in the server's own configuration, or memory "
		       "or a line that damages bits";
	case EVIDENCE_OFFER_CASE:
	case EVIDENCE_OFFER_NOT_CAPITAL:
		return "another server behind the same address, which writes "
		       "it so, or memory or a line that damages bits";
	default:
		return "a server that has so many words of its own; its "
		       "operator does not know that some clients then miss "
		       "STARTTLS";
	}
}

static bool
is_case(const struct hidden *h)
{
	return h->how == EVIDENCE_OFFER_CASE ||
	    h->how == EVIDENCE_OFFER_NOT_CAPITAL;
}

static void
say(const struct session *s, const struct hidden *h, struct incident *in)
{
	if (h->how == EVIDENCE_OFFER_CODE || is_case(h))
		snprintf(in->observed, sizeof(in->observed),
		    "the offer reads \"%.80s\", which %s", in->seen,
		    h->how == EVIDENCE_OFFER_CODE ?
			"does not begin as its reply does" :
			"clients that compare with case do not know");
	else
		snprintf(in->observed, sizeof(in->observed),
		    "the offer of STARTTLS stands behind %llu octets of the "
		    "EHLO reply, most of them words that nobody registered "
		    "(\"%.40s\")",
		    (unsigned long long)h->octets, in->seen);
	wording_what_followed(s, in);
	snprintf(in->benign, sizeof(in->benign), "%s", benign_of(h->how));
	snprintf(in->next_step, sizeof(in->next_step),
	    "Say EHLO to the same server from another network, or capture "
	    "next to the server: what its reply does not have there was put "
	    "in on the way");
}

enum verdict
trial_hidden(struct trial *trial)
{
	const struct session *s = trial->session;
	struct incident *in = trial->out;
	bool junk[EHLO_LINES_MAX];
	struct hidden h;

	if (!hidden_has_a_say(s))
		return VERDICT_NOTHING;
	h = find_hidden(trial, junk);
	if (h.how == EVIDENCE_CODES)
		return VERDICT_NOTHING;
	in->kind = KIND_STARTTLS_GARBLED;
	in->side = SIDE_SERVER_OF_TAP;
	trial_evidence(trial, h.how, s->lines[h.line].frame);
	if (h.how == EVIDENCE_OFFER_BURIED ||
	    h.how == EVIDENCE_OFFER_BURIED_BY_OTHERS)
		weigh_length(trial, junk);
	if (is_case(&h))
		weigh_case(trial);
	trial_policies(trial);
	trial_describe_line(trial, &s->lines[h.line]);
	say(s, &h, in);
	return trial_conclude(trial);
}
