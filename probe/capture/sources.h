/*
 * probe/capture/sources.h - which captures a command line means.
 */
#ifndef PROBE_CAPTURE_SOURCES_H
#define PROBE_CAPTURE_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source {
	char *path;	    /* "-": standard input */
	const char *folder; /* in which it was found, as that was given to
				 * sources_add(), borrowed; NULL: named itself */
	bool is_capture;    /* for who opens it to note */
	int64_t first_ns;   /* of its first frame, after sources_order() */
	bool dated;	    /* it has one */
};

struct sources {
	struct source *list;
	size_t count;
};

#define SOURCES_ERRBUF 512

/*
 * Adds a file, "-", or all files below a folder, in byte order of their
 * paths. -1 with a message that names the first path that cannot be looked
 * into; what was added stays.
 */
int
sources_add(struct sources *, const char *path, char errbuf[SOURCES_ERRBUF]);
/* By the time of the first frame; what has none comes in byte order of the
 * path behind the others, standard input last. */
void sources_order(struct sources *);
void sources_free(struct sources *);

#endif
