#include "shard.h"

#include <stdlib.h>

#include "cross_check.h"
#include "dns_watch.h"
#include "fetch.h"
#include "fragment.h"
#include "native.h"
#include "nids.h"
#include "second_reading.h"

/* Floors, so that the smallest budget still works a flow. */
#define FLOWS_MIN 1
#define BYTES_MIN 8192
/* A packet makes one session ask for more: more than give it back again. */
#define RELIEVED_MAX 4
/* Packets until it is tried again, if there was nothing to shed. */
#define RELIEF_PAUSE 64

/* Negotiations that ended in TLS and may still have copies; how much of them
 * is kept. */
#define RECENT_MAX 16
#define OPAQUE_TAPE_BYTES 2048

/* A session and its log, in one piece of memory. */
struct entry {
	struct entry *next; /* while it is spare */
	struct fact_log log;
	struct segment_watch watch;
	struct cross_session *cross;
	struct dns_stream *dns; /* NULL: it speaks SMTP */
	bool counted, opaque, lingers;
	_Alignas(16) uint8_t session[];
};

/* A session that went opaque a short time ago. */
struct recent {
	struct entry *entry;
	uint64_t session;
};

struct shard {
	unsigned id;
	const struct shard_config *config;
	uint64_t serial;
	struct counters counters;
	struct fact_pool *pool;
	struct dns_watch *dns;
	struct fragments *fragments;
	struct native *native;
	struct nids_engine *nids; /* NULL: native works */
	struct entry *spare;
	struct recent recent[RECENT_MAX];
	unsigned relief_pause;
	unsigned recent_count;
	uint8_t mail_ports[8192];
};

static struct smtp_session *
session_of(struct entry *entry)
{
	return (struct smtp_session *)(void *)entry->session;
}

static void
make_spare(struct shard *shard, struct entry *entry)
{
	entry->log.session = 0; /* of no handle: it is spare */
	entry->next = shard->spare;
	shard->spare = entry;
}

/* Of DNS only what begins in the capture is read: where a message starts
 * nothing else says. */
static void *
open_dns(struct shard *shard, struct entry *entry,
    const struct flow_start *start)
{
	entry->cross = NULL;
	entry->log = (struct fact_log){ 0 };
	if (!start->midstream)
		entry->dns = dns_stream_open(shard->dns, &start->identity);
	if (entry->dns != NULL)
		return entry;
	make_spare(shard, entry);
	return NULL;
}

static enum interest
feed_dns(struct entry *entry, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	return dns_stream_feed(entry->dns, dir, bytes, at) ? INTEREST_BYTES :
							     INTEREST_NONE;
}

static void *
on_opened(void *context, const struct flow_start *start,
    const struct origin *at)
{
	struct shard *shard = context;
	struct entry *entry = shard->spare;

	(void)at;
	if (entry != NULL)
		shard->spare = entry->next;
	else
		entry = malloc(sizeof(*entry) + smtp_session_bytes());
	if (entry == NULL)
		return NULL;
	entry->counted = entry->opaque = entry->lingers = false;
	entry->dns = NULL;
	if (start->identity.server.port == DNS_PORT)
		return open_dns(shard, entry, start);
	entry->cross = shard->config->cross_check == NULL ?
	    NULL :
	    cross_check_opened(shard->config->cross_check, start);
	fact_log_open(&entry->log, shard->pool,
	    (uint64_t)shard->id << 56 | ++shard->serial);
	if (start->midstream)
		entry->log.observability |= OBS_MIDSTREAM;
	segment_watch_open(&entry->watch, shard->pool);
	smtp_session_open(entry->session, &entry->log, &shard->config->smtp,
	    start);
	return entry;
}

static void
count_session(struct shard *shard, struct entry *entry)
{
	if (entry->counted || !smtp_session_recognised(session_of(entry)))
		return;
	entry->counted = true;
	count(&shard->counters, COUNTER_SESSIONS);
}

/* What the packets told of the negotiation goes into the session's facts. */
static void
end_watch(struct shard *shard, struct entry *entry)
{
	struct flow_start start;

	if (entry->watch.copies > 0) {
		start = smtp_session_start(session_of(entry));
		second_reading(&entry->watch, &start, &shard->config->smtp,
		    shard->mail_ports, &entry->log);
	}
	segment_watch_close(&entry->watch);
}

/*
 * Inside TLS a session has no use for its tape but for copies that come late.
 * The last few negotiations of the shard keep theirs for that, or what stands
 * before the ClientHello of them; then it goes.
 */
