/*
 * dissect/shard.h - one sixty-fourth of the traffic: packets in, facts out.
 *
 * A shard owns its flows, fragments, timers and budgets, and never looks at
 * another one, so that the number of threads changes nothing in the result
 * (design 6). Not thread-safe; one thread works it at a time.
 */
#ifndef DISSECT_SHARD_H
#define DISSECT_SHARD_H

#include "fact_log.h"
#include "packet.h"
#include "smtp.h"

/* Budgets of the whole program; each shard gets its part. */
struct shard_budgets {
	size_t flows; /* count */
	size_t out_of_order_bytes;
	size_t fragment_bytes;
	size_t negotiation_bytes;
	size_t dns_queries; /* count */
};

#define MAIL_PORTS_MAX 32

/* native.h or nids.h. */
enum reassembler { REASSEMBLER_NATIVE, REASSEMBLER_LIBNIDS };

struct shard_config {
	uint16_t mail_ports[MAIL_PORTS_MAX];
	unsigned mail_port_count;
	bool any_port; /* SMTP elsewhere, by its greeting */
	struct smtp_options smtp;
	struct shard_budgets budgets;
	uint8_t key[16]; /* of the flow hash */
	enum reassembler reassembler;
	/* Borrowed; NULL: native is not compared with libnids. With one, all
	 * shards are on one thread, the last one finishes last. */
	struct cross_check *cross_check;
};

/* The shard that a packet belongs to: all to the first with libnids, which is
 * one for the process. Its budgets are then those of all. */
uint8_t shard_of(const struct shard_config *, const struct packet *);
/* One bit a port: where SMTP is spoken. */
void shard_mail_ports(const struct shard_config *, uint8_t bits[8192]);

struct shard;

/* `config` is borrowed; NULL when memory is short. */
struct shard *shard_create(unsigned id, const struct shard_config *config,
    publish_fn *, void *context);
/* A packet that will come: what it needs is fetched from memory, in four
 * steps with others between them. All may be left out. */
void shard_expect(const struct shard *, struct packet *);
void shard_fetch(const struct shard *, struct packet *);
void shard_approach(const struct shard *, const struct packet *);
void shard_reach(const struct shard *, const struct packet *);
/* `batch` counts up; packets of a shard come in the run's frame order. */
void shard_packet(struct shard *, uint64_t batch, const struct packet *);
/* At the end of a batch: what has been idle for too long at `clock_ns`, by
 * the clock that packets are stamped with, ends as ENDING_EXPIRED. */
void shard_expire(struct shard *, uint64_t batch, int64_t clock_ns);
/* The capture is over: every flow ends as ENDING_CAPTURE_END (or _FIN, if a
 * FIN had been seen), fragments are given up. The shard can be used again. */
void shard_finish(struct shard *, uint64_t batch);
const struct counters *shard_counters(const struct shard *);
void shard_destroy(struct shard *);

#endif
