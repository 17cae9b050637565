/* striplight stats: what was seen and what was lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "options.h"
#include "probe/output/style.h"
#include "probe/output/totals.h"
#include "store/store.h"

/* More captures than fit on a screen are only summed, unless asked for. */
#define CAPTURES_SHOWN 10
#define CLEAR_SHOWN 20
#define ASKERS_SHOWN 20

struct counting {
	struct common_options common;
	struct store *store;
	const char *path; /* only captures called so; NULL: all */
	struct json json;
	struct totals sum;
	uint64_t clear_rows, asker_rows;
	bool failed;
};

static bool
is_wanted(const struct counting *c, const struct capture_row *row)
{
	return c->path == NULL || strcmp(c->path, row->path) == 0 ||
	    (strlen(c->path) >= 8 &&
		strncmp(c->path, row->hash, strlen(c->path)) == 0);
}

/* --- clear text against a policy ----------------------------------------- */

static int
on_clear_text(void *context, const struct clear_enforce_row *row)
{
	struct counting *c = context;
	char client[ADDRESS_TEXT_BYTES], count[32], day[32];

	if (c->clear_rows++ == 0)
		printf("\nClear text to domains that demand TLS (policy "
		       "`enforce`, or DANE), though STARTTLS was offered\n"
		       "and not asked for (most senders know neither):\n");
	if (c->clear_rows <= CLEAR_SHOWN)
		printf("  %s  %.10s  %s -> %s\n",
		    style_count(row->sessions, count),
		    style_time(row->day_start_ns, day),
		    address_format(&row->client, client), row->domain);
	return 0;
}

static int
on_clear_json(void *context, const struct clear_enforce_row *row)
{
	struct counting *c = context;
	char client[ADDRESS_TEXT_BYTES], day[32];

	style_time(row->day_start_ns, day);
	json_object_open(&c->json, NULL);
	json_text(&c->json, "client", address_format(&row->client, client));
	json_text(&c->json, "domain", row->domain);
	json_slice(&c->json, "day", slice_of(day, 10));
	json_unsigned(&c->json, "sessions", row->sessions);
	json_object_close(&c->json);
	return 0;
}

/* --- who asks for policies ----------------------------------------------- */

static int
on_asker_text(void *context, const struct policy_asker_row *row)
{
	struct counting *c = context;
	char client[ADDRESS_TEXT_BYTES], last[32];

	if (c->asker_rows++ == 0)
		printf("\nClients that looked an MTA-STS policy up (where it "
		       "says `enforce`, they deliver with TLS or not at "
		       "all):\n");
	if (c->asker_rows <= ASKERS_SHOWN)
		printf("  %s  %s -> %s\n", style_time(row->last_ns, last),
		    address_format(&row->client, client), row->domain);
	return 0;
}

static int
on_asker_json(void *context, const struct policy_asker_row *row)
{
	struct counting *c = context;
	char client[ADDRESS_TEXT_BYTES], last[32];

	json_object_open(&c->json, NULL);
	json_text(&c->json, "client", address_format(&row->client, client));
	json_text(&c->json, "domain", row->domain);
	json_text(&c->json, "last", style_time(row->last_ns, last));
	json_object_close(&c->json);
	return 0;
}

/* --- captures ------------------------------------------------------------ */

static int
count_incidents(struct counting *c, struct totals *t,
    const struct capture_row *row)
{
	struct incident_filter filter = { .captures = row, .capture_count = 1 };

	return store_each_incident(c->store, &filter, totals_add_incident, t);
}

static void
put_names(struct json *j, const struct capture_row *row)
{
	json_text(j, "pcap_filename", row->path);
	json_text(j, "hash", row->hash);
	json_text(j, "format", row->format);
	json_text(j, "link_types", row->link_types);
	if (row->vantage[0] != '\0')
		json_text(j, "vantage", row->vantage);
	if (row->fault[0] != '\0')
		json_text(j, "fault", row->fault);
}

static int
on_capture_json(void *context, const struct capture_row *row)
{
	struct counting *c = context;
	struct totals t;
	uint64_t labels[KINDS][LABELS];
	int status;

	if (!is_wanted(c, row))
		return 0;
	c->sum.captures++;
	totals_init(&t);
	totals_add_capture(&t, row);
	if (count_incidents(c, &t, row) != 0 ||
	    store_count_labels(c->store, row->hash, labels) != 0)
		return -1;
	json_reset(&c->json);
	json_object_open(&c->json, NULL);
	put_names(&c->json, row);
	totals_json(&c->json, &t);
	labels_json(&c->json, labels);
	json_array_open(&c->json, "clear_to_enforce");
	status =
	    store_each_clear_enforce(c->store, row->hash, on_clear_json, c);
	json_array_close(&c->json);
	json_array_open(&c->json, "policy_askers");
	if (status == 0)
		status = store_each_policy_asker(c->store, row->hash,
		    on_asker_json, c);
	json_array_close(&c->json);
	json_object_close(&c->json);
	if (status == 0 && json_write(&c->json, stdout) != 0)
		c->failed = true;
	return status;
}