static void
became_opaque(struct shard *shard, struct entry *entry)
{
	struct recent *place =
	    &shard->recent[shard->recent_count++ % RECENT_MAX];

	if (place->entry != NULL && place->entry->log.session == place->session)
		end_watch(shard, place->entry);
	*place = (struct recent){ entry, entry->log.session };
	tape_trim(&entry->watch.tape, OPAQUE_TAPE_BYTES);
}

static enum interest
go_on(struct shard *shard, struct entry *entry, enum interest interest)
{
	count_session(shard, entry);
	if (interest == INTEREST_OPAQUE && !entry->opaque)
		became_opaque(shard, entry);
	entry->opaque = interest == INTEREST_OPAQUE;
	entry->watch.frozen = interest != INTEREST_NEGOTIATION;
	return interest;
}

static enum interest
on_bytes(void *context, void *session, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	struct shard *shard = context;
	struct entry *entry = session;
	enum interest interest;

	if (entry->dns != NULL)
		return feed_dns(entry, dir, bytes, at);
	interest = go_on(shard, entry,
	    smtp_session_feed(session_of(entry), dir, bytes, at));
	if (shard->config->cross_check != NULL)
		cross_check_bytes(shard->config->cross_check, entry->cross, dir,
		    bytes, interest, &shard->counters);
	return interest;
}

static enum interest
on_gap(void *context, void *session, enum dir dir, uint64_t missing,
    bool snapped, const struct origin *at)
{
	struct shard *shard = context;
	struct entry *entry = session;
	enum interest interest;

	if (entry->dns != NULL)
		return INTEREST_NONE;
	interest = go_on(shard, entry,
	    smtp_session_gap(session_of(entry), dir, missing, snapped, at));
	if (shard->config->cross_check != NULL)
		cross_check_gap(shard->config->cross_check, entry->cross, dir,
		    snapped, interest, &shard->counters);
	return interest;
}

static void
say_note(void *session, struct fact *fact, struct slice bytes,
    const struct origin *at)
{
	smtp_session_note(session, fact, bytes, at);
}

/* On a mail port also what comes before the first octet, out of order: a copy
 * of it may come behind that. */
static bool
is_watched(const struct entry *entry)
{
	const struct smtp_session *s = (const void *)entry->session;

	return smtp_session_recognised(s) || smtp_session_on_mail_port(s);
}

static void
on_segment(void *context, void *session, enum dir dir,
    const struct packet *packet, enum sum sum, const struct sent *sent)
{
	struct shard *shard = context;
	struct entry *entry = session;

	/* Once it is over, all that comes late is answered by an RST. */
	if (entry->dns != NULL || !is_watched(entry) ||
	    (entry->lingers && packet->payload_wire_bytes == 0))
		return;
	segment_watch_see(&entry->watch, dir, packet, sum, sent,
	    &shard->counters, say_note, session_of(entry));
	count_session(shard, entry);
}

static void
release(struct shard *shard, struct entry *entry)
{
	end_watch(shard, entry);
	smtp_session_publish(session_of(entry));
	if (!smtp_session_recognised(session_of(entry)))
		count(&shard->counters, COUNTER_FLOW_FOREIGN);
	fact_log_close(&entry->log);
	make_spare(shard, entry);
}

static bool
on_lingers(void *context, void *session)
{
	struct entry *entry = session;

	(void)context;
	entry->lingers = entry->dns == NULL && entry->watch.tape.length > 0;
	return entry->lingers;
}

static void
on_forgotten(void *context, void *session)
{
	release(context, session);
}

static void
on_closed(void *context, void *session, enum ending ending, enum dir who,
    const uint64_t acked[2], const struct origin *at)
{
	struct shard *shard = context;
	struct entry *entry = session;
	struct cross_end end = { .one_sided = at->one_sided };

	if (entry->dns != NULL) {
		dns_stream_close(entry->dns);
		make_spare(shard, entry);
		return;
	}
	end.is_smtp = smtp_session_recognised(session_of(entry));
	if (shard->config->cross_check != NULL)
		cross_check_closed(shard->config->cross_check, entry->cross,
		    &end, &shard->counters);
	memcpy(entry->log.acked, acked, sizeof(entry->log.acked));
	smtp_session_close(session_of(entry), ending, who, at);
	if (!entry->lingers)
		release(shard, entry);
}

static void
on_acked(void *context, void *session, const uint64_t acked[2])
{
	struct entry *entry = session;

	(void)context;
	memcpy(entry->log.acked, acked, sizeof(entry->log.acked));
}

