/*
 * probe/pipeline/run.h - one `read`: captures in, rows in the store, and the
 * verdicts brought up to date.
 *
 * Who calls it opens the store and the captures' list, and says what to tell
 * on the way; the run itself prints nothing.
 */
#ifndef PROBE_PIPELINE_RUN_H
#define PROBE_PIPELINE_RUN_H

#include <signal.h>

#include "dissection.h"
#include "judge_loop.h"
#include "store/store.h"
#include "world.h"

struct run_options {
	struct shard_config shards;
	struct judge_budgets judge;
	struct judge_trust *trust;
	unsigned threads;
	bool separate;		  /* files given together share no flows */
	const char *vantage;	  /* "" or a name */
	size_t kept_max;	  /* sessions that the store keeps in all */
	size_t cross_check_bytes; /* of shards.cross_check, if there is one */
};

/* A capture as it is read: what the run asks of probe/capture, so that the
 * pipeline does not include it. */
struct run_source {
	void *capture;
	const char *path;
	/* 1: a frame; 0: the end; -1: damaged or unreadable. */
	int (*next)(void *capture, struct frame *);
	struct block *(*block)(void *capture);
	/* Everything of the row that the file itself tells; after the end. */
	void (*describe)(void *capture, struct capture_row *);
};

struct run;

/* `facts` may be NULL; everything is borrowed. NULL: no memory. */
struct run *
run_create(const struct run_options *, struct store *, struct world *,
    const struct frame_holder *, fact_fn *facts, void *facts_context);
void run_destroy(struct run *);

enum run_result {
	RUN_READ,    /* to its end */
	RUN_DAMAGED, /* what could be read was taken */
	RUN_KNOWN,   /* the same content was read in this run already */
	RUN_STOPPED, /* `stop` was set: nothing of it is kept */
};

/* `tick` is called now and then; it and `stop` may be NULL. */
enum run_result run_capture(struct run *, const struct run_source *,
    const volatile sig_atomic_t *stop,
    void (*tick)(void *context, uint64_t packets, uint64_t sessions,
	uint64_t incidents),
    void *tick_context);
/*
 * Writes all captures and judges what they touch. -1: the store failed,
 * store_error() says why; captures written before that stay.
 */
int run_finish(struct run *);
/* The path of the capture with ordinal `ordinal`, for facts. */
const char *run_path(const struct run *, uint32_t ordinal);
/* The rows that were written, in order; after run_finish(). */
size_t run_captures(const struct run *, const struct capture_row **);
/* Of all that was read: why sessions could not be judged. */
uint64_t run_unjudged(const struct run *);

#endif
