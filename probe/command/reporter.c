#include "reporter.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "probe/output/metrics.h"
#include "probe/output/notify.h"
#include "probe/output/stats_event.h"

void
reporter_init(struct reporter *r, const struct reporter_options *options,
    int64_t started_ns, int64_t monotonic_ns)
{
	memset(r, 0, sizeof(*r));
	r->options = *options;
	r->now.started_ns = r->now.now_ns = started_ns;
	r->before = r->now;
	r->due_ns = monotonic_ns;
	json_init(&r->json);
}

void
reporter_free(struct reporter *r)
{
	json_free(&r->json);
}

bool
reporter_is_due(const struct reporter *r, int64_t monotonic_ns)
{
	return monotonic_ns >= r->due_ns;
}

/* --- what the system knows ----------------------------------------------- */

/* The first words of a small file; "": it is not there. */
static void
read_text(const char *path, char *out, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, room - 1);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

void
reporter_look_at_link(struct health_interface *in)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s/operstate", in->name);
	read_text(path, text, sizeof(text));
	/* "any" and the like are no interface and always there; some, lo among
	 * them, say "unknown" while they are up. */
	in->up = strcmp(in->name, "any") == 0 || strcmp(text, "up") == 0 ||
	    strcmp(text, "unknown") == 0;
	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/rx_packets",
	    in->name);
	read_text(path, text, sizeof(text));
	in->link_known = text[0] != '\0';
	in->link_packets = strtoull(text, NULL, 10);
}

static uint64_t
memory_of(long pid)
{
	char path[64], text[128];
	unsigned long pages = 0;

	snprintf(path, sizeof(path), "/proc/%ld/statm", pid);
	read_text(path, text, sizeof(text));
	return sscanf(text, "%*u %lu", &pages) == 1 ?
	    pages * (uint64_t)sysconf(_SC_PAGESIZE) :
	    0;
}

uint64_t
reporter_memory(pid_t pid)
{
	char path[64], children[256], *end;
	uint64_t sum = memory_of(pid);

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)pid,
	    (long)pid);
	read_text(path, children, sizeof(children));
	for (char *at = children;; at = end) {
		long child = strtol(at, &end, 10);

		if (end == at)
			return sum;
		sum += memory_of(child);
	}
}

/* --- telling ------------------------------------------------------------- */

static void
write_metrics(struct reporter *r)
{
	char errbuf[METRICS_ERRBUF];
	bool fault = r->options.metrics != NULL &&
	    metrics_write(r->options.metrics, &r->now, &r->signs, errbuf) != 0;

	if (fault && !r->fault)
		complain("%s; metrics are written when it can be", errbuf);
	r->fault = fault;
}

static void
tell_manager(const struct reporter *r)
{
	char line[HEALTH_LINE_BYTES], state[HEALTH_LINE_BYTES + 8];

	snprintf(state, sizeof(state), "STATUS=%s",
	    health_line(&r->now, &r->signs, line));
	notify_send(r->options.notify, state);
}

const struct json *
reporter_tell(struct reporter *r, int64_t wall_ns, int64_t monotonic_ns)
{
	r->now.now_ns = wall_ns;
	health_assess(&r->before, &r->now, &r->signs);
	write_metrics(r);
	tell_manager(r);
	json_reset(&r->json);
	stats_event(&r->json, &r->now, &r->signs);
	r->before = r->now;
	r->due_ns = monotonic_ns + r->options.interval_ns;
	return &r->json;
}

void
reporter_say(const struct reporter *r)
{
	char line[HEALTH_LINE_BYTES];

	complain("%s", health_line(&r->now, &r->signs, line));
}

void
reporter_feed_watchdog(struct reporter *r, int64_t monotonic_ns)
{
	if (r->options.watchdog_ns == 0 ||
	    monotonic_ns - r->fed_ns < r->options.watchdog_ns)
		return;
	notify_send(r->options.notify, "WATCHDOG=1");
	r->fed_ns = monotonic_ns;
}
