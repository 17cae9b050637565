#include "loss.h"

#include <stdlib.h>
#include <string.h>

/* Of a thousand segments of bulk; the rest arrives as it was sent. */
#define LOST_BEFORE 10
#define LOST_BEHIND 5
#define OVERTAKEN 10
#define DOUBLED 5
/* Of a thousand others, which nothing overtakes. */
#define SENT_TWICE 10

struct loss {
	uint64_t random;
	/* A segment that is still to come, or to come again. */
	unsigned due; /* after so many frames; 0: there is none */
	bool missing; /* the receiver does not have it */
	enum side from;
	uint8_t flags;
	uint32_t seq, ack;
	size_t len;
	uint8_t bytes[WIRE_PAYLOAD_MAX];
};

struct loss *
loss_create(uint64_t seed)
{
	struct loss *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->random = seed;
	return l;
}

void
loss_destroy(struct loss *l)
{
	free(l);
}

static void
send_late(struct loss *l, struct wire *w, const struct ends *ends)
{
	wire_tcp(w, ends, l->from, l->seq, l->ack, l->flags, l->bytes, l->len);
	l->due = 0;
	l->missing = false;
}

static void
keep(struct loss *l, enum side from, uint32_t seq, uint32_t ack, uint8_t flags,
    const void *payload, size_t len)
{
	l->from = from;
	l->seq = seq;
	l->ack = ack;
	l->flags = flags;
	l->len = len;
	memcpy(l->bytes, payload, len);
}

/* What becomes of a segment of bulk; false: it is not seen now. */
static bool
draw(struct loss *l)
{
	uint32_t lot = random_between(&l->random, 0, 999);

	if (lot < LOST_BEFORE + LOST_BEHIND) {
		l->due = random_between(&l->random, 4, 12);
		l->missing = true;
		return lot >= LOST_BEFORE;
	}
	lot -= LOST_BEFORE + LOST_BEHIND;
	if (lot < OVERTAKEN) {
		l->due = 1;
		l->missing = true;
		return false;
	}
	lot -= OVERTAKEN;
	if (lot < DOUBLED)
		l->due = 1;
	return true;
}

void
loss_tcp(struct loss *l, struct wire *w, const struct ends *ends,
    enum side from, uint32_t seq, uint32_t ack, uint8_t flags,
    const void *payload, size_t len, bool bulk)
{
	bool seen = true;

	/* Whoever answers has everything. */
	if (l->due > 0 && !bulk)
		send_late(l, w, ends);
	if (bulk && len > 0 && l->due == 0) {
		seen = draw(l);
		if (l->due > 0)
			keep(l, from, seq, ack, flags, payload, len);
		if (l->due > 0)
			l->due++; /* it counts itself */
	}
	if (l->missing && from != l->from)
		ack = l->seq;
	if (seen)
		wire_tcp(w, ends, from, seq, ack, flags, payload, len);
	if (!bulk && random_between(&l->random, 0, 999) < SENT_TWICE)
		wire_tcp(w, ends, from, seq, ack, flags, payload, len);
	if (l->due > 0 && --l->due == 0)
		send_late(l, w, ends);
}
