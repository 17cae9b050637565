/*
 * rules/registry.h - what EHLO replies are made of: keywords, the order in
 * which products list them, and the masks that overwrite them.
 *
 * Three tab-separated files, built in and replaceable at run time:
 *   keywords.tsv   KEYWORD, who sends it, source
 *   products.tsv   product, words that name it in a greeting, order, source
 *   masks.tsv      mask, grammar, argument, samples, what writes it, source
 */
#ifndef RULES_REGISTRY_H
#define RULES_REGISTRY_H

#include "dissect/slice.h"

#define REGISTRY_ERRBUF 512
#define PRODUCT_KEYWORDS_MAX 32

struct registry;

struct product {
	char name[32];		 /* lower case */
	char title[32];		 /* as its makers write it */
	char greeting_words[96]; /* blank between; see products.tsv */
	unsigned keyword_count;
	char keywords[PRODUCT_KEYWORDS_MAX]
		     [32]; /* in the order in which it lists them */
};

/* A mask's grammar: see masks.tsv. */
enum mask_grammar {
	MASK_X_COUNTER, /* length-1 times X, then A, B, C... */
	MASK_RUN,	/* one character repeated */
};

struct mask {
	char name[32];
	enum mask_grammar grammar;
	char run;	  /* of MASK_RUN: the character */
	unsigned samples; /* transcripts that stand behind it */
	char writer[96];  /* what is known to write it */
};

/* `folder` NULL: the built-in files. NULL with a message that names file,
 * line and remedy when a file cannot be read or parsed. */
struct registry *
registry_load(const char *folder, char errbuf[REGISTRY_ERRBUF]);
void registry_free(struct registry *);
/* Hex digest over the files and the weights of evidence.def: the `rules` of a
 * provenance. */
const char *registry_version(const struct registry *);

/* Is `keyword` (any case, without arguments) a known one? */
bool registry_knows(const struct registry *, struct slice keyword);
/* Is `word` a known keyword of that length with one or two wrong octets? */
bool registry_resembles(const struct registry *, struct slice word);
size_t registry_products(const struct registry *, const struct product **);
size_t registry_masks(const struct registry *, const struct mask **);

#endif
