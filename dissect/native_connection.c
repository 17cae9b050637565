/* Which flow a segment belongs to, and where its streams begin. */
#include "native_flow.h"

static bool
is_mail_port(const struct native *n, uint16_t port)
{
	return n->config.mail_ports[port / 8] >> (port % 8) & 1;
}

static struct flow *
add_flow(struct native *n, const struct packet *p, enum dir dir)
{
	struct flow *f = flow_table_add(n->flows, p, dir);

	if (f == NULL) {
		native_shed_one(n);
		f = flow_table_add(n->flows, p, dir);
		if (f == NULL)
			return NULL;
	}
	f->on_mail_port = is_mail_port(n, f->ends[TO_SERVER].port);
	f->last_ns = p->capture_ts_ns;
	f->seen_ns = p->clock_ns;
	count(n->counters, COUNTER_FLOWS);
	return f;
}

/* A flow of which nobody saw the start: the mail port is the server's, or
 * else the lower one. */
static enum dir
midstream_dir(const struct native *n, const struct packet *p)
{
	bool src = is_mail_port(n, p->src.port);
	bool dst = is_mail_port(n, p->dst.port);

	if (src != dst)
		return src ? TO_CLIENT : TO_SERVER;
	return p->src.port < p->dst.port ? TO_CLIENT : TO_SERVER;
}

struct flow *
native_open_flow(struct native *n, const struct packet *p, enum dir *dir)
{
	bool mail = is_mail_port(n, p->src.port) ||
	    is_mail_port(n, p->dst.port);
	bool dns = p->src.port == DNS_PORT || p->dst.port == DNS_PORT;
	struct flow *f;

	if (p->flags & TCP_RST || (!mail && !dns && !n->config.any_port))
		return NULL;
	if (p->flags & TCP_SYN) {
		*dir = p->flags & TCP_ACK ? TO_CLIENT : TO_SERVER;
		return add_flow(n, p, *dir);
	}
	if (!mail || p->payload_wire_bytes == 0)
		return NULL;
	*dir = midstream_dir(n, p);
	f = add_flow(n, p, *dir);
	if (f != NULL) {
		f->midstream = true;
		count(n->counters, COUNTER_MIDSTREAM);
	}
	return f;
}

/* Has anything but the client's SYN been seen of the connection? */
static bool
is_established(const struct flow *f)
{
	return !flow_is_over(f) &&
	    (f->session != NULL || f->dirs[TO_CLIENT].seen) &&
	    !f->dirs[0].finished && !f->dirs[1].finished && !f->reset;
}

/* False: a SYN of another connection on the five-tuple. */
static bool
note_syn(struct flow *f, enum dir dir, const struct packet *p)
{
	struct direction *d = &f->dirs[dir];

	if (d->has_isn)
		return d->base == p->seq + 1;
	/* A flow that was picked up before its SYN, out of order? */
	if (d->seen && d->has_base && d->base != p->seq + 1)
		return false;
	if (!d->seen)
		set_base(d, p->seq + 1);
	d->has_isn = d->seen = true;
	if (f->dirs[TO_SERVER].has_isn || f->dirs[TO_CLIENT].has_isn)
		f->midstream = false;
	return true;
}

/* Of several SYNs the server answers one. */
static void
settle_client_isn(struct flow *f, enum dir dir, const struct packet *p)
{
	struct direction *client = &f->dirs[TO_SERVER];

	if (dir != TO_CLIENT || !(p->flags & TCP_SYN) ||
	    !(p->flags & TCP_ACK) || f->session != NULL ||
	    native_first_waiting(client) != NULL || !client->has_isn)
		return;
	set_base(client, p->ack);
}

/* What the handshake's other half would have said. */
static void
infer_peer_base(struct flow *f, enum dir dir, const struct packet *p)
{
	struct direction *peer = &f->dirs[dir_peer(dir)];

	if (!(p->flags & TCP_ACK) || peer->has_base || p->ack == 0)
		return;
	set_base(peer, p->ack);
	if (p->flags & TCP_SYN ||
	    (f->dirs[dir].has_isn && f->dirs[dir].offset == 0 &&
		p->seq == f->dirs[dir].base))
		peer->has_isn = true;
}

/* Whatever is left of the connection on the packet's five-tuple goes. */
static void
forget_flow(struct native *n, const struct packet *p, enum dir *dir)
{
	struct flow *f = flow_table_find(n->flows, p, dir);

	if (f == NULL)
		return;
	native_end_lingering(n, f);
	flow_table_remove(n->flows, f);
}

/* Another connection takes the place of the one that is remembered. */
static struct flow *
reopen(struct native *n, struct flow *f, const struct packet *p, enum dir *dir)
{
	if (f->class != FLOW_CLOSED)
		native_close_flow(n, f, ENDING_REUSED, TO_SERVER, origin_of(p));
	forget_flow(n, p, dir);
	return native_open_flow(n, p, dir);
}

/*
 * Anybody can forge a SYN amid a session; the receiver challenges it
 * (RFC 5961 4). A new connection on the same ports begins when the server
 * acknowledges that SYN, or, where only the client is seen, when the client
 * goes on from it. Is this such a packet?
 */
static bool
confirms_rival(const struct flow *f, enum dir dir, const struct packet *p)
{
	if (!f->has_rival || flow_is_over(f))
		return false;
	if (dir == TO_CLIENT)
		return p->flags & TCP_ACK && p->ack == f->rival_isn + 1;
	return !(p->flags & TCP_SYN) && one_sided(f) &&
	    p->seq == f->rival_isn + 1;
}

static struct flow *
take_rival(struct native *n, struct flow *f, const struct packet *p,
    enum dir *dir)
{
	uint32_t isn = f->rival_isn;
	bool on_mail_port = f->on_mail_port;
	struct direction *client;

	native_close_flow(n, f, ENDING_REUSED, TO_SERVER, origin_of(p));
	forget_flow(n, p, dir);
	f = add_flow(n, p, *dir);
	if (f == NULL)
		return NULL;
	f->on_mail_port = on_mail_port;
	client = &f->dirs[TO_SERVER];
	set_base(client, isn + 1);
	client->has_isn = client->seen = client->captured = true;
	if (p->flags & TCP_SYN)
		note_syn(f, *dir, p);
	return f;
}

/* The flow that the packet belongs to; NULL: to none that is followed. */
static struct flow *
flow_of_syn(struct native *n, struct flow *f, const struct packet *p,
    enum dir *dir)
{
	if (note_syn(f, *dir, p))
		return f;
	/* A SYN-ACK of another connection belongs to none we know. */
	if (p->flags & TCP_ACK && !flow_is_over(f))
		return NULL;
	if (is_established(f)) {
		count(n->counters, COUNTER_RIVAL_SYN);
		f->rival_isn = p->seq;
		f->has_rival = true;
		return NULL;
	}
	f = reopen(n, f, p, dir);
	if (f != NULL)
		note_syn(f, *dir, p);
	return f;
}

struct flow *
native_settle_flow(struct native *n, struct flow *f, const struct packet *p,
    enum dir *dir)
{
	if (confirms_rival(f, *dir, p))
		return take_rival(n, f, p, dir);
	return p->flags & TCP_SYN ? flow_of_syn(n, f, p, dir) : f;
}

void
native_settle_bases(struct flow *f, enum dir dir, const struct packet *p)
{
	settle_client_isn(f, dir, p);
	infer_peer_base(f, dir, p);
}
