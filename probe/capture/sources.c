#include "sources.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture.h"

static int
add(struct sources *s, const char *path, const char *folder,
    char errbuf[SOURCES_ERRBUF])
{
	struct source *list = realloc(s->list, (s->count + 1) * sizeof(*list));

	if (list == NULL)
		goto memory;
	s->list = list;
	list[s->count] =
	    (struct source){ .path = strdup(path), .folder = folder };
	if (list[s->count].path == NULL)
		goto memory;
	s->count++;
	return 0;
memory:
	snprintf(errbuf, SOURCES_ERRBUF, "out of memory");
	return -1;
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct source *)a)->path,
	    ((const struct source *)b)->path);
}

static int
add_folder(struct sources *s, const char *path, char errbuf[SOURCES_ERRBUF])
{
	char *paths[] = { (char *)path, NULL };
	size_t before = s->count;
	FTS *tree = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	int status = 0;
	FTSENT *e;

	if (tree == NULL) {
		snprintf(errbuf, SOURCES_ERRBUF, "%s: %s", path,
		    strerror(errno));
		return -1;
	}
	/* FTS_LOGICAL follows links and tells loops by FTS_DC. */
	while ((e = fts_read(tree)) != NULL) {
		if (e->fts_info == FTS_F) {
			if (add(s, e->fts_path, path, errbuf) != 0)
				break;
		} else if (status == 0 &&
		    (e->fts_info == FTS_DNR || e->fts_info == FTS_NS ||
			e->fts_info == FTS_ERR)) {
			snprintf(errbuf, SOURCES_ERRBUF, "%.400s: %s",
			    e->fts_path, strerror(e->fts_errno));
			status = -1;
		}
	}
	if (e != NULL)
		status = -1;
	fts_close(tree);
	if (s->count > before)
		qsort(s->list + before, s->count - before, sizeof(*s->list),
		    by_path);
	return status;
}

int
sources_add(struct sources *s, const char *path, char errbuf[SOURCES_ERRBUF])
{
	struct stat st;

	if (strcmp(path, "-") != 0 && stat(path, &st) == 0 &&
	    S_ISDIR(st.st_mode))
		return add_folder(s, path, errbuf);
	return add(s, path, NULL, errbuf);
}

static void
date(struct source *source)
{
	char errbuf[CAPTURE_ERRBUF];
	struct frame frame;
	struct capture *c;
	struct stat st;
	bool is_capture;

	/* What is no file can be read once only. */
	if (strcmp(source->path, "-") == 0 || stat(source->path, &st) != 0 ||
	    !S_ISREG(st.st_mode))
		return;
	c = capture_open(source->path, &is_capture, errbuf);
	if (c != NULL && capture_next(c, &frame) == CAPTURE_FRAME) {
		source->first_ns = frame.capture_ts_ns;
		source->dated = true;
	}
	capture_close(c);
}

static int
by_date(const void *left, const void *right)
{
	const struct source *a = left, *b = right;

	if (a->dated != b->dated)
		return a->dated ? -1 : 1;
	if (a->dated && a->first_ns != b->first_ns)
		return a->first_ns < b->first_ns ? -1 : 1;
	if ((strcmp(a->path, "-") == 0) != (strcmp(b->path, "-") == 0))
		return strcmp(a->path, "-") == 0 ? 1 : -1;
	return strcmp(a->path, b->path);
}

void
sources_order(struct sources *s)
{
	if (s->count < 2)
		return;
	for (size_t i = 0; i < s->count; i++)
		date(&s->list[i]);
	qsort(s->list, s->count, sizeof(*s->list), by_date);
}

void
sources_free(struct sources *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i].path);
	free(s->list);
	*s = (struct sources){ 0 };
}
