#include "nids.h"

#include <stdlib.h>

/* Before nids.h, which uses BSD's names of integers. */
#include <sys/types.h>

#include <nids.h>

#include "datagram.h"

#define NS_PER_S INT64_C(1000000000)
#define IDLE_NS (3600 * NS_PER_S) /* as the native engine has it */
/* Hosts whose sums are not verified; with more, nobody's are. */
#define OFFLOADING_MAX 64
/* What libnids calls the state of an end that has sent its FIN: seen,
 * acknowledged, and seen behind a hole. */
#define END_FIN_SENT 120
#define END_FIN_CONFIRMED 121
#define END_CLOSING TCP_CLOSING

/* A connection that is delivered; from the oldest to the youngest activity. */
struct nids_flow {
	struct nids_flow *older, *newer;
	struct tcp_stream *tcp;
	void *session; /* NULL: not a payload octet yet */
	struct flow_identity identity;
	uint64_t delivered[2];
	int64_t last_ns; /* capture time of its last packet */
	int64_t seen_ns; /* the same by the clock that never goes back */
	uint64_t last_frame;
	uint32_t capture; /* of its last packet */
	bool finished, first_fin_by_server;
};

struct nids_engine {
	struct nids_config config;
	struct stream_listener listener;
	struct counters *counters;
	pcap_t *no_capture; /* tells libnids the link type, no more */
	bool running;
	struct nids_flow *oldest, *youngest;
	const struct packet *packet; /* that libnids works on */
	unsigned refused;
	struct pcap_pkthdr header;
	struct nids_chksum_ctl offloading[OFFLOADING_MAX + 1];
	int offloading_count;
	/* libnids reads it through structures, so it has to be aligned, and
	 * beyond the end of a cut header. */
	_Alignas(16) uint8_t datagram[DATAGRAM_MAX_BYTES + 64];
};

/* libnids' callbacks come without a context. */
static struct nids_engine *instance;

/* --- what libnids says --------------------------------------------------- */

static void
on_complaint(int type, int number, void *header, void *data)
{
	static const unsigned reasons[] = {
		[NIDS_WARN_IP_OVERSIZED] = NIDS_FRAGMENTS,
		[NIDS_WARN_IP_INVLIST] = NIDS_FRAGMENTS,
		[NIDS_WARN_IP_OVERLAP] = NIDS_FRAGMENTS,
		[NIDS_WARN_IP_HDR] = NIDS_CUT,
		[NIDS_WARN_IP_SRR] = NIDS_SOURCE_ROUTE,
		[NIDS_WARN_TCP_TOOMUCH] = NIDS_TABLE,
		[NIDS_WARN_TCP_HDR] = NIDS_SUM,
		[NIDS_WARN_TCP_BIGQUEUE] = NIDS_QUEUE,
	};

	(void)type;
	(void)header;
	(void)data;
	if (number >= 0 && (size_t)number < sizeof(reasons) / sizeof(*reasons))
		instance->refused |= reasons[number];
}

/* libnids goes on with the null pointer when this returns. */
static void
on_no_memory(char *where)
{
	(void)where;
	abort();
}

static struct origin
origin_now(const struct nids_engine *e)
{
	const struct packet *p = e->packet;

	if (p == NULL)
		return (struct origin){ .run_frame = UINT64_MAX };
	return (struct origin){ p->number, p->run_number, p->capture_ts_ns, 0,
		p->capture, false };
}

/* The ends by the direction of what they send. */
static const struct half_stream *
sender(const struct nids_flow *f, enum dir dir)
{
	return dir == TO_SERVER ? &f->tcp->client : &f->tcp->server;
}

static const struct half_stream *
receiver(const struct nids_flow *f, enum dir dir)
{
	return sender(f, dir_peer(dir));
}

/* The sequence number of the first octet that stream `dir` waits for. */
static uint32_t
next_of(const struct nids_flow *f, enum dir dir)
{
	const struct half_stream *to = receiver(f, dir);

	return sender(f, dir)->first_data_seq + (uint32_t)to->count +
	    (uint32_t)to->urg_count;
}

