#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "style.h"

#define BAR_CELLS 18
#define REDRAW_MS 200

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
progress_start(struct progress *p, bool quiet, const char *title, uint64_t size)
{
	memset(p, 0, sizeof(*p));
	p->shown = !quiet && isatty(STDERR_FILENO);
	p->title = title;
	p->size = size;
	p->started_ms = p->drawn_ms = now_ms();
}

static void
draw_bar(const struct progress *p, uint64_t position, int64_t elapsed_ms)
{
	double share = (double)position / (double)p->size;
	int full = (int)(share * BAR_CELLS);
	int64_t left = share > 0.01 ?
	    (int64_t)((double)elapsed_ms / share * (1 - share)) / 1000 :
	    -1;
	bool utf8 = style_utf8();

	for (int i = 0; i < BAR_CELLS; i++)
		fputs(i < full ? (utf8 ? "█" : "#") : (utf8 ? "░" : "."),
		    stderr);
	fprintf(stderr, "  %2d %%", (int)(share * 100));
	if (left >= 0)
		fprintf(stderr, "  %lld s left", (long long)left);
}

/* False: it is not the time yet. */
static bool
draw_head(struct progress *p, uint64_t position)
{
	char size[32];
	int64_t now;

	if (!p->shown || (now = now_ms()) - p->drawn_ms < REDRAW_MS)
		return false;
	p->drawn_ms = now;
	p->drawn = true;
	fprintf(stderr, "\r\033[K%s  %s  ", p->title,
	    style_bytes(p->size ? p->size : position, size));
	if (p->size > 0)
		draw_bar(p, position, now - p->started_ms);
	return true;
}

void
progress_update(struct progress *p, uint64_t position, uint64_t packets,
    uint64_t sessions, uint64_t incidents)
{
	char a[32], b[32], c[32];

	if (!draw_head(p, position))
		return;
	fprintf(stderr, "  %s packets  %s sessions  %s suspicious",
	    style_count(packets, a), style_count(sessions, b),
	    style_count(incidents, c));
	fflush(stderr);
}

void
progress_records(struct progress *p, uint64_t position, uint64_t records,
    uint64_t found)
{
	char a[32], b[32];

	if (!draw_head(p, position))
		return;
	fprintf(stderr, "  %s records  %s suspicious", style_count(records, a),
	    style_count(found, b));
	fflush(stderr);
}

void
progress_end(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}
