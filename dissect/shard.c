#include "shard.h"

#include <stdlib.h>

#include "fragment.h"
#include "native.h"

/* Floors, so that the smallest budget still works a flow. */
#define FLOWS_MIN 1
#define BYTES_MIN 8192

/* A session and its log, in one piece of memory. */
struct entry {
	struct entry *next; /* while it is spare */
	struct fact_log log;
	bool counted;
	_Alignas(16) uint8_t session[];
};

struct shard {
	unsigned id;
	const struct shard_config *config;
	uint64_t serial;
	struct counters counters;
	struct fact_pool *pool;
	struct fragments *fragments;
	struct native *native;
	struct entry *spare;
	uint8_t mail_ports[8192];
};

static struct smtp_session *
session_of(struct entry *entry)
{
	return (struct smtp_session *)(void *)entry->session;
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
	entry->counted = false;
	fact_log_open(&entry->log, shard->pool,
	    (uint64_t)shard->id << 56 | ++shard->serial);
	if (start->midstream)
		entry->log.observability |= OBS_MIDSTREAM;
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

static enum interest
on_bytes(void *context, void *session, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	struct entry *entry = session;
	enum interest interest;

	interest = smtp_session_feed(session_of(entry), dir, bytes, at);
	count_session(context, entry);
	return interest;
}

static enum interest
on_gap(void *context, void *session, enum dir dir, uint64_t missing,
    bool snapped, const struct origin *at)
{
	struct entry *entry = session;
	enum interest interest;

	interest =
	    smtp_session_gap(session_of(entry), dir, missing, snapped, at);
	count_session(context, entry);
	return interest;
}

static void
on_closed(void *context, void *session, enum ending ending, enum dir who,
    const uint64_t acked[2], const struct origin *at)
{
	struct shard *shard = context;
	struct entry *entry = session;

	memcpy(entry->log.acked, acked, sizeof(entry->log.acked));
	smtp_session_close(session_of(entry), ending, who, at);
	if (!smtp_session_recognised(session_of(entry)))
		count(&shard->counters, COUNTER_FLOW_FOREIGN);
	fact_log_close(&entry->log);
	entry->next = shard->spare;
	shard->spare = entry;
}

static void
on_acked(void *context, void *session, enum dir dir, uint64_t offset)
{
	struct entry *entry = session;

	(void)context;
	entry->log.acked[dir] = offset;
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
	return worths[smtp_session_phase(session_of(session))];
}

static size_t
share(size_t budget, size_t least)
{
	size_t part = budget / SHARD_COUNT;

	return part < least ? least : part;
}

struct shard *
shard_create(unsigned id, const struct shard_config *config,
    publish_fn *publish, void *context)
{
	struct shard *shard = calloc(1, sizeof(*shard));
	const struct shard_budgets *budgets = &config->budgets;
	struct stream_listener listener = { shard, on_opened, on_bytes, on_gap,
		on_closed, worth_of, on_acked };
	struct native_config native;

	if (shard == NULL)
		return NULL;
	shard->id = id;
	shard->config = config;
	for (unsigned i = 0; i < config->mail_port_count; i++) {
		uint16_t port = config->mail_ports[i];

		shard->mail_ports[port / 8] |= (uint8_t)(1 << port % 8);
	}
	native = (struct native_config){
		.flows_max = share(budgets->flows, FLOWS_MIN),
		.out_of_order_bytes_max =
		    share(budgets->out_of_order_bytes, BYTES_MIN),
		.any_port = config->any_port,
		.mail_ports = shard->mail_ports,
		.key = config->key,
	};
	shard->pool =
	    fact_pool_create(share(budgets->negotiation_bytes, BYTES_MIN),
		&shard->counters, publish, context);
	shard->fragments =
	    fragments_create(share(budgets->fragment_bytes, BYTES_MIN),
		&shard->counters);
	shard->native = native_create(&native, &listener, &shard->counters);
	if (shard->pool == NULL || shard->fragments == NULL ||
	    shard->native == NULL) {
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
shard_fetch(const struct shard *shard, const struct packet *packet)
{
	if (packet->kind == PACKET_TCP)
		native_fetch(shard->native, packet);
}

void
shard_packet(struct shard *shard, uint64_t batch, const struct packet *packet)
{
	fact_pool_stamp(shard->pool, batch, packet->run_number, shard->id);
	if (packet->kind == PACKET_FRAGMENT) {
		struct packet whole = *packet;
		struct slice datagram;

		if (!fragments_add(shard->fragments, packet, &datagram) ||
		    packet_decode_tcp(datagram, (uint32_t)datagram.len,
			&shard->counters, &whole) != PACKET_TCP)
			return;
		native_segment(shard->native, &whole);
	} else {
		native_segment(shard->native, packet);
	}
}

void
shard_expire(struct shard *shard, uint64_t batch, int64_t now_ns)
{
	fact_pool_stamp(shard->pool, batch, UINT64_MAX, shard->id);
	fragments_expire(shard->fragments, now_ns);
	native_expire(shard->native, now_ns);
}

void
shard_finish(struct shard *shard, uint64_t batch)
{
	fact_pool_stamp(shard->pool, batch, UINT64_MAX, shard->id);
	fragments_expire(shard->fragments, INT64_MAX);
	native_finish(shard->native);
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
	}
	native_destroy(shard->native);
	fragments_destroy(shard->fragments);
	fact_pool_destroy(shard->pool);
	while (shard->spare != NULL) {
		struct entry *entry = shard->spare;

		shard->spare = entry->next;
		free(entry);
	}
	free(shard);
}