/* How far stream `dir` is acknowledged, if it is delivered up to `upto`. */
static uint64_t
acked_offset(const struct nids_flow *f, enum dir dir, uint64_t upto)
{
	const struct half_stream *to = receiver(f, dir);
	int64_t ahead = (int32_t)(to->ack_seq - next_of(f, dir));

	if (ahead < 0 && (uint64_t)-ahead > upto)
		return 0;
	return upto + (uint64_t)ahead;
}

static void
acked_offsets(const struct nids_flow *f, uint64_t acked[2])
{
	for (int dir = 0; dir < 2; dir++)
		acked[dir] = acked_offset(f, (enum dir)dir, f->delivered[dir]);
}

/* --- flows --------------------------------------------------------------- */

static void
unlink_flow(struct nids_engine *e, struct nids_flow *f)
{
	*(f->older != NULL ? &f->older->newer : &e->oldest) = f->newer;
	*(f->newer != NULL ? &f->newer->older : &e->youngest) = f->older;
}

static void
link_youngest(struct nids_engine *e, struct nids_flow *f)
{
	f->older = e->youngest;
	f->newer = NULL;
	*(f->older != NULL ? &f->older->newer : &e->oldest) = f;
	e->youngest = f;
}

static void
touch(struct nids_engine *e, struct nids_flow *f)
{
	f->last_ns = e->packet->capture_ts_ns;
	f->last_frame = e->packet->number;
	f->capture = e->packet->capture;
	f->seen_ns = e->packet->clock_ns;
	unlink_flow(e, f);
	link_youngest(e, f);
}

static void
close_session(struct nids_engine *e, struct nids_flow *f, enum ending ending,
    enum dir who)
{
	struct origin at = origin_now(e);
	uint64_t acked[2];

	if (e->packet == NULL) {
		at.capture_ts_ns = f->last_ns;
		at.frame = f->last_frame;
		at.capture = f->capture;
	}
	acked_offsets(f, acked);
	at.stream_offset = f->delivered[who];
	e->listener.closed(e->listener.context, f->session, ending, who, acked,
	    &at);
	f->session = NULL;
}

/* libnids' own stream lives on, and is nothing to us any more. */
static void
drop_flow(struct nids_engine *e, struct nids_flow *f)
{
	f->tcp->user = NULL;
	f->tcp->client.collect = f->tcp->server.collect = 0;
	unlink_flow(e, f);
	free(f);
}

static bool
has_finished(const struct half_stream *end)
{
	return end->state == END_FIN_SENT || end->state == END_FIN_CONFIRMED ||
	    end->state == END_CLOSING;
}

static void
end_flow(struct nids_engine *e, struct nids_flow *f, enum ending ending)
{
	enum dir who = f->first_fin_by_server ? TO_CLIENT : TO_SERVER;

	if (ending == ENDING_RST)
		who = endpoint_equal(&e->packet->src, &f->identity.server) ?
		    TO_CLIENT :
		    TO_SERVER;
	else if (ending != ENDING_EVICTED &&
	    (has_finished(&f->tcp->client) || has_finished(&f->tcp->server)))
		ending = ENDING_FIN;
	if (f->session != NULL)
		close_session(e, f, ending, who);
	drop_flow(e, f);
}

/* --- streams ------------------------------------------------------------- */

static bool
is_mail_port(const struct nids_engine *e, uint16_t port)
{
	return e->config.mail_ports[port / 8] >> (port % 8) & 1;
}

static bool
is_dns(const struct nids_engine *e, uint16_t port)
{
	return e->config.dns && port == DNS_PORT;
}

static struct endpoint
endpoint_of(u_int address, u_short port)
{
	struct endpoint end = { { { 0 }, 4 }, port };

	memcpy(end.address.octets, &address, 4);
	return end;
}

