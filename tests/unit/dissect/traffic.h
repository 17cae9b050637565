/*
 * A script as frames on a wire: plain, or as a tap may see it, cut anew, out
 * of order, repeated, in fragments, and behind any link header.
 *
 * Reordering is bounded: between the acknowledgement of a segment and that
 * segment come fewer than HOLE_PACKETS others (native_turn.c). And
 * acknowledgements are those that the receivers, to whom everything comes in
 * order, would send.
 */
#ifndef TESTS_UNIT_DISSECT_TRAFFIC_H
#define TESTS_UNIT_DISSECT_TRAFFIC_H

#include "dissect/packet.h"
#include "script.h"

#define PIECES_MAX 4096
#define MSS 1400
#define OVERTAKEN_BY 4
#define MS INT64_C(1000000)

/* A segment that is sent: octets `from` to `to` of its direction. */
struct piece {
	enum dir dir;
	uint8_t flags;
	uint32_t from, to;
	uint32_t acked; /* stream offset of the peer's */
	unsigned epoch; /* nothing overtakes from one into another */
	uint64_t place; /* in the epoch */
	uint16_t ident; /* a copy that a mirror made has the same */
	bool spoiled;	/* other octets under a wrong sum */
	bool forged;	/* the octet at t->forged_at is another one */
};

/* How the dialogue is disturbed; all 0: not at all. */
struct traffic {
	const struct script *script;
	struct chance *chance;
	bool cut, reorder, repeat, fragment, spoil;
	bool forge; /* one copy of negotiated octets, with one changed */
	bool v6, one_sided;
	enum dir side; /* that is captured, if it is one */
	uint16_t server_port;
	unsigned link; /* of traffic_links */
	uint32_t isn[2];

	struct piece pieces[PIECES_MAX];
	unsigned count, epoch;
	bool delayed;		    /* what is sent now may be */
	uint32_t sent[2], heard[2]; /* by direction: sent, acknowledged */
	/* A segment of the turn that was lost on its way to the tap, and is
	 * sent again at the end of it; empty: none. */
	uint32_t lost_from, lost_to;

	/* What was forged, if anything was. */
	bool forged;
	enum dir forged_dir;
	uint32_t forged_at;    /* stream offset */
	uint64_t forged_frame; /* that completed it */

	/* Takes the frames. */
	void (*sink)(void *context, const struct frame *);
	void *context;
	uint64_t frame;
	int64_t now_ns;
};

/* --- links --------------------------------------------------------------- */

enum link_kind {
	KIND_NONE,   /* the IP version says it */
	KIND_ETHER,  /* an EtherType */
	KIND_PPP,    /* a PPP protocol */
	KIND_FAMILY, /* of BSD, in four octets */
};

#define MAC_PAIR "\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
#define LITERAL(text) text, sizeof(text) - 1

/* What stands before and behind the octets that name the network layer. */
static const struct {
	uint32_t type;
	enum link_kind kind;
	const char *before;
	size_t before_bytes;
	const char *behind;
	size_t behind_bytes;
} traffic_links[] = {
	{ 1, KIND_ETHER, LITERAL(MAC_PAIR), "", 0 },
	{ 1, KIND_ETHER, LITERAL(MAC_PAIR "\x81\0\0\x07"), "", 0 },
	{ 1, KIND_ETHER, LITERAL(MAC_PAIR "\x88\xa8\0\x07\x81\0\0\x08"), "",
	    0 },
	{ 1, KIND_NONE,
	    LITERAL(MAC_PAIR "\x88\x47\0\x01\x20\x40\0\x01\x31\x40"), "", 0 },
	{ 1, KIND_PPP, LITERAL(MAC_PAIR "\x88\x64\x11\0\0\x01\0\0"), "", 0 },
	{ 113, KIND_ETHER, LITERAL("\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0"), "",
	    0 },
	{ 276, KIND_ETHER, "", 0,
	    LITERAL("\0\0\0\0\0\x02\0\x01\0\x06\x02\0\0\0\0\x01\0\0") },
	{ 101, KIND_NONE, "", 0, "", 0 },
	{ 0, KIND_FAMILY, "", 0, "", 0 },
	{ 108, KIND_FAMILY, "", 0, "", 0 },
	{ 9, KIND_PPP, LITERAL("\xff\x03"), "", 0 },
	{ 104, KIND_ETHER, LITERAL("\x0f\0"), "", 0 },
};
#define TRAFFIC_LINKS (sizeof(traffic_links) / sizeof(*traffic_links))

/* --- frames -------------------------------------------------------------- */

