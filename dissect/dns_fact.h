/*
 * dissect/dns_fact.h - the bytes of FACT_DNS_ANSWER: who asked whom for what,
 * and the records of the answer.
 *
 * Such a fact belongs to no session (handle 0) until the judge lays it beside
 * one. Names and values are those of dns.h.
 */
#ifndef DISSECT_DNS_FACT_H
#define DISSECT_DNS_FACT_H

#include "address.h"
#include "slice.h"

/* Value of FACT_DNS_ANSWER: the response code (RFC 1035 4.1.1) and these. */
enum {
	DNS_ANSWER_RCODE = 0x0f,
	DNS_ANSWER_AUTHENTIC = 1 << 4, /* AD: the resolver's claim */
	DNS_ANSWER_TCP = 1 << 5,
	/* The query had its answer before, and that was another one. */
	DNS_ANSWER_SECOND = 1 << 6,
};

struct dns_asked {
	struct endpoint client, resolver;
	uint16_t type;	   /* enum dns_type */
	int64_t last_ns;   /* when the same answer last came; 0: once */
	struct slice name; /* borrowed */
};

struct dns_said {
	uint16_t type;
	uint32_t ttl_s;
	bool in_answer;	    /* not in the sections behind it */
	struct slice owner; /* borrowed, as is what follows */
	struct slice value;
};

#define DNS_ASKED_MAX_BYTES 304
#define DNS_FACT_MAX_BYTES 4096 /* the answer's further records go */

/* Into room for DNS_ASKED_MAX_BYTES; octets written. Names are shorter than
 * 256 octets. */
size_t dns_asked_encode(const struct dns_asked *, uint8_t *out);
/* Into `room` octets; 0: it does not fit. */
size_t dns_said_encode(const struct dns_said *, uint8_t *out, size_t room);
/* Take the next off `in`; false: it is damaged, or the end. */
bool dns_asked_decode(struct slice *in, struct dns_asked *);
bool dns_said_decode(struct slice *in, struct dns_said *);

#endif