static void
on_established(struct nids_engine *e, struct tcp_stream *tcp)
{
	bool mail = is_mail_port(e, tcp->addr.dest);
	struct nids_flow *f;

	if (!mail && !is_dns(e, tcp->addr.dest) && !e->config.any_port)
		return;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return;
	f->tcp = tcp;
	f->identity.client = endpoint_of(tcp->addr.saddr, tcp->addr.source);
	f->identity.server = endpoint_of(tcp->addr.daddr, tcp->addr.dest);
	f->identity.client_isn = tcp->client.first_data_seq - 1;
	f->identity.server_isn = tcp->server.first_data_seq - 1;
	f->identity.has_client_isn = f->identity.has_server_isn = true;
	f->identity.on_mail_port = mail;
	tcp->user = f;
	tcp->client.collect = tcp->server.collect = 1;
	link_youngest(e, f);
	touch(e, f);
	count(e->counters, COUNTER_FLOWS);
}

/* Sessions begin with the first octet; off the mail ports a server speaks
 * first, or it is no SMTP (nor DNS). */
static bool
open_session(struct nids_engine *e, struct nids_flow *f, enum dir dir,
    const struct origin *at)
{
	struct flow_start start = { .identity = f->identity };

	if (f->session == NULL &&
	    (f->identity.on_mail_port || dir == TO_CLIENT ||
		is_dns(e, f->identity.server.port)))
		f->session =
		    e->listener.opened(e->listener.context, &start, at);
	return f->session != NULL;
}

static void
deliver(struct nids_engine *e, struct nids_flow *f, enum dir dir)
{
	const struct half_stream *half = receiver(f, dir);
	size_t fresh = (size_t)half->count_new;
	struct slice bytes = slice_of(half->data +
		(half->count - half->offset) - half->count_new,
	    fresh);
	struct origin at = origin_now(e);
	enum interest interest;
	uint64_t acked[2];

	if (!open_session(e, f, dir, &at)) {
		drop_flow(e, f);
		return;
	}
	at.stream_offset = f->delivered[dir];
	f->delivered[dir] += fresh;
	if (e->listener.acked != NULL) {
		acked_offsets(f, acked);
		e->listener.acked(e->listener.context, f->session, acked);
	}
	interest =
	    e->listener.bytes(e->listener.context, f->session, dir, bytes, &at);
	if (interest == INTEREST_NONE)
		end_flow(e, f, ENDING_FIN);
}

/* After FINs with a hole before them, or to make room for another one. */
static void
on_given_up(struct nids_engine *e, struct nids_flow *f)
{
	static const enum counter counters[WORTHS] = {
		[WORTH_OPAQUE] = COUNTER_FLOW_EVICTED_OPAQUE,
		[WORTH_UNKNOWN] = COUNTER_FLOW_EVICTED_OTHER,
		[WORTH_GREETED] = COUNTER_FLOW_EVICTED_GREETED,
		[WORTH_NEGOTIATING] = COUNTER_FLOW_EVICTED_NEGOTIATING,
	};
	enum worth worth = WORTH_UNKNOWN;

	if (has_finished(&f->tcp->client) && has_finished(&f->tcp->server)) {
		end_flow(e, f, ENDING_FIN);
		return;
	}
	if (f->session != NULL)
		worth = e->listener.worth(e->listener.context, f->session);
	count(e->counters, counters[worth]);
	end_flow(e, f, ENDING_EVICTED);
}

static void
on_stream(struct tcp_stream *tcp, void **unused)
{
	struct nids_flow *f = tcp->user;

	(void)unused;
	if (tcp->nids_state == NIDS_JUST_EST)
		on_established(instance, tcp);
	if (f == NULL)
		return;
	switch (tcp->nids_state) {
	case NIDS_DATA:
		if (tcp->server.count_new > 0)
			deliver(instance, f, TO_SERVER);
		else if (tcp->client.count_new > 0)
			deliver(instance, f, TO_CLIENT);
		break;
	case NIDS_CLOSE:
		end_flow(instance, f, ENDING_FIN);
		break;
	case NIDS_RESET:
		end_flow(instance, f, ENDING_RST);
		break;
	case NIDS_TIMED_OUT:
		on_given_up(instance, f);
		break;
	default:
		break;
	}
}