struct octets {
	uint8_t at[2048];
	size_t len;
};

static inline void
octets_add(struct octets *o, const void *bytes, size_t len)
{
	if (len > sizeof(o->at) - o->len)
		abort();
	if (len > 0)
		memcpy(o->at + o->len, bytes, len);
	o->len += len;
}

static inline void
octets_number(struct octets *o, uint64_t value, int octets)
{
	while (octets-- > 0) {
		uint8_t octet = (uint8_t)(value >> 8 * octets);

		octets_add(o, &octet, 1);
	}
}

/* RFC 1071, an octet at a time. */
static inline uint32_t
octets_sum(const uint8_t *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
	return sum;
}

/* Client and server; RFC 5737 and RFC 3849 have them for documents. */
static inline const uint8_t *
traffic_address(const struct traffic *t, enum dir to)
{
	static const uint8_t v4[2][4] = { { 198, 51, 100, 25 },
		{ 192, 0, 2, 1 } };
	static const uint8_t v6[2][16] = { { 0x20, 1, 0xd, 0xb8, [15] = 25 },
		{ 0x20, 1, 0xd, 0xb8, [15] = 1 } };

	return t->v6 ? v6[to] : v4[to];
}

static inline void
traffic_link(const struct traffic *t, struct octets *o)
{
	unsigned l = t->link;

	octets_add(o, traffic_links[l].before, traffic_links[l].before_bytes);
	if (traffic_links[l].kind == KIND_ETHER)
		octets_number(o, t->v6 ? 0x86dd : 0x0800, 2);
	else if (traffic_links[l].kind == KIND_PPP)
		octets_number(o, t->v6 ? 0x57 : 0x21, 2);
	else if (traffic_links[l].kind == KIND_FAMILY)
		octets_number(o, t->v6 ? 30 : 2, 4);
	octets_add(o, traffic_links[l].behind, traffic_links[l].behind_bytes);
}

static inline void
traffic_hand_on(struct traffic *t, const struct octets *o)
{
	uint8_t *exact = malloc(o->len); /* so that reads past it are seen */
	struct frame frame = { .wire_bytes = (uint32_t)o->len,
		.link_type = traffic_links[t->link].type,
		.number = ++t->frame,
		.run_number = t->frame,
		.capture_ts_ns = t->now_ns += MS };

	if (exact == NULL)
		abort();
	memcpy(exact, o->at, o->len);
	frame.bytes = slice_of(exact, o->len);
	t->sink(t->context, &frame);
	free(exact);
}

/* IPv4, or IPv6 with a fragment header if it is one. */
static inline void
traffic_ip(struct traffic *t, const struct piece *p, const uint8_t *tcp,
    size_t offset, size_t len, bool more)
{
	bool fragment = offset > 0 || more;
	struct octets o = { .len = 0 };

	traffic_link(t, &o);
	if (t->v6) {
		octets_number(&o, 0x60000000, 4);
		octets_number(&o, len + (fragment ? 8 : 0), 2);
		octets_number(&o, fragment ? 44 : 6, 1);
		octets_number(&o, 64, 1);
		octets_add(&o, traffic_address(t, dir_peer(p->dir)), 16);
		octets_add(&o, traffic_address(t, p->dir), 16);
		if (fragment) {
			octets_number(&o, 6 << 8, 2);
			octets_number(&o, offset | more, 2);
			octets_number(&o, p->ident, 4);
		}
	} else {
		octets_number(&o, 0x4500, 2);
		octets_number(&o, 20 + len, 2);
		octets_number(&o, p->ident, 2);
		octets_number(&o, offset / 8 | (more ? 0x2000 : 0), 2);
		octets_number(&o, 64 << 8 | 6, 2);
		octets_number(&o, 0, 2); /* its sum, at which nobody looks */
		octets_add(&o, traffic_address(t, dir_peer(p->dir)), 4);
		octets_add(&o, traffic_address(t, p->dir), 4);
	}
	octets_add(&o, tcp + offset, len);
	/* Ethernet pads what is shorter. */
	while (traffic_links[t->link].type == 1 && o.len < 60)
		octets_number(&o, 0, 1);
	traffic_hand_on(t, &o);
}

