/*
 * rules/dane.h - what a server's TLSA records demand of a sender (RFC 7672).
 */
#ifndef RULES_DANE_H
#define RULES_DANE_H

#include <stdbool.h>

#include "dissect/slice.h"

enum dane_state {
	DANE_NONE, /* no TLSA records, or not validated: opportunistic */
	DANE_TLS,  /* validated, none usable: TLS, not authenticated */
	DANE_AUTHENTICATE, /* validated, one usable: authenticate or defer */
	DANE_UNKNOWN,	   /* no valid answer: a sender must defer */
};
/* "none", "tls", "authenticate", "unknown". */
const char *dane_state_name(enum dane_state);
enum dane_state dane_state_parse(const char *name);

/*
 * Can SMTP use this TLSA record (RFC 7672 3.1: usages 2 and 3; RFC 6698 2.1:
 * selectors 0 and 1, the length of a digest)?
 */
bool dane_usable(struct slice rdata);

#endif
