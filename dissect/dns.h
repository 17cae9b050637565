/*
 * dissect/dns.h - a DNS message as it is on the wire (RFC 1035 4), and the
 * records of it that mail depends on.
 *
 * The input is hostile: a name's compression may only point backwards, so
 * that none is a loop, and every length meets what is there. Names come out
 * in lower case, without final dot ("." is the root), and only as host names
 * are written, `_` allowed: in text nothing else can be told from two labels
 * that somebody drew together. Does no I/O, keeps nothing, allocates nothing.
 */
#ifndef DISSECT_DNS_H
#define DISSECT_DNS_H

#include "address.h"
#include "slice.h"

#define DNS_NAME_BYTES 256 /* RFC 1035 2.3.4: 255 on the wire */
/* RFC 8461 3.1 and RFC 8460 3 ask for no more than one string of 255; with
 * four of them it is still the record of somebody who means it. */
#define DNS_VALUE_MAX_BYTES 1024
/* More records than that are not looked at: no MX set is so large. */
#define DNS_RECORDS_MAX 64

enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_TLSA = 52, /* RFC 6698 */
};

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
};

/* A query or a response with one question of class IN. */
struct dns_message {
	uint16_t id;
	bool response;
	bool authoritative, truncated, authentic; /* AA, TC, AD: claims */
	uint8_t rcode;
	uint16_t type;
	char name[DNS_NAME_BYTES];
	struct slice whole;	  /* borrowed: what pointers point into */
	size_t records_at;	  /* offset of what follows the question */
	unsigned answers, others; /* records of the answer section, and of
					* the two behind it */
};

/*
 * PARSE_MALFORMED: damaged, or no query of the usual sort (another opcode,
 * class, or number of questions).
 */
enum parse dns_message_parse(struct slice, struct dns_message *out);

struct dns_record {
	char owner[DNS_NAME_BYTES];
	uint16_t type;
	uint32_t ttl_s;
	bool in_answer; /* not in the sections behind it */
	/*
	 * An address, a host name (CNAME, MX: the preference is left out),
	 * the strings of a TXT joined with nothing between (RFC 7208 3.3,
	 * RFC 8461 3.1), or "usage selector type hex" (RFC 6698 2.2).
	 */
	char value[DNS_VALUE_MAX_BYTES];
	size_t value_len; /* TXT may hold any octets */
};

/*
 * Walks the records of a message: `at` starts as its records_at, `seen` as 0.
 * False at the end, and where the message is damaged (`*damaged`). Records of
 * other types and classes, and those with names as above cannot be written,
 * are left out.
 */
bool dns_record_next(const struct dns_message *, size_t *at, unsigned *seen,
    struct dns_record *, bool *damaged);

/* "MX", "TLSA", ...; NULL: none of those above. */
const char *dns_type_name(uint16_t type);

#endif