static inline void
traffic_fragments(struct traffic *t, const struct piece *p,
    const struct octets *tcp)
{
	size_t at[5] = { 0 };
	unsigned order[4], count = 0;

	while (count < 3 && tcp->len - at[count] > 16) {
		size_t most = (tcp->len - at[count] - 1) / 8;

		at[count + 1] = at[count] +
		    8 * chance_between(t->chance, 1, (uint32_t)most);
		count++;
	}
	at[++count] = tcp->len;
	for (unsigned i = 0; i < count; i++) {
		unsigned other = chance_below(t->chance, i + 1);

		order[i] = order[other];
		order[other] = i;
	}
	for (unsigned i = 0; i < count; i++)
		traffic_ip(t, p, tcp->at, at[order[i]],
		    at[order[i] + 1] - at[order[i]], order[i] + 1 < count);
}

static inline void
traffic_send(struct traffic *t, const struct piece *p)
{
	struct octets tcp = { .len = 0 };
	size_t len = p->to - p->from;
	uint32_t sum;

	if (t->one_sided && p->dir != t->side)
		return;
	octets_number(&tcp, p->dir == TO_SERVER ? 40000 : t->server_port, 2);
	octets_number(&tcp, p->dir == TO_SERVER ? t->server_port : 40000, 2);
	octets_number(&tcp,
	    t->isn[p->dir] + p->from + (p->flags & TCP_SYN ? 0 : 1), 4);
	octets_number(&tcp,
	    p->flags & TCP_ACK ? t->isn[dir_peer(p->dir)] + 1 + p->acked : 0,
	    4);
	octets_number(&tcp, 5 << 12 | p->flags, 2);
	octets_number(&tcp, 64240, 2);
	octets_number(&tcp, 0, 4);
	if (len > 0)
		octets_add(&tcp, t->script->stream[p->dir] + p->from, len);
	if (p->forged)
		tcp.at[20 + t->forged_at - p->from] ^= 1;
	sum = octets_sum(tcp.at, tcp.len, 6 + (uint32_t)tcp.len);
	sum = octets_sum(traffic_address(t, TO_SERVER), t->v6 ? 16 : 4, sum);
	sum = octets_sum(traffic_address(t, TO_CLIENT), t->v6 ? 16 : 4, sum);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	tcp.at[16] = (uint8_t)(~sum >> 8);
	tcp.at[17] = (uint8_t)~sum;
	if (p->spoiled)
		tcp.at[20 + chance_below(t->chance, (uint32_t)len)] ^= 0x20;
	if (t->fragment && tcp.len > 24 && chance_once_in(t->chance, 4))
		traffic_fragments(t, p, &tcp);
	else
		traffic_ip(t, p, tcp.at, 0, tcp.len, false);
	if (p->forged)
		t->forged_frame = t->frame;
}

/* --- pieces -------------------------------------------------------------- */

/*
 * Behind the negotiation only replies wait for what they answer, and inside
 * TLS nothing does (reassembly.h): there the tap sees the turns in order, or
 * a reply beside its command.
 */
static inline void
traffic_epoch(struct traffic *t, unsigned turn)
{
	const struct script *s = t->script;

	if (turn < s->settled)
		return;
	if (turn == s->settled || s->turns[turn].dir == TO_SERVER)
		t->epoch++;
	t->delayed = t->reorder && !s->tls;
}

static inline uint32_t
traffic_delay(struct traffic *t)
{
	return t->delayed ? chance_below(t->chance, 8 * OVERTAKEN_BY) : 0;
}

static inline struct piece *
traffic_piece(struct traffic *t, enum dir dir, uint8_t flags, uint32_t from,
    uint32_t to)
{
	struct piece *p = &t->pieces[t->count];

	if (t->count == PIECES_MAX)
		abort();
	*p = (struct piece){ .dir = dir,
		.flags = flags,
		.from = from,
		.to = to,
		.acked = t->heard[dir_peer(dir)],
		.epoch = t->epoch,
		.place = t->count * 8 + traffic_delay(t),
		.ident = (uint16_t)++t->count };
	return p;
}

/* Octets of late, in one piece, as a sender does that misses an answer. */
static inline void
traffic_again(struct traffic *t, enum dir dir)
{
	uint32_t all = t->sent[dir];
	uint32_t from =
	    all - chance_between(t->chance, 1, all < MSS ? all : MSS);

	traffic_piece(t, dir, TCP_ACK, from,
	    chance_between(t->chance, from + 1, all));
}

/* What the last piece said, with one octet changed, and other borders. An octet
 * by itself would be a keep-alive (RFC 9293 3.8.4). */