static enum worth
worth_of(void *context, void *session)
{
	static const enum worth worths[] = {
		[SMTP_PHASE_UNKNOWN] = WORTH_UNKNOWN,
		[SMTP_PHASE_GREETED] = WORTH_GREETED,
		[SMTP_PHASE_NEGOTIATING] = WORTH_NEGOTIATING,
		[SMTP_PHASE_MAIL] = WORTH_GREETED,
		[SMTP_PHASE_OPAQUE] = WORTH_OPAQUE,
	};

	(void)context;
	if (((struct entry *)session)->dns != NULL)
		return WORTH_UNKNOWN;
	return worths[smtp_session_phase(session_of(session))];
}

static size_t
held_bytes(void *context, void *session)
{
	struct entry *entry = session;

	(void)context;
	if (entry->dns != NULL)
		return 0;
	return smtp_session_held_bytes(session_of(entry)) +
	    entry->watch.tape.room;
}

uint8_t
shard_of(const struct shard_config *config, const struct packet *packet)
{
	return config->reassembler == REASSEMBLER_LIBNIDS ?
	    0 :
	    packet_shard(packet, config->key);
}

void
shard_mail_ports(const struct shard_config *config, uint8_t bits[8192])
{
	memset(bits, 0, 8192);
	for (unsigned i = 0; i < config->mail_port_count; i++) {
		uint16_t port = config->mail_ports[i];

		bits[port / 8] |= (uint8_t)(1 << port % 8);
	}
}

static size_t
share(const struct shard *shard, size_t budget, size_t least)
{
	size_t part = shard->nids != NULL ? budget : budget / SHARD_COUNT;

	return part < least ? least : part;
}

static bool
create_nids(struct shard *shard, const struct stream_listener *listener)
{
	struct nids_config config = {
		.flows_max = shard->config->budgets.flows,
		.any_port = shard->config->any_port,
		.mail_ports = shard->mail_ports,
		.dns = true,
	};

	shard->nids = nids_engine_create(&config, listener, &shard->counters);
	return shard->nids != NULL;
}

struct shard *
shard_create(unsigned id, const struct shard_config *config,
    publish_fn *publish, void *context)
{
	struct shard *shard = calloc(1, sizeof(*shard));
	const struct shard_budgets *budgets = &config->budgets;
	struct stream_listener listener = { shard, on_opened, on_bytes, on_gap,
		on_closed, worth_of, held_bytes, on_acked, on_segment,
		on_lingers, on_forgotten };
	struct native_config native;

	if (shard == NULL)
		return NULL;
	shard->id = id;
	shard->config = config;
	shard_mail_ports(config, shard->mail_ports);
	if (config->reassembler == REASSEMBLER_LIBNIDS && id == 0 &&
	    !create_nids(shard, &listener)) {
		shard_destroy(shard);
		return NULL;
	}
	native = (struct native_config){
		.flows_max = share(shard, budgets->flows, FLOWS_MIN),
		.out_of_order_bytes_max =
		    share(shard, budgets->out_of_order_bytes, BYTES_MIN),
		.any_port = config->any_port,
		.mail_ports = shard->mail_ports,
		.key = config->key,
	};
	shard->pool = fact_pool_create(share(shard, budgets->negotiation_bytes,
					   BYTES_MIN),
	    &shard->counters, publish, context);
	shard->fragments =
	    fragments_create(share(shard, budgets->fragment_bytes, BYTES_MIN),
		config->key, &shard->counters);
	shard->native = native_create(&native, &listener, &shard->counters);
	if (shard->pool != NULL)
		shard->dns =
		    dns_watch_create(budgets->dns_queries / SHARD_COUNT,
			config->key, shard->pool, &shard->counters);
	if (shard->pool == NULL || shard->fragments == NULL ||
	    shard->native == NULL || shard->dns == NULL) {
		shard_destroy(shard);
		return NULL;
	}
	return shard;
}

void
shard_expect(const struct shard *shard, struct packet *packet)
{
	if (packet->kind == PACKET_TCP)
		native_expect(shard->native, packet);
}

void
shard_fetch(const struct shard *shard, struct packet *packet)
{
	if (packet->kind == PACKET_TCP)
		native_fetch(shard->native, packet);
}

/*
 * What dialogues keep waits for a decision, and whoever floods the network
 * with beginnings of dialogues, or inflates replies, could have all the room
 * there is. Before it is spent those go, so that it is not a negotiation's
 * newest line for which there is none.
 */
