/*
 * tests/bench/loss.h - what a network does to the segments of a conversation.
 *
 * Seen from a tap in the middle: a segment that is lost before the tap is seen
 * once, late; one that is lost behind it is seen twice. Until then its receiver
 * acknowledges what stands before it. Some overtake others, some are doubled on
 * their way. A retransmission has the same octets.
 */
#ifndef TESTS_BENCH_LOSS_H
#define TESTS_BENCH_LOSS_H

#include "wire.h"

struct loss;

/* NULL: no memory. */
struct loss *loss_create(uint64_t seed);
void loss_destroy(struct loss *);
/* Writes a segment, and what is due besides. `bulk`: others follow it before
 * anybody answers. */
void loss_tcp(struct loss *, struct wire *, const struct ends *, enum side from,
    uint32_t seq, uint32_t ack, uint8_t flags, const void *payload, size_t len,
    bool bulk);

#endif
