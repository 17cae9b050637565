/*
 * probe/output/account.h - an incident in sentences, for whoever shows it.
 *
 * The words are the same on the terminal, on a page and in a case file; what
 * stands before them is each one's own.
 */
#ifndef PROBE_OUTPUT_ACCOUNT_H
#define PROBE_OUTPUT_ACCOUNT_H

#include "rules/incident.h"

#define ACCOUNT_BYTES 2048

enum account_part {
	ACCOUNT_WITHDRAWN, /* that it is, and why */
	ACCOUNT_OBSERVED,  /* what the packets show */
	ACCOUNT_ACT,	   /* what was done, and between whom */
	ACCOUNT_MAIL,	   /* what became of the mail, and whose it was */
	ACCOUNT_POLICY,	   /* what the recipients demand */
	ACCOUNT_SURE,	   /* what the certainty means */
	ACCOUNT_SUPPORT,   /* the same in numbers, with the prior */
	ACCOUNT_RESEMBLES,
	ACCOUNT_BOX,   /* a declared one */
	ACCOUNT_WHOSE, /* cause, side and resemblance */
	ACCOUNT_BENIGN,
	ACCOUNT_NEXT_STEP,
	ACCOUNT_PLACE, /* capture, frame and time */
	ACCOUNT_SESSIONS,
	ACCOUNT_OPERATOR,
	ACCOUNT_PARTS
};

/* The parts, 1 << each, one behind the other; "": there is nothing to say.
 * Returns `out`. */
const char *
account(const struct incident *, unsigned parts, char out[ACCOUNT_BYTES]);

/* What happened, as a title. */
const char *account_title(enum kind);

/* An earlier revision, in one line; each of these returns `out`. */
const char *account_revision(const struct incident *, char out[ACCOUNT_BYTES]);

/* One thing that the operator said; `label` and `note` may be "". */
struct said {
	const char *verb, *label, *note, *user;
	int64_t said_ns;
};
const char *account_word(const struct said *, char out[ACCOUNT_BYTES]);

/* A display filter of Wireshark that finds the session; `first` and `last` are
 * frames of the capture, both 0: not known. */
const char *account_filter(const struct incident *, uint64_t first,
    uint64_t last, char out[ACCOUNT_BYTES]);

#endif