/* --- packets ------------------------------------------------------------- */

static bool
is_offloading(const struct nids_engine *e, const struct packet *p)
{
	u_int address;

	memcpy(&address, p->src.address.octets, 4);
	for (int i = 0; i < e->offloading_count; i++)
		if ((address & e->offloading[i].mask) ==
		    e->offloading[i].netaddr)
			return true;
	return false;
}

/* A host whose first segment has a wrong sum: see nids.h. */
static void
note_offloading(struct nids_engine *e, const struct packet *p)
{
	struct nids_chksum_ctl *last = &e->offloading[e->offloading_count];
	u_int address;

	if (is_offloading(e, p))
		return;
	memcpy(&address, p->src.address.octets, 4);
	last->netaddr = e->offloading_count < OFFLOADING_MAX ? address : 0;
	last->mask = e->offloading_count < OFFLOADING_MAX ? UINT32_MAX : 0;
	last->action = NIDS_DONT_CHKSUM;
	nids_register_chksum_ctl(e->offloading, ++e->offloading_count);
}

static struct tcp_stream *
find_stream(const struct packet *p, bool *from_client)
{
	struct tuple4 there = { p->src.port, p->dst.port, 0, 0 };
	struct tuple4 back = { p->dst.port, p->src.port, 0, 0 };
	struct tcp_stream *tcp;

	memcpy(&there.saddr, p->src.address.octets, 4);
	memcpy(&there.daddr, p->dst.address.octets, 4);
	back.saddr = there.daddr;
	back.daddr = there.saddr;
	tcp = nids_find_tcp_stream(&there);
	*from_client = tcp != NULL;
	return tcp != NULL ? tcp : nids_find_tcp_stream(&back);
}

/* What libnids will not say: the two reasons for which it silently drops a
 * segment of a connection that it knows. */
static unsigned
silent_refusal(const struct tcp_stream *tcp, bool from_client,
    const struct packet *p)
{
	const struct half_stream *snd = from_client ? &tcp->client :
						      &tcp->server;
	const struct half_stream *rcv = from_client ? &tcp->server :
						      &tcp->client;
	uint32_t end = rcv->ack_seq + (uint32_t)rcv->window * rcv->wscale;

	if (p->flags & TCP_SYN)
		return 0;
	if ((int32_t)(p->seq - end) >= 0 &&
	    (p->payload_wire_bytes > 0 || p->seq != rcv->ack_seq))
		return NIDS_WINDOW;
	if (rcv->ts_on && p->has_ts &&
	    (int32_t)(p->ts_value - snd->curr_ts) < 0)
		return NIDS_TIMESTAMP;
	return 0;
}

static void
before_segment(struct nids_engine *e, const struct packet *p)
{
	bool from_client;
	struct tcp_stream *tcp = find_stream(p, &from_client);
	struct nids_flow *f;

	if (p->flags & TCP_SYN && packet_sum(p) == SUM_WRONG)
		note_offloading(e, p);
	if (tcp == NULL)
		return;
	e->refused |= silent_refusal(tcp, from_client, p);
	f = tcp->user;
	if (f == NULL)
		return;
	touch(e, f);
	if (p->flags & TCP_FIN && !f->finished) {
		f->finished = true;
		f->first_fin_by_server = !from_client;
	}
}

static void
after_segment(const struct nids_engine *e, const struct packet *p)
{
	bool from_client;
	struct tcp_stream *tcp = find_stream(p, &from_client);
	struct nids_flow *f = tcp != NULL ? tcp->user : NULL;
	enum dir dir = from_client ? TO_SERVER : TO_CLIENT;
	enum sum sum = SUM_RIGHT;
	struct sent sent;

	if (f == NULL || f->session == NULL || !segment_tells(p) ||
	    e->listener.segment == NULL)
		return;
	if (e->refused & NIDS_SUM)
		sum = SUM_WRONG;
	else if (e->refused & NIDS_CUT || is_offloading(e, p))
		sum = SUM_UNKNOWN;
	sent = (struct sent){ sender(f, dir)->first_data_seq, next_of(f, dir),
		receiver(f, dir)->ack_seq, true };
	e->listener.segment(e->listener.context, f->session, dir, p, sum,
	    &sent);
}

