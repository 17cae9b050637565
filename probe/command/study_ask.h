/*
 * probe/command/study_ask.h - a question to a study: the options that table,
 * plot and export share, the snapshot that is asked, and its answer.
 */
#ifndef PROBE_COMMAND_STUDY_ASK_H
#define PROBE_COMMAND_STUDY_ASK_H

#include "probe/study/tally.h"
#include "study.h"

#define NETWORK_FILES_MAX 8

/* What is asked, and of what. */
struct asking {
	struct common_options common;
	struct question question;
	const char *snapshot_wanted, *freeze;
	const char *network_files[NETWORK_FILES_MAX];
	unsigned network_file_count;
	struct networks *networks;
	struct store *store;
	/* The snapshot: everything that was read to its end. */
	char snapshot[17], labels[128], rules[64];
	uint64_t sources, records, malformed, incomplete;
	uint64_t seen_bytes, lost_bytes, captures_vantages;
	char vantages[8][64]; /* of scans; the first ones */
	bool mixed_rules;
};

void asking_init(struct asking *);
void asking_free(struct asking *);
/* A set_fn, of what they share. */
int asking_setting(void *asking, enum setting_id, const struct setting_value *,
    char wrong[SETTING_WRONG_BYTES]);
/* Opens the database, freezes it, and sees what there is. An exit status. */
int asking_open(struct asking *);
/* Counts; NULL after saying why. Destroy `tally` when it is done with. */
const struct tally_result *
asking_count(struct asking *, struct study_tally **tally);

/* "server: affected if at least 1 of its judged sessions, and 50 % of them,
 * were found tampered with (likely or surer)" */
void asking_unit_text(const struct asking *, char out[256]);
/* Why there is no interval for a population; "": there is. */
const char *asking_no_interval(const struct asking *, const struct group *);

#endif