static void
relieve(struct shard *shard, int64_t clock_ns)
{
	bool found = true;

	if (shard->relief_pause > 0) {
		shard->relief_pause--;
		return;
	}
	for (int i = 0;
	     i < RELIEVED_MAX && found && fact_pool_is_scarce(shard->pool); i++)
		found = native_relieve(shard->native, clock_ns);
	/* A crowd of plain dialogues: to look again at each packet would cost
	 * more than the packet. */
	if (!found)
		shard->relief_pause = RELIEF_PAUSE;
}

/* Of whom the packet most likely is; a bare acknowledgement is nothing to a
 * session. Entries stay where they are as long as the shard does. */
static const struct entry *
entry_ahead(const struct shard *shard, const struct packet *packet)
{
	return packet->kind == PACKET_TCP && segment_tells(packet) ?
	    native_session(shard->native, packet) :
	    NULL;
}

void
shard_approach(const struct shard *shard, const struct packet *packet)
{
	const struct entry *entry = entry_ahead(shard, packet);

	if (entry != NULL)
		fetch_memory(entry,
		    sizeof(struct entry) + smtp_session_bytes());
}

/* A line's fact, and a segment on the tape. */
#define ROOM_AHEAD_BYTES 192

void
shard_reach(const struct shard *shard, const struct packet *packet)
{
	const struct entry *entry = entry_ahead(shard, packet);

	if (entry == NULL)
		return;
	if (entry->log.bytes != NULL)
		fetch_memory(entry->log.bytes + entry->log.length,
		    ROOM_AHEAD_BYTES);
	if (entry->watch.tape.bytes != NULL)
		fetch_memory(entry->watch.tape.bytes + entry->watch.tape.length,
		    ROOM_AHEAD_BYTES);
}

void
shard_packet(struct shard *shard, uint64_t batch, const struct packet *packet)
{
	struct cross_check *cross = shard->config->cross_check;

	fact_pool_stamp(shard->pool, batch, packet->run_number, shard->id);
	if (packet->kind == PACKET_DNS) {
		dns_watch_packet(shard->dns, packet);
		return;
	}
	if (shard->nids != NULL) {
		nids_engine_packet(shard->nids, packet);
		return;
	}
	if (cross != NULL)
		cross_check_packet(cross, packet);
	if (packet->kind == PACKET_FRAGMENT) {
		struct packet whole = *packet;
		struct slice datagram;

		if (!fragments_add(shard->fragments, packet, &datagram) ||
		    packet_decode_tcp(datagram, (uint32_t)datagram.len,
			&shard->counters, &whole) != PACKET_TCP)
			return;
		if (cross != NULL)
			cross_check_joined(cross, &whole);
		native_segment(shard->native, &whole);
	} else {
		native_segment(shard->native, packet);
	}
	if (fact_pool_is_scarce(shard->pool))
		relieve(shard, packet->clock_ns);
}

void
shard_expire(struct shard *shard, uint64_t batch, int64_t clock_ns)
{
	fact_pool_stamp(shard->pool, batch, UINT64_MAX, shard->id);
	fragments_expire(shard->fragments, clock_ns);
	native_expire(shard->native, clock_ns);
	if (shard->nids != NULL)
		nids_engine_expire(shard->nids, clock_ns);
	if (shard->config->cross_check != NULL && shard->id == 0)
		cross_check_expire(shard->config->cross_check, clock_ns);
}

void
shard_finish(struct shard *shard, uint64_t batch)
{
	fact_pool_stamp(shard->pool, batch, UINT64_MAX, shard->id);
	fragments_finish(shard->fragments);
	native_finish(shard->native);
	if (shard->nids != NULL)
		nids_engine_finish(shard->nids);
	if (shard->config->cross_check != NULL && shard->id == SHARD_COUNT - 1)
		cross_check_finish(shard->config->cross_check);
}

const struct counters *
shard_counters(const struct shard *shard)
{
	return &shard->counters;
}

void
shard_destroy(struct shard *shard)
{
	if (shard == NULL)
		return;
	if (shard->native != NULL && shard->pool != NULL) {
		fact_pool_mute(shard->pool);
		native_finish(shard->native);
		if (shard->nids != NULL)
			nids_engine_finish(shard->nids);
	}
	nids_engine_destroy(shard->nids);
	native_destroy(shard->native);
	fragments_destroy(shard->fragments);
	dns_watch_destroy(shard->dns);
	fact_pool_destroy(shard->pool);
	while (shard->spare != NULL) {
		struct entry *entry = shard->spare;

		shard->spare = entry->next;
		free(entry);
	}
	free(shard);
}
