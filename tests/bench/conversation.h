/*
 * tests/bench/conversation.h - what two hosts say to each other, a frame at a
 * time, so that thousands of them can be written side by side.
 */
#ifndef TESTS_BENCH_CONVERSATION_H
#define TESTS_BENCH_CONVERSATION_H

#include "wire.h"

enum kind {
	KIND_STARTTLS, /* a mail through STARTTLS */
	KIND_CLEAR,    /* a mail in clear, STARTTLS not asked for */
	KIND_STRIPPED, /* the keyword is gone, a mail in clear */
	KIND_GARBLED,  /* it reads XXXXXXXA, a mail in clear */
	KIND_SHORT,    /* greeting, EHLO, QUIT */
	KIND_WEB,      /* TLS on TCP port 443 */
	KIND_QUIC,     /* datagrams on UDP port 443 */
	KIND_HTTP,     /* the client speaks first, on any port */
	KIND_SSH,      /* the server does */
	KIND_SQL,      /* the same, with octets that are no text */
	KIND_FTP,      /* the same, and says 220 */
	KIND_POP,
	KIND_TUNNEL, /* TLS on any port */
	KIND_SCAN,   /* a SYN that is refused */
	KINDS
};

/* What may happen to the frames of a conversation; see loss.h. */
struct loss;

struct conversation {
	struct loss *loss; /* NULL: nothing happens to them */
	struct ends ends;
	uint32_t server, client; /* numbers, for the names */
	uint32_t seq[2];	 /* next, by side */
	uint32_t bulk_bytes;	 /* of the mail, or the page */
	uint32_t left;		 /* of the bulk that is being sent */
	uint32_t record_left;	 /* of the TLS record in it */
	uint8_t unacked;	 /* segments of it */
	uint8_t kind, step;
};

/* The octets that bulk is cut from; call once. */
void conversation_prepare(uint64_t *random);
void conversation_begin(struct conversation *, enum kind, uint32_t number,
    uint32_t servers, uint32_t bulk_bytes, uint64_t *random);
/* Gives its frames over to loss, reordering and duplication. False: no
 * memory. */
bool conversation_suffer(struct conversation *, uint64_t seed);
void conversation_end(struct conversation *);
/* Writes the next frame, or some where frames get lost; false: that was the last. */
bool conversation_step(struct conversation *, struct wire *, uint64_t *random);

#endif
