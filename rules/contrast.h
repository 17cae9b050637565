/*
 * rules/contrast.h - one dialogue, captured in two places: what was sent in
 * one and came to the other.
 *
 * Both sightings are given as their facts. Nothing is concluded from what one
 * of the captures lacks: where it has holes only a line that both have, at the
 * same offset, can differ; and what stands behind the last thing that both
 * saw is missing only if the connection was seen to end.
 */
#ifndef RULES_CONTRAST_H
#define RULES_CONTRAST_H

#include "dissect/fact.h"

/* By what two sightings were found to be of one dialogue; surest first. */
enum pairing {
	PAIRED_BY_CONNECTION,
	PAIRED_BY_NUMBERS,
	PAIRED_BY_CLIENT_RANDOM,
	PAIRED_BY_ADDRESSES,
	PAIRED_BY_MESSAGE,
	PAIRED_BY_ENVELOPE,
	PAIRED_BY_HELO,
	PAIRINGS
};
const char *pairing_name(enum pairing);
const char *pairing_text(enum pairing);
/* Is it sure enough to say of a difference that it was made on the way? */
static inline bool
pairing_is_sure(enum pairing pairing)
{
	return pairing < PAIRED_BY_HELO;
}

enum difference_code {
#define DIFFERENCE(id, name, same, relay, text) DIFFERENCE_##id,
#include "contrast.def"
#undef DIFFERENCE
	DIFFERENCES
};
const char *difference_name(enum difference_code);
const char *difference_text(enum difference_code);

/* A line as one of the captures has it. */
struct told {
	struct fact fact;
	struct slice bytes; /* borrowed from the facts; without its end */
	bool there;
};

struct difference {
	enum difference_code code;
	bool altered;		   /* false: it has an honest meaning */
	struct told sent, arrived; /* not there: it has no such line */
};

#define CONTRAST_MAX 48
struct contrast {
	bool relay; /* what is between speaks for itself */
	bool whole; /* neither capture has holes */
	bool altered;
	unsigned count, unlisted;
	struct difference list[CONTRAST_MAX];
};

/* `client` and `server`: the facts of the sighting nearer to the one and to
 * the other. False: no memory. */
bool contrast_find(struct slice client, struct slice server, enum pairing,
    struct contrast *out);

/* Is the fact a line of the dialogue in clear? */
bool contrast_is_line(const struct fact *);
/* Are all lines of these facts as they were on the wire, with none missing? */
bool contrast_is_whole(struct slice facts);
/*
 * How much nearer to the server `a` is than `b`, in ns: by how much sooner
 * answers come there. Both clocks may show anything. 0: nobody can say.
 */
int64_t contrast_nearer_ns(struct slice a, struct slice b);

#endif
