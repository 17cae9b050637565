/*
 * dissect/flow_table.h - the flows of one shard: found by five-tuple, aged by
 * class, shed in order of worth.
 *
 * Flows live in slabs and never move. Every flow stands in one list, that of
 * its class, the longest idle first.
 */
#ifndef DISSECT_FLOW_TABLE_H
#define DISSECT_FLOW_TABLE_H

#include "packet.h"
#include "reassembly.h"

/* In the order in which they are shed. */
enum flow_class {
	FLOW_CLOSED,	/* only remembered: a late copy opens nothing */
	FLOW_LINGERING, /* over, but late copies may still tell something */
	FLOW_HALF_OPEN,
	FLOW_UNANSWERED, /* octets, but neither side is seen to answer */
	FLOW_OPAQUE,
	FLOW_UNKNOWN,
	FLOW_GREETED,
	FLOW_NEGOTIATING,
	FLOW_CLASSES
};

/* A segment that has to wait. */
struct waiting {
	struct waiting *next; /* by sequence number */
	uint32_t seq, ack;
	uint32_t captured, length; /* octets kept, octets on the wire */
	uint32_t packet_count;	   /* of the flow when it came */
	bool has_ack, fin;
	bool acked;	  /* a suspect: the peer acknowledged it */
	int64_t acked_ns; /* when that was seen */
	struct origin origin;
	uint8_t bytes[];
};

/* What waits of a direction, by sequence number; few ever have any. */
struct queue {
	struct waiting *waiting;
	struct waiting *suspects; /* with a wrong sum, as they came */
	int64_t hole_ns;	  /* when it was acknowledged, if hole_acked */
	uint32_t hole_packets;	  /* packets of the flow by then */
	uint16_t waiting_count;
	uint8_t suspect_count;
	bool hole_acked; /* the hole before `waiting` was */
};

struct direction {
	struct queue *queue; /* NULL: nothing waits */
	uint64_t offset;     /* stream offset of `next` */
	uint32_t base;	     /* sequence number of stream offset 0 */
	uint32_t next;	     /* sequence number expected next */
	uint32_t acked;	     /* by the peer, highest */
	bool captured : 1;   /* any segment of this direction was */
	bool seen : 1;	     /* a SYN or payload of it was */
	bool has_base : 1;
	bool has_isn : 1; /* a SYN's, or inferred; it is base - 1 */
	bool has_acked : 1;
	bool finished : 1;
	bool sums_known : 1;
	bool sums_checked : 1;
	bool sums_wrong : 1; /* and the receiver takes it all the same */
};

/* A million of them may be open, and each packet needs one: small. */
struct flow {
	struct endpoint ends[2]; /* by direction of what they receive:
					 * [TO_SERVER] is the server */
	struct direction dirs[2];
	void *session;
	int64_t last_ns; /* capture time of its last packet */
	int64_t seen_ns; /* the same by the clock that never goes back */
	uint64_t last_frame;
	uint32_t capture;   /* of its last packet */
	uint32_t rival_isn; /* of a SYN that the server may yet answer */
	uint32_t packet_count;
	uint32_t hash;
	uint32_t position; /* in the table */
	uint8_t class, interest;
	uint8_t worth; /* the session's, when it last got something */
	bool midstream : 1, on_mail_port : 1, first_fin : 1;
	bool has_rival : 1;
	bool alone : 1;			     /* nobody waits for the peer */
	bool reset : 1, reset_by_client : 1; /* unless something follows */
};

static inline bool
flow_is_over(const struct flow *f)
{
	return f->class <= FLOW_LINGERING;
}

#define FLOW_NONE UINT32_MAX

struct flow_table;

struct flow_table *flow_table_create(size_t flows_max, const uint8_t key[16]);
void flow_table_destroy(struct flow_table *);
/*
 * A packet will be looked for: expect() notes its hash in it and has its place
 * in the index fetched, fetch(), a little later, its flow, so that others are
 * worked on while memory is slow. Both may be left out.
 */
void flow_table_expect(const struct flow_table *, struct packet *);
void flow_table_fetch(const struct flow_table *, struct packet *);
/* The flow that was fetched: most likely the packet's, or was it. */
const struct flow *
flow_table_fetched(const struct flow_table *, const struct packet *);
/* `dir` gets the packet's direction in it; NULL: not there. */
struct flow *
flow_table_find(struct flow_table *, const struct packet *, enum dir *dir);
/* A new flow of class FLOW_HALF_OPEN; NULL: the table is full. `dir` is the
 * packet's direction in it. */
struct flow *
flow_table_add(struct flow_table *, const struct packet *, enum dir dir);
void flow_table_remove(struct flow_table *, struct flow *);
/* Makes it the youngest of `class`. */
void flow_table_touch(struct flow_table *, struct flow *, enum flow_class);
/* The flow of `class` that has been idle longest; NULL: none. */
struct flow *flow_table_oldest(struct flow_table *, enum flow_class);
/* The next one of its class, less long idle; NULL: none. */
struct flow *flow_table_newer(const struct flow_table *, const struct flow *);
size_t flow_table_count(const struct flow_table *, enum flow_class);

#endif
