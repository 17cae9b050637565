/*
 * probe/study/networks.h - where an address is: country and AS.
 *
 * From MaxMind databases (libmaxminddb; country and ASN may be two files), or
 * from a table in a text file, a prefix a line:
 *
 *	192.0.2.0/24	DE	AS64500	Example Networks
 *
 * blanks or tabs between; "-" for a country or an AS that is not known; `#` a
 * comment; the longest prefix decides. Nothing is looked up anywhere else.
 */
#ifndef PROBE_STUDY_NETWORKS_H
#define PROBE_STUDY_NETWORKS_H

#include "dissect/address.h"

#define NETWORKS_ERRBUF 512

struct networks;

struct place {
	char country[3]; /* ISO 3166-1; "": not known */
	uint32_t as;	 /* 0: not known */
	char as_name[64];
};

struct networks *networks_create(void); /* NULL: no memory */
void networks_destroy(struct networks *);
/* A database or a table, as the file is. 0, or -1 with file, line, remedy. */
int
networks_add(struct networks *, const char *path, char errbuf[NETWORKS_ERRBUF]);
bool networks_know_countries(const struct networks *);
bool networks_know_as(const struct networks *);
/* What is not known stays empty. */
void networks_find(const struct networks *, const struct address *,
    struct place *out);

#endif
