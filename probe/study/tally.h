/*
 * probe/study/tally.h - units, groups, denominators and shares.
 *
 * Fed with rows in the order of the unit (tally_order()), so that one unit
 * is open at a time; what stays is a count for each group, and for each
 * network that units of a group are in. A unit is judged when one of its
 * sessions is; it is affected when at least `least_sessions` of its judged
 * ones, and `least_percent` of them, were found tampered with.
 */
#ifndef PROBE_STUDY_TALLY_H
#define PROBE_STUDY_TALLY_H

#include "probe/study/interval.h"
#include "probe/study/networks.h"
#include "store/study.h"

/* As the words of --unit. */
enum unit {
	UNIT_SESSION,
	UNIT_SERVER,  /* address and port */
	UNIT_SERVICE, /* MX name */
	UNIT_PATH,    /* client network x AS of the server */
	UNITS
};
enum by {
	BY_NOTHING,
	BY_COUNTRY,
	BY_AS,
	BY_PREFIX,
	BY_PRODUCT,
	BY_MASK,
	BY_PORT,
	BY_DAY,
	BY_MONTH,
	BYS
};
const char *unit_name(enum unit);
const char *unit_plural(enum unit);
const char *by_name(enum by);
bool by_parse(const char *, enum by *);

struct question {
	enum unit unit;
	enum by by;
	uint64_t least_sessions;  /* k, from 1 */
	double least_percent;	  /* p */
	enum certainty certainty; /* what is found counts from here on */
	bool carrying;		  /* only sessions that could carry mail */
	bool independent;	  /* units are; no clusters */
	unsigned prefix_bits[2];  /* of IPv4, IPv6 */
	int64_t since_ns, until_ns;
	const struct networks *networks; /* NULL: nothing is known */
	uint64_t vantages;
};

struct counts {
	uint64_t units;	  /* observable: SMTP was spoken */
	uint64_t judged;  /* an offer, its absence or tampering was seen */
	uint64_t offered; /* of the judged: STARTTLS, intact */
	uint64_t used;	  /* TLS was reached */
	uint64_t refused, broken;
	uint64_t affected;		       /* of the judged */
	uint64_t garbled, stripped, otherwise; /* of the affected */
	uint64_t absent; /* of the judged: no offer, and nothing found */
	uint64_t sessions;
};

#define GROUP_NAME_BYTES 96
struct group {
	char name[GROUP_NAME_BYTES];
	struct counts counts;
	bool has_interval; /* of affected / judged */
	struct interval interval;
	double design_effect;
	uint64_t clusters, clusters_affected, clusters_full;
};

/* A network all of whose judged units are affected. */
struct full_network {
	char name[GROUP_NAME_BYTES];
	uint64_t units;
};

#define SENSITIVITY_SESSIONS 4
#define SENSITIVITY_PERCENTS 5
extern const uint64_t sensitivity_sessions[SENSITIVITY_SESSIONS];
extern const double sensitivity_percents[SENSITIVITY_PERCENTS];

struct tally_result {
	struct group total;
	struct group *groups; /* most affected first; of time: by name */
	size_t group_count;
	struct full_network *full; /* most units first */
	size_t full_count;
	uint64_t silent;       /* sessions in which nobody spoke SMTP */
	uint64_t nameless;     /* sessions of no known unit */
	uint64_t cannot_carry; /* left out: no mail could have gone */
	/* Units that would be affected at other thresholds. */
	uint64_t sensitivity[SENSITIVITY_SESSIONS][SENSITIVITY_PERCENTS];
};

struct study_tally;

/* `question` is borrowed. NULL: no memory. */
struct study_tally *tally_create(const struct question *);
void tally_destroy(struct study_tally *);
enum study_order tally_order(const struct question *);
/* A study_row_fn. Above 0: there are too many groups or networks, or no
 * memory; tally_error() says which, and the remedy. */
int tally_take(void *tally, const struct study_row *);
const char *tally_error(const struct study_tally *);
/* After the last row; borrowed from the tally. NULL: tally_error(). */
const struct tally_result *tally_finish(struct study_tally *);

/* The lowest and highest share that the unjudged allow. */
struct interval counts_bounds(const struct counts *);
/* The same of removed offers, which nobody sees who sees a server once:
 * `affected` by removal, to all judged that have no offer. */
struct interval counts_removal_bounds(const struct counts *);

#endif
