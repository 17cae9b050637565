#include "cross_check.h"

#include <stdlib.h>

#include "cross_session.h"
#include "redact.h"

/* --- what libnids delivers ----------------------------------------------- */

static void *
on_libnids_opened(void *context, const struct flow_start *start,
    const struct origin *at)
{
	struct cross_check *c = context;
	struct endpoint ends[2];
	struct cross_session *s;

	(void)at;
	cross_order_ends(&start->identity.client, &start->identity.server,
	    ends);
	s = cross_find(c, ends);
	if (s == NULL || s->libnids_opened || s->decided ||
	    s->isn[s->client] != start->identity.client_isn)
		return NULL;
	s->libnids_opened = s->libnids_holds = true;
	return s;
}

static enum interest
on_libnids_bytes(void *context, void *session, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	struct cross_check *c = context;
	struct cross_session *s = session;

	(void)at;
	if (!s->decided && !cross_append(c, &s->libnids[dir], bytes))
		cross_give_up(c, s);
	return s->decided ? INTEREST_NONE : INTEREST_NEGOTIATION;
}

static enum interest
on_libnids_gap(void *context, void *session, enum dir dir, uint64_t missing,
    bool snapped, const struct origin *at)
{
	(void)context;
	(void)session;
	(void)dir;
	(void)missing;
	(void)snapped;
	(void)at;
	return INTEREST_NEGOTIATION; /* libnids knows none */
}

static void
on_libnids_closed(void *context, void *session, enum ending ending,
    enum dir who, const uint64_t acked[2], const struct origin *at)
{
	struct cross_session *s = session;

	(void)who;
	(void)acked;
	(void)at;
	if (ending == ENDING_EVICTED)
		s->reasons |= NIDS_TABLE;
	s->libnids_holds = false;
	cross_let_go(context, s);
}

static enum worth
libnids_worth(void *context, void *session)
{
	(void)context;
	(void)session;
	return WORTH_NEGOTIATING;
}

/* --- what the packets show ----------------------------------------------- */

static void
note_handshake(struct cross_session *s, unsigned side, const struct packet *p)
{
	uint8_t flags = p->flags & (TCP_SYN | TCP_ACK);

	if (flags & TCP_SYN) {
		if (s->has_isn[side] && s->isn[side] != p->seq)
			s->reasons |= REASON_REUSED;
		s->isn[side] = p->seq;
		s->has_isn[side] = true;
		if (p->payload_wire_bytes > 0)
			s->reasons |= REASON_SYN_DATA;
	}
	if (flags == TCP_SYN && s->step == STEP_NONE) {
		s->client = (uint8_t)side;
		s->step = STEP_SYN;
	} else if (flags == (TCP_SYN | TCP_ACK) && s->step == STEP_SYN &&
	    side != s->client && p->ack == s->isn[!side] + 1) {
		s->step = STEP_SYN_ACK;
	} else if (flags == TCP_ACK && s->step == STEP_SYN_ACK &&
	    side == s->client && p->ack == s->isn[!side] + 1) {
		s->step = STEP_ESTABLISHED;
	}
}

static void
note_octets(struct cross_check *c, struct cross_session *s, unsigned side,
    const struct packet *p)
{
	struct octets *o = &s->carried[side];
	uint32_t offset = p->seq - s->isn[side] - 1;

	if (!s->has_isn[side] || p->flags & TCP_SYN)
		return;
	for (uint32_t i = 0; i < p->payload_bytes; i++) {
		uint32_t at = offset + i;
		uint8_t *octet;

		if (at >= CROSS_STREAM_MAX)
			continue;
		if (2 * at + 2 > o->len) {
			if (!cross_grow(c, o, 2 * at + 2)) {
				cross_give_up(c, s);
				return;
			}
			o->len = 2 * at + 2;
		}
		octet = o->bytes + 2 * at;
		if (octet[1] == OCTET_UNSEEN) {
			octet[0] = p->payload[i];
			octet[1] = OCTET_SEEN;
		} else if (octet[0] != p->payload[i]) {
			octet[1] = OCTET_DIFFERS;
		}
	}
}

static bool
is_mail(const struct cross_check *c, const struct packet *p)
{
	return (c->mail_ports[p->src.port / 8] >> (p->src.port % 8) & 1) ||
	    (c->mail_ports[p->dst.port / 8] >> (p->dst.port % 8) & 1);
}

