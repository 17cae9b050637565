/*
 * probe/fetch/https.h - GET of a policy, as RFC 8461 3.3 wants it (libcurl).
 *
 * A certificate that chains to a trusted root, in date, and names the host in
 * a SAN dNSName: wildcards only as the whole left-most label, never the CN.
 * No redirects, no proxy, no cache, no compression, no more than 64 KiB of
 * what really comes, and a limit on the time.
 */
#ifndef PROBE_FETCH_HTTPS_H
#define PROBE_FETCH_HTTPS_H

#include "dissect/address.h"
#include "dissect/slice.h"
#include "rules/tls_report.h"

#define HTTPS_ERRBUF 256
#define HTTPS_ADDRESSES_MAX 8

struct https;
struct https_options {
	const char *trust; /* file or folder of roots; NULL: the system's */
	unsigned port;	   /* 443 */
	unsigned seconds;  /* for one GET in all */
	bool private_addresses; /* may be connected to */
};

/* NULL with a message. */
struct https *
https_create(const struct https_options *, char errbuf[HTTPS_ERRBUF]);
void https_destroy(struct https *);

/* Borrowed for the callback. */
struct https_answer {
	enum tls_result result; /* NONE: `body` is what was served */
	char why[192];
	struct slice body;
	bool media_type_ok;  /* text/plain, or none was said */
	char media_type[80]; /* as it was said */
};
typedef void https_fn(void *context, const struct https_answer *);

struct https_get;
/* From one of `addresses`, which are judged before: the name is not looked up
 * again. NULL: no memory. The callback comes from https_process(). */
struct https_get *https_get(struct https *, const char *host, const char *path,
    const struct address *addresses, size_t count, https_fn *, void *context);
/* No callback any more. */
void https_cancel(struct https *, struct https_get *);
/* Waits for anything to happen, also on `other`, at most so long. */
void https_wait(struct https *, int other, int milliseconds);
void https_process(struct https *);

#endif