static int
on_capture_sum(void *context, const struct capture_row *row)
{
	struct counting *c = context;

	if (!is_wanted(c, row))
		return 0;
	totals_add_capture(&c->sum, row);
	/* One capture alone is filtered; of all, incidents count once. */
	return c->path == NULL ? 0 : count_incidents(c, &c->sum, row);
}

static int
on_capture_line(void *context, const struct capture_row *row)
{
	struct counting *c = context;
	char packets[32], sessions[32], path[SAFE_BYTES];

	if (!is_wanted(c, row))
		return 0;
	printf("  %s: %s packets, %s sessions%s%s%s%s\n",
	    style_safe(row->path, path), style_count(row->packets, packets),
	    style_count(row->tally.sessions, sessions),
	    row->vantage[0] ? ", from " : "", row->vantage,
	    row->fault[0] ? "; " : "", row->fault);
	return 0;
}

/* --- all of it ----------------------------------------------------------- */

static int
print_labels(struct counting *c)
{
	uint64_t counts[KINDS][LABELS];

	if (store_count_labels(c->store, NULL, counts) != 0)
		return -1;
	labels_print(stdout, counts);
	return 0;
}

static int
show_text(struct counting *c)
{
	struct incident_filter all = { 0 };

	if (store_each_capture(c->store, on_capture_sum, c) != 0 ||
	    (c->path == NULL &&
		store_each_incident(c->store, &all, totals_add_incident,
		    &c->sum) != 0))
		return -1;
	totals_print(stdout, &c->sum);
	if (c->path == NULL) {
		if (store_each_clear_enforce(c->store, NULL, on_clear_text,
			c) != 0)
			return -1;
		if (c->clear_rows > CLEAR_SHOWN)
			printf("  and %llu more: --format json\n",
			    (unsigned long long)(c->clear_rows - CLEAR_SHOWN));
		if (store_each_policy_asker(c->store, NULL, on_asker_text, c) !=
		    0)
			return -1;
		if (c->asker_rows > ASKERS_SHOWN)
			printf("  and %llu more: --format json\n",
			    (unsigned long long)(c->asker_rows - ASKERS_SHOWN));
	}
	if (c->path == NULL && print_labels(c) != 0)
		return -1;
	if (c->sum.captures > CAPTURES_SHOWN && !c->common.verbose) {
		printf("\n%llu captures; -v lists them\n",
		    (unsigned long long)c->sum.captures);
		return 0;
	}
	if (c->sum.captures > 0)
		fputc('\n', stdout);
	return store_each_capture(c->store, on_capture_line, c);
}

static int
show(struct counting *c)
{
	int status = c->common.format == FORMAT_JSON ?
	    store_each_capture(c->store, on_capture_json, c) :
	    show_text(c);

	if (status != 0) {
		complain("%s", store_error(c->store));
		return STATUS_ERROR;
	}
	if (fflush(stdout) != 0 || c->failed) {
		complain("standard output cannot be written");
		return STATUS_ERROR;
	}
	if (c->path != NULL && c->sum.captures == 0) {
		complain("no capture \"%s\" was read into %s", c->path,
		    c->common.db);
		return STATUS_NO;
	}
	return STATUS_OK;
}

int
command_stats(int argc, char **argv)
{
	struct counting c = { 0 };
	char errbuf[STORE_ERRBUF];
	int first, status;

	first = options_parse(COMMAND_STATS, &c.common, NULL, NULL, argc, argv);
	if (first < 0)
		return first == -1 ? STATUS_OK : STATUS_ERROR;
	if (first + 1 < argc)
		return usage_error(COMMAND_STATS, "name one capture or none");
	c.path = first < argc ? argv[first] : NULL;
	style_color(c.common.color);
	totals_init(&c.sum);
	json_init(&c.json);
	c.store = store_open(c.common.db, STORE_READ, errbuf);
	if (c.store == NULL) {
		complain("%s", errbuf);
		status = STATUS_ERROR;
	} else {
		status = show(&c);
	}
	store_close(c.store);
	json_free(&c.json);
	return status;
}