static inline void
traffic_forge(struct traffic *t, enum dir dir)
{
	struct piece last = t->pieces[t->count - 1], *forged;
	uint32_t len = last.to - last.from;

	if (len < 3 || (t->one_sided && dir != t->side))
		return;
	t->forged = true;
	t->forged_dir = dir;
	t->forged_at = chance_between(t->chance, last.from + 1, last.to - 2);
	forged = traffic_piece(t, dir, TCP_ACK,
	    chance_between(t->chance, last.from, t->forged_at),
	    chance_between(t->chance, t->forged_at + 2, last.to));
	forged->acked = last.acked;
	forged->place = last.place + 1; /* it comes second */
	forged->forged = true;
}

/* A copy of the last piece: a mirror's, or one that was damaged. */
static inline void
traffic_copy(struct traffic *t, bool spoiled)
{
	struct piece last = t->pieces[t->count - 1];
	struct piece *copy =
	    traffic_piece(t, last.dir, last.flags, last.from, last.to);

	copy->acked = last.acked;
	copy->ident = spoiled ? copy->ident : last.ident;
	copy->spoiled = spoiled;
}

static inline void
traffic_after(struct traffic *t, enum dir dir, bool settled)
{
	if (t->forge && !t->forged && !settled && chance_once_in(t->chance, 4))
		traffic_forge(t, dir);
	/* Sums are looked at within the negotiation only (design 5). */
	if (t->spoil && !settled && chance_once_in(t->chance, 6))
		traffic_copy(t, true);
	if (t->repeat && chance_once_in(t->chance, 6))
		traffic_copy(t, false);
	if (t->repeat && chance_once_in(t->chance, 4))
		traffic_again(t, dir);
	/* What was heard is acknowledged at once, or with what is said. */
	if (t->cut && chance_once_in(t->chance, 3)) {
		t->heard[dir] = t->lost_from < t->lost_to ? t->lost_from :
							    t->sent[dir];
		traffic_piece(t, dir_peer(dir), TCP_ACK, t->sent[dir_peer(dir)],
		    t->sent[dir_peer(dir)]);
	}
}

static inline void
traffic_turn(struct traffic *t, enum dir dir, uint32_t to, bool settled)
{
	uint32_t all = to - t->sent[dir];
	uint32_t most = t->cut ? 1u << chance_below(t->chance, 11) : MSS;

	if (most < all / 50)
		most = all / 50; /* not thousands */
	while (t->sent[dir] < to) {
		uint32_t from = t->sent[dir], left = to - from;
		uint32_t len = t->cut ? chance_between(t->chance, 1, most) :
					most;

		t->sent[dir] += len < left ? len : left;
		if (t->delayed && t->lost_to == 0 &&
		    chance_once_in(t->chance, 8)) {
			t->lost_from = from;
			t->lost_to = t->sent[dir];
			continue;
		}
		traffic_piece(t, dir, TCP_ACK, from, t->sent[dir]);
		traffic_after(t, dir, settled);
	}
	if (t->lost_to > 0)
		traffic_piece(t, dir, TCP_ACK, t->lost_from, t->lost_to);
	t->lost_from = t->lost_to = 0;
	t->heard[dir] = t->sent[dir];
}

static inline int
traffic_compare(const void *left, const void *right)
{
	const struct piece *a = left, *b = right;

	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	return (a->place > b->place) - (a->place < b->place);
}

/* SYN, SYN-ACK and ACK; or FIN each way, and the last acknowledgement. */
static inline void
traffic_shake(struct traffic *t, uint8_t flag)
{
	uint32_t *sent = t->sent, *heard = t->heard;

	for (int dir = TO_SERVER; dir <= TO_CLIENT; dir++) {
		bool first_syn = flag == TCP_SYN && dir == TO_SERVER;

		traffic_piece(t, (enum dir)dir,
		    first_syn ? TCP_SYN : flag | TCP_ACK, sent[dir], sent[dir]);
		heard[dir] = sent[dir] += flag == TCP_FIN;
	}
	traffic_piece(t, TO_SERVER, TCP_ACK, sent[TO_SERVER], sent[TO_SERVER]);
	t->epoch++;
}

/* The whole dialogue, on the wire. */
static inline void
traffic_run(struct traffic *t)
{
	const struct script *s = t->script;

	traffic_shake(t, TCP_SYN);
	t->delayed = t->reorder;
	for (unsigned i = 0; i < s->count; i++) {
		traffic_epoch(t, i);
		traffic_turn(t, s->turns[i].dir, s->turns[i].to,
		    i >= s->settled);
	}
	traffic_shake(t, TCP_FIN);
	qsort(t->pieces, t->count, sizeof(*t->pieces), traffic_compare);
	for (unsigned i = 0; i < t->count; i++)
		traffic_send(t, &t->pieces[i]);
}

#endif