/* NULL: of no connection that is followed. */
static struct cross_session *
note_segment(struct cross_check *c, const struct packet *p)
{
	struct endpoint ends[2];
	struct cross_session *s;
	unsigned side;

	cross_order_ends(&p->src, &p->dst, ends);
	side = endpoint_equal(&p->src, &ends[0]) ? 0 : 1;
	s = cross_find(c, ends);
	if (s == NULL && (p->flags & TCP_SYN || is_mail(c, p)))
		s = cross_add(c, ends);
	else if (s != NULL && (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	    (s->decided || (s->has_isn[side] && s->isn[side] != p->seq)))
		s = cross_replace(c, s);
	c->current = s;
	if (s == NULL || s->decided)
		return s;
	note_handshake(s, side, p);
	if (s->step == STEP_SYN_ACK && p->payload_wire_bytes > 0 &&
	    side != s->client)
		s->reasons |= REASON_EARLY;
	if (p->flags & TCP_URG)
		s->reasons |= REASON_URGENT;
	s->reset |= (p->flags & TCP_RST) != 0;
	note_octets(c, s, side, p);
	return s;
}

void
cross_check_packet(struct cross_check *c, const struct packet *p)
{
	struct cross_session *s;
	unsigned refused;

	if (p->kind == PACKET_FRAGMENT) {
		refused = nids_engine_packet(c->libnids, p);
		c->odd_fragments |= (refused & NIDS_FRAGMENTS) != 0;
		return;
	}
	if (p->ip == NULL)
		return;
	s = note_segment(c, p);
	refused = nids_engine_packet(c->libnids, p) & ~(unsigned)NIDS_TABLE;
	/* A refused ACK matters in the handshake only. */
	if (s != NULL && !s->decided &&
	    (p->payload_wire_bytes > 0 || s->step != STEP_ESTABLISHED))
		s->reasons |= refused;
	c->current = NULL;
}

void
cross_check_joined(struct cross_check *c, const struct packet *p)
{
	struct cross_session *s = p->ip == NULL ? NULL : note_segment(c, p);

	if (s != NULL && c->odd_fragments)
		s->reasons |= NIDS_FRAGMENTS;
	c->current = NULL;
}

/* --- what native delivers ------------------------------------------------ */

struct cross_session *
cross_check_opened(struct cross_check *c, const struct flow_start *start)
{
	const struct flow_identity *identity = &start->identity;
	struct endpoint ends[2];
	struct cross_session *s;

	cross_order_ends(&identity->client, &identity->server, ends);
	s = cross_find(c, ends);
	if (s == NULL)
		s = cross_add(c, ends);
	else if (s->native_holds || s->decided)
		s = cross_replace(c, s);
	if (s == NULL)
		return NULL;
	s->native_holds = true;
	s->identity = *identity;
	s->client = !endpoint_equal(&identity->client, &ends[0]);
	if (start->midstream)
		s->reasons |= REASON_MIDSTREAM;
	if (identity->client.address.family == 6)
		s->reasons |= REASON_IPV6;
	return s;
}

static void
report(struct cross_check *c, const struct cross_session *s, enum dir dir,
    const struct cross_finding *found)
{
	unsigned how = c->config->smtp.keep_addresses ? REDACT_KEEP_ADDRESSES :
							0;
	struct cross_difference difference = { s->identity, dir, found->offset,
		found->shape,
		cross_excerpt(s, false, dir, found->offset, how, c->line[0]),
		cross_excerpt(s, true, dir, found->offset, how, c->line[1]) };

	c->report(c->context, &difference);
}

/* `final`: a difference counts; before that it may yet go away. */
static void
decide(struct cross_check *c, struct cross_session *s,
    struct counters *counters, bool final)
{
	struct cross_finding found[2];
	enum known_difference known = KNOWN_DIFFERENCES;
	unsigned differing = 0, unknown = 0;

	for (int dir = 0; dir < 2; dir++) {
		found[dir] = cross_compare(s, (enum dir)dir);
		differing += found[dir].shape != 0;
	}
	if (differing > 0 && !final)
		return;
	for (int dir = 0; dir < 2; dir++) {
		if (found[dir].shape == 0)
			continue;
		if (found[dir].known == KNOWN_DIFFERENCES) {
			unknown++;
			report(c, s, (enum dir)dir, &found[dir]);
		} else if (known == KNOWN_DIFFERENCES) {
			known = found[dir].known;
		}
	}
	c->totals.sessions++;
	count(counters, COUNTER_CROSS_SESSIONS);
	if (unknown > 0) {
		c->totals.unknown++;
		count(counters, COUNTER_CROSS_NEW);
	} else if (differing > 0) {
		c->totals.known[known]++;
		count(counters, COUNTER_CROSS_KNOWN);
	} else {
		c->totals.agree++;
		count(counters, COUNTER_CROSS_AGREE);
	}
	s->decided = true;
	cross_free_streams(c, s);
}

static void
after(struct cross_check *c, struct cross_session *s, enum interest interest,
    struct counters *counters)
{
	if (s->reset)
		s->reasons |= REASON_RESET;
	if (interest == INTEREST_NEGOTIATION || interest == INTEREST_NONE ||
	    s->over)
		return;
	s->over = true;
	decide(c, s, counters, false);
}

void
cross_check_bytes(struct cross_check *c, struct cross_session *s, enum dir dir,
    struct slice bytes, enum interest interest, struct counters *counters)
{
	if (s == NULL || s->decided || s->over)
		return;
	if (!s->gap[dir] && !cross_append(c, &s->native[dir], bytes))
		cross_give_up(c, s);
	else
		after(c, s, interest, counters);
}

void
cross_check_gap(struct cross_check *c, struct cross_session *s, enum dir dir,
    bool snapped, enum interest interest, struct counters *counters)
{
	if (s == NULL || s->decided || s->over)
		return;
	if (!s->gap[dir])
		s->snap[dir] = snapped;
	s->gap[dir] = true;
	after(c, s, interest, counters);
}

void
cross_check_closed(struct cross_check *c, struct cross_session *s,
    const struct cross_end *end, struct counters *counters)
{
	if (s == NULL) {
		if (end->is_smtp)
			count(counters, COUNTER_CROSS_MEMCAP);
		return;
	}
	if (end->one_sided)
		s->reasons |= REASON_ONE_SIDED;
	if (s->given_up && end->is_smtp)
		count(counters, COUNTER_CROSS_MEMCAP);
	else if (!s->decided && end->is_smtp)
		decide(c, s, counters, true);
	s->decided = true;
	cross_free_streams(c, s);
	s->native_holds = false;
	cross_let_go(c, s);
}

/* --- life ---------------------------------------------------------------- */

struct cross_check *
cross_check_create(const struct shard_config *config, size_t budget_bytes,
    cross_report_fn *report_fn, void *context)
{
	struct cross_check *c = calloc(1, sizeof(*c));
	struct stream_listener listener = { .context = c,
		.opened = on_libnids_opened,
		.bytes = on_libnids_bytes,
		.gap = on_libnids_gap,
		.closed = on_libnids_closed,
		.worth = libnids_worth };
	struct nids_config nids;

	if (c == NULL)
		return NULL;
	c->config = config;
	c->budget_bytes = budget_bytes;
	c->report = report_fn;
	c->context = context;
	shard_mail_ports(config, c->mail_ports);
	nids = (struct nids_config){ .flows_max = config->budgets.flows,
		.any_port = config->any_port,
		.mail_ports = c->mail_ports };
	c->libnids = nids_engine_create(&nids, &listener, &c->libnids_counters);
	if (c->libnids == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void
cross_check_expire(struct cross_check *c, int64_t clock_ns)
{
	nids_engine_expire(c->libnids, clock_ns);
}

void
cross_check_finish(struct cross_check *c)
{
	struct cross_session *s;

	nids_engine_finish(c->libnids);
	c->odd_fragments = false;
	s = c->oldest;
	while (s != NULL) {
		struct cross_session *newer = s->newer;

		if (!cross_is_held(s))
			cross_free_session(c, s);
		s = newer;
	}
}

void
cross_check_destroy(struct cross_check *c)
{
	if (c == NULL)
		return;
	nids_engine_finish(c->libnids);
	nids_engine_destroy(c->libnids);
	while (c->oldest != NULL)
		cross_free_session(c, c->oldest);
	free(c);
}

const struct cross_totals *
cross_check_totals(const struct cross_check *c)
{
	return &c->totals;
}
