#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "striplight_"
#define SECONDS(ns) ((double)(ns) / 1e9)

/* In the order in which they are read: HELP, TYPE, then the values. */
static void
head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name,
	    help, name, type);
}

/* Whole numbers as such, up to where a double has them all; of times the
 * milliseconds. */
static void
print_value(FILE *out, double value)
{
	if (value == (double)(int64_t)value && value < 9007199254740992.0)
		fprintf(out, " %lld\n", (long long)value);
	else
		fprintf(out, value > 1e6 ? " %.3f\n" : " %.9g\n", value);
}

static void
print_metrics(FILE *out, const struct health *h, const struct health_signs *s)
{
	const struct totals *t = &h->totals;

#define GAUGE "gauge"
#define COUNTER "counter"
#define METRIC(name, type, value, help)  \
	head(out, name, type, help);     \
	fprintf(out, PREFIX "%s", name); \
	print_value(out, (double)(value));
#include "metrics.def"
#undef METRIC
#undef COUNTER
#undef GAUGE
}

/* "decoder.pkts" is striplight_decoder_pkts_total. */
static void
print_counters(FILE *out, const struct counters *c)
{
	for (int i = 0; i < COUNTERS; i++) {
		char name[64];

		/* It has a name without a dot already. */
		if (i == COUNTER_SESSIONS)
			continue;
		snprintf(name, sizeof(name), "%s_total",
		    counter_name((enum counter)i));
		for (char *dot = name; (dot = strchr(dot, '.')) != NULL;)
			*dot = '_';
		head(out, name, "counter", counter_text((enum counter)i));
		fprintf(out, PREFIX "%s %llu\n", name,
		    (unsigned long long)c->of[i]);
	}
}

static void
print_axes(FILE *out, const struct health *h)
{
	struct tally tally = h->totals.tally;

	for (int a = 0; a < AXES; a++) {
		const uint64_t *counts = axis_counts(&tally, a);
		char name[48];

		snprintf(name, sizeof(name), "sessions_%s_total", axis_name(a));
		head(out, name, "counter",
		    a == AXIS_UNJUDGED ?
			"Sessions that could not be judged, by reason." :
			"Sessions, as stats has them: adds up to all.");
		for (int i = 0; i < axis_values(a); i++)
			fprintf(out, PREFIX "%s{%s=\"%s\"} %llu\n", name,
			    a == AXIS_UNJUDGED ? "reason" : axis_name(a),
			    axis_value_name(a, i),
			    (unsigned long long)counts[i]);
	}
}

static void
print_incidents(FILE *out, const struct totals *t)
{
	head(out, "incidents_total", "counter",
	    "Incidents found, by kind and certainty.");
	for (int k = 0; k < KINDS; k++)
		for (int c = CERTAINTY_POSSIBLE; c <= CERTAINTY_DEMONSTRATED;
		     c++)
			fprintf(out,
			    PREFIX "incidents_total{kind=\"%s\","
				   "certainty=\"%s\"} %llu\n",
			    kind_name((enum kind)k),
			    certainty_name((enum certainty)c),
			    (unsigned long long)t->incidents[k][c]);
}

