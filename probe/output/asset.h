/*
 * probe/output/asset.h - what pages are dressed and moved by: page.css and
 * page.js of this folder, as they were built in.
 */
#ifndef PROBE_OUTPUT_ASSET_H
#define PROBE_OUTPUT_ASSET_H

#include <stddef.h>

struct asset {
	const char *name; /* "page.css" */
	const unsigned char *bytes;
	size_t len;
};

/* Ends with a row whose name is NULL. */
extern const struct asset assets[];

#endif
