/*
 * store/study.h - what a prevalence study counts: a row a session, or a row
 * for sessions that are alike.
 *
 * A source is one file of scan results or transcripts, or what `read` and
 * `watch` have counted. It is known by the hash of its content; while it is
 * being read it has none, and `offset` says up to where its rows stand, so
 * that an import goes on where it was stopped. Rows hold no client address
 * longer than its network, and no recipient.
 */
#ifndef STORE_STUDY_H
#define STORE_STUDY_H

#include "store.h"

/* What a session showed. None of them stands for an absence: that is JUDGED
 * without OFFERED. */
enum {
	STUDY_SMTP = 1 << 0,	/* somebody spoke SMTP: observable */
	STUDY_JUDGED = 1 << 1,	/* an offer, or its absence, could be seen */
	STUDY_OFFERED = 1 << 2, /* STARTTLS, intact */
	STUDY_USED = 1 << 3,	/* TLS was reached */
	STUDY_REFUSED = 1 << 4, /* offered, asked for, not granted */
	STUDY_BROKEN = 1 << 5,	/* granted, and it came to nothing */
	STUDY_CARRIES = 1 << 6, /* could carry mail: a recipient was accepted,
				 * or TLS was reached */
};

struct study_row {
	struct endpoint server;	       /* family 0: not known */
	struct address client_network; /* of the sender; family 0: not known */
	char name[DOMAIN_TEXT_BYTES];  /* of the service, known before
					* STARTTLS; "": none */
	int64_t at_ns;
	uint64_t sessions;
	uint32_t state;		  /* STUDY_* */
	enum certainty certainty; /* NONE: nothing was found */
	enum kind kind;		  /* of what was found */
	char mask[32], product[32];
};

struct study_source {
	int64_t number;		       /* within this database */
	char hash[CAPTURE_HASH_BYTES]; /* "": not read to its end */
	char path[1024];
	char format[16]; /* "zgrab2", "transcript", "counted" */
	char vantage[64];
	char label[64]; /* "": measured; else what it is instead */
	char rules[64]; /* registry and program that judged it */
	uint64_t records, malformed;
	uint64_t offset; /* of the content, up to which rows stand ... */
	char prefix[CAPTURE_HASH_BYTES]; /* ... and its hash up to there */
	uint64_t vantages;		 /* from which its rows come */
	uint64_t seen_bytes, lost_bytes; /* of captures */
};

/* Sets `number`; the caller has begun a transaction, here and below. */
int store_study_open(struct store *, struct study_source *);
/* Everything but number and path. */
int store_study_save(struct store *, const struct study_source *);
/* With its rows. */
int store_study_drop(struct store *, int64_t number);
/* One called `path` that was not read to its end; `found` says whether. */
int store_study_resume(struct store *, const char *path, struct study_source *,
    bool *found);
/* The number of a source with that content; 0: none. */
int store_study_known(struct store *, const char *hash, int64_t *number);
/* `ordinal` is the row's place in its source; the same again replaces it. */
int store_study_add(struct store *, int64_t source, uint64_t ordinal,
    const struct study_row *);

/* One moment of the database, for everything that is asked until the end. */
int store_study_freeze(struct store *);
void store_study_thaw(struct store *);
/* Copies the database, as it is, to `path`, which must not exist. */
int store_study_copy(struct store *, const char *path);

typedef int study_source_fn(void *context, const struct study_source *);
/* By hash; those that were not read to their end first. */
int store_each_study_source(struct store *, study_source_fn *, void *context);

enum study_order {
	STUDY_ANY_ORDER,
	STUDY_BY_SERVER,  /* address, then port */
	STUDY_BY_NAME,	  /* then address */
	STUDY_BY_NETWORK, /* of the client */
};
typedef int study_row_fn(void *context, const struct study_row *);
/* Rows of complete sources from `since_ns` to before `until_ns`. Sorting is
 * done on disk. */
int store_each_study_row(struct store *, enum study_order, int64_t since_ns,
    int64_t until_ns, study_row_fn *, void *context);

/* Lines that are put aside, and come back sorted by their octets, each as often
 * as it was put there. They are gone with the store. */
int store_study_stage(struct store *, const char *line);
typedef int staged_fn(void *context, const char *line);
int store_each_staged(struct store *, staged_fn *, void *context);

/* Octets seen, and those that captures lost, of all captures; and from how
 * many vantages. */
int store_study_loss(struct store *, struct study_source *);
/*
 * Profiles as they count for a study, by server, client and period of seven
 * days: a session that several vantages saw has a profile of each, so of
 * these three only that vantage counts which saw most sessions.
 */
int store_each_counted_profile(struct store *, profile_fn *, void *context);
/* Sessions in the profiles of one capture, without an offer and with. */
int store_profile_sums(struct store *, const char *capture, uint64_t sums[2]);

#endif