/* A name of an interface may have any octet but '/' and white space. */
static void
print_label(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void
print_interfaces(FILE *out, const struct health *h)
{
	static const struct {
		const char *name, *type, *help;
		size_t offset;
	} of[] = {
		{ "capture_kernel_packets_total", "counter",
		    "Packets that passed the filter.",
		    offsetof(struct health_interface, received) },
		{ "capture_kernel_lost_total", "counter",
		    "Of these those that found no room in the kernel.",
		    offsetof(struct health_interface, lost) },
		{ "capture_interface_lost_total", "counter",
		    "Packets that the interface lost.",
		    offsetof(struct health_interface, interface_lost) },
		{ "capture_link_packets_total", "counter",
		    "All packets that came in at the interface.",
		    offsetof(struct health_interface, link_packets) },
	};

	head(out, "interface_up", "gauge", "1 while the interface is up.");
	for (unsigned i = 0; i < h->interface_count; i++) {
		fputs(PREFIX "interface_up{interface=\"", out);
		print_label(out, h->interfaces[i].name);
		fprintf(out, "\"} %d\n", h->interfaces[i].up);
	}
	for (size_t m = 0; m < sizeof(of) / sizeof(*of); m++) {
		head(out, of[m].name, of[m].type, of[m].help);
		for (unsigned i = 0; i < h->interface_count; i++) {
			const struct health_interface *in = &h->interfaces[i];
			uint64_t value;

			memcpy(&value, (const char *)in + of[m].offset,
			    sizeof(value));
			fprintf(out, PREFIX "%s{interface=\"", of[m].name);
			print_label(out, in->name);
			fprintf(out, "\"} %llu\n", (unsigned long long)value);
		}
	}
}

static void
print_threads(FILE *out, const struct health *h)
{
	head(out, "capture_thread_packets_total", "counter",
	    "Packets that passed the filter, by the thread that they went to.");
	for (unsigned i = 0; i < h->thread_count; i++)
		fprintf(out,
		    PREFIX "capture_thread_packets_total{thread=\"%u\"} %llu\n",
		    i, (unsigned long long)h->threads[i].received);
	head(out, "capture_thread_lost_total", "counter",
	    "Of these those that found no room in the kernel.");
	for (unsigned i = 0; i < h->thread_count; i++)
		fprintf(out,
		    PREFIX "capture_thread_lost_total{thread=\"%u\"} %llu\n", i,
		    (unsigned long long)h->threads[i].lost);
}

static void
print_state(FILE *out, const struct health_signs *s)
{
	head(out, "state", "gauge",
	    "1 for what the sensor is: watching, quiet (no mail, and no sign "
	    "that any was missed) or blind.");
	for (int i = 0; i < HEALTH_STATES; i++)
		fprintf(out, PREFIX "state{state=\"%s\"} %d\n",
		    health_state_name((enum health_state)i),
		    s->state == (enum health_state)i);
	head(out, "blind", "gauge", "1 for each reason why it is blind.");
	for (int r = 0; r < BLIND_REASONS; r++)
		fprintf(out, PREFIX "blind{reason=\"%s\"} %d\n",
		    health_reason_name((enum health_reason)r),
		    s->reasons >> r & 1);
}

void
metrics_print(FILE *out, const struct health *h, const struct health_signs *s)
{
	head(out, "build_info", "gauge", "1, of the version that runs.");
	fputs(PREFIX "build_info{version=\"" STRIPLIGHT_VERSION "\"} 1\n", out);
	print_state(out, s);
	print_metrics(out, h, s);
	print_interfaces(out, h);
	print_threads(out, h);
	print_incidents(out, &h->totals);
	print_axes(out, h);
	head(out, "store_removed_total", "counter",
	    "Rows that retention took away.");
	for (int i = 0; i < RETAINED_SORTS; i++)
		fprintf(out, PREFIX "store_removed_total{rows=\"%s\"} %llu\n",
		    retained_name((enum retained)i),
		    (unsigned long long)h->retention.removed[i]);
	print_counters(out, &h->totals.counters);
}

int
metrics_write(const char *path, const struct health *h,
    const struct health_signs *s, char errbuf[METRICS_ERRBUF])
{
	char beside[1024];
	FILE *out = NULL;
	bool written;
	int fd;

	/* Not *.prom: the collector reads all that are called so. */
	if ((size_t)snprintf(beside, sizeof(beside), "%s.new", path) >=
	    sizeof(beside)) {
		snprintf(errbuf, METRICS_ERRBUF, "%.100s...: too long a path",
		    path);
		return -1;
	}
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0644);
	/* Whoever runs the collector, and whatever the umask is. */
	if (fd >= 0 && fchmod(fd, 0644) == 0)
		out = fdopen(fd, "w");
	if (out == NULL) {
		snprintf(errbuf, METRICS_ERRBUF, "%.180s: %s", beside,
		    strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	metrics_print(out, h, s);
	written = ferror(out) == 0;
	written &= fclose(out) == 0;
	if (written && rename(beside, path) == 0)
		return 0;
	snprintf(errbuf, METRICS_ERRBUF, "%.180s: %s", path, strerror(errno));
	unlink(beside);
	return -1;
}