static bool
start(struct nids_engine *e)
{
	size_t streams = e->config.flows_max < NIDS_STREAMS_MAX ?
	    e->config.flows_max :
	    NIDS_STREAMS_MAX;

	/* It gives up the oldest when three quarters are taken. */
	nids_params.n_tcp_streams = (int)(streams * 4 / 3 + 4);
	nids_params.scan_num_hosts = 0;
	nids_params.syslog = on_complaint;
	nids_params.no_mem = on_no_memory;
	nids_params.tcp_workarounds = 1; /* ends what has FINs and a hole */
	nids_params.pcap_desc = e->no_capture;
	if (!nids_init())
		return false;
	nids_register_tcp((void *)on_stream);
	nids_register_chksum_ctl(e->offloading, e->offloading_count);
	e->running = true;
	return true;
}

unsigned
nids_engine_packet(struct nids_engine *e, const struct packet *p)
{
	size_t captured;

	if (p->ip == NULL || (!e->running && !start(e)))
		return 0;
	e->packet = p;
	e->refused = 0;
	captured = datagram_copy(p, e->datagram);
	if (captured == 0) {
		e->refused = NIDS_CUT;
	} else {
		e->header.ts.tv_sec = p->capture_ts_ns / NS_PER_S;
		e->header.ts.tv_usec = p->capture_ts_ns % NS_PER_S / 1000;
		e->header.caplen = e->header.len = (bpf_u_int32)captured;
		if (p->kind == PACKET_TCP)
			before_segment(e, p);
		nids_pcap_handler(NULL, &e->header, e->datagram);
		if (p->kind == PACKET_TCP)
			after_segment(e, p);
	}
	e->packet = NULL;
	if (e->refused != 0)
		count(e->counters, COUNTER_NIDS_REFUSED);
	return e->refused;
}

/* --- life ---------------------------------------------------------------- */

void
nids_engine_expire(struct nids_engine *e, int64_t clock_ns)
{
	while (e->oldest != NULL &&
	    elapsed_ns(e->oldest->seen_ns, clock_ns) > IDLE_NS) {
		struct tcp_stream *tcp = e->oldest->tcp;

		end_flow(e, e->oldest, ENDING_EXPIRED);
		nids_free_tcp_stream(tcp);
	}
}

static void
halt(struct nids_engine *e)
{
	if (!e->running)
		return;
	nids_unregister_tcp((void *)on_stream);
	nids_exit();
	e->running = false;
	e->offloading_count = 0; /* another capture, other hosts */
}

void
nids_engine_finish(struct nids_engine *e)
{
	/* Not left to libnids, whose order is another one in each run. */
	while (e->oldest != NULL)
		end_flow(e, e->oldest, ENDING_CAPTURE_END);
	halt(e);
}

struct nids_engine *
nids_engine_create(const struct nids_config *config,
    const struct stream_listener *listener, struct counters *counters)
{
	struct nids_engine *e;

	if (instance != NULL || (e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	instance = e;
	e->config = *config;
	e->listener = *listener;
	e->counters = counters;
	e->no_capture = pcap_open_dead(DLT_RAW, DATAGRAM_MAX_BYTES);
	if (e->no_capture == NULL || !start(e)) {
		nids_engine_destroy(e);
		return NULL;
	}
	return e;
}

void
nids_engine_destroy(struct nids_engine *e)
{
	if (e == NULL)
		return;
	while (e->oldest != NULL)
		drop_flow(e, e->oldest);
	halt(e);
	nids_register_chksum_ctl(NULL, 0);
	if (e->no_capture != NULL)
		pcap_close(e->no_capture);
	instance = NULL;
	free(e);
}
