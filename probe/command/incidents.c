/* striplight incidents: what was found, one line each. */
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "probe/output/eve.h"
#include "probe/output/style.h"
#include "probe/output/text.h"
#include "probe/pipeline/campaigns.h"
#include "store/store.h"
#include "word.h"

enum {
	OPTION_ALL = 300,
	OPTION_KIND,
	OPTION_CERTAINTY,
	OPTION_SERVER,
	OPTION_CLIENT,
	OPTION_DOMAIN,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_CAMPAIGNS,
};

static const struct option_row rows[] = {
	{ "all", OPTION_ALL, NULL, "withdrawn ones too" },
	{ "kind", OPTION_KIND, "KIND", "only these (see striplight rules)" },
	{ "certainty", OPTION_CERTAINTY, "WORD",
	    "possible (default), likely or demonstrated, and above" },
	{ "server", OPTION_SERVER, "ADDRESS", "only with this server" },
	{ "client", OPTION_CLIENT, "ADDRESS", "only with this client" },
	{ "domain", OPTION_DOMAIN, "DOMAIN", "only with this recipient" },
	{ "since", OPTION_SINCE, "TIME", "from this time on (RFC 3339)" },
	{ "until", OPTION_UNTIL, "TIME", "before this time" },
	{ "campaigns", OPTION_CAMPAIGNS, NULL,
	    "repetitions of one act instead: same kind and mask, and a server "
	    "or client network in common" },
	{ NULL, 0, NULL, NULL },
};

struct listing {
	struct incident_filter filter;
	struct address server, client;
	struct common_options common;
	struct json json;
	struct campaigns *campaigns;
	struct incident incident; /* with its campaign */
	uint64_t count;
	bool by_campaign, failed;
};

static int
set_address(struct address *out, const struct address **filter,
    const char *text)
{
	if (!address_parse(text, out)) {
		complain("incidents: \"%s\" is not an IP address", text);
		return -1;
	}
	*filter = out;
	return 0;
}

static int
on_option(void *context, int letter, const char *value)
{
	struct listing *l = context;
	enum kind kind;

	switch (letter) {
	case OPTION_ALL:
		l->filter.all = true;
		return 0;
	case OPTION_KIND:
		if (!kind_parse(value, &kind)) {
			complain("incidents: unknown kind \"%s\"; striplight "
				 "rules list has them",
			    value);
			return -1;
		}
		l->filter.kind = kind_name(kind);
		return 0;
	case OPTION_CERTAINTY:
		if (!certainty_parse(value, &l->filter.certainty)) {
			complain("incidents: unknown certainty \"%s\"", value);
			return -1;
		}
		return 0;
	case OPTION_SERVER:
		return set_address(&l->server, &l->filter.server, value);
	case OPTION_CLIENT:
		return set_address(&l->client, &l->filter.client, value);
	case OPTION_DOMAIN:
		l->filter.domain = value;
		return 0;
	case OPTION_CAMPAIGNS:
		l->by_campaign = true;
		return 0;
	case OPTION_SINCE:
		return option_time("incidents", &l->filter.since_ns, value);
	default:
		return option_time("incidents", &l->filter.until_ns, value);
	}
}

static int
on_incident(void *context, const struct incident *in)
{
	struct listing *l = context;

	if (l->count++ == 0 && l->common.format == FORMAT_TEXT)
		text_table_head(stdout);
	switch (l->common.format) {
	case FORMAT_JSON:
		l->incident = *in;
		campaigns_mark(l->campaigns, &l->incident);
		json_reset(&l->json);
		eve_alert(&l->json, &l->incident);
		l->failed |= json_write(&l->json, stdout) != 0;
		break;
	case FORMAT_CSV:
		text_csv_row(stdout, in);
		break;
	default:
		text_table_row(stdout, in);
		break;
	}
	return l->failed ? 1 : 0;
}

static int
on_campaign(void *context, const struct incident *in)
{
	struct listing *l = context;

	if (l->count++ == 0 && l->common.format == FORMAT_TEXT)
		text_campaign_head(stdout);
	if (l->common.format == FORMAT_JSON) {
		json_reset(&l->json);
		eve_campaign(&l->json, in);
		l->failed |= json_write(&l->json, stdout) != 0;
	} else {
		text_campaign_row(stdout, in);
	}
	return l->failed ? 1 : 0;
}

static int
list(struct listing *l, struct store *store)
{
	l->campaigns = campaigns_find(store);
	if (l->campaigns == NULL)
		return -1;
	return l->by_campaign ?
	    campaigns_each(l->campaigns, on_campaign, l) :
	    store_each_incident(store, &l->filter, on_incident, l);
}

int
command_incidents(int argc, char **argv)
{
	static const struct command_syntax syntax = { "incidents",
		"incidents [--kind KIND] [--certainty WORD] [FILTER] ...\n"
		"       striplight incidents ack|label|suppress --help",
		"Lists what was found, ordered by time: possible and above, "
		"each in its latest\nrevision. JSON is one EVE alert a line. "
		"What the operator says of them - ack, label,\nsuppress - is "
		"listed with them.",
		rows, on_option };
	struct listing l = { 0 };
	char errbuf[STORE_ERRBUF];
	struct store *store;
	int first, status;

	if (argc > 1 && word_is_command(argv[1]))
		return word_command(argc - 1, argv + 1);
	common_options_init(&l.common);
	first = options_parse(&syntax, &l.common, &l, argc, argv);
	if (first < 0)
		return first == -1 ? STATUS_OK : STATUS_ERROR;
	if (l.by_campaign && l.common.format == FORMAT_CSV)
		return usage_error(&syntax, "csv is for incidents");
	if (first < argc)
		return usage_error(&syntax, "\"%s\" is not wanted here",
		    argv[first]);
	style_color(l.common.color);
	store = store_open(l.common.db, STORE_READ, errbuf);
	if (store == NULL) {
		complain("%s", errbuf);
		return STATUS_ERROR;
	}
	json_init(&l.json);
	if (l.common.format == FORMAT_CSV)
		text_csv_head(stdout);
	status = list(&l, store);
	if (status < 0)
		complain("%s", store_error(store));
	else if (l.count == 0 && l.common.format == FORMAT_TEXT)
		printf(l.by_campaign ? "No campaign.\n" : "No incident.\n");
	if (fflush(stdout) != 0 || ferror(stdout) || l.failed) {
		complain("standard output cannot be written");
		status = -1;
	}
	json_free(&l.json);
	campaigns_free(l.campaigns);
	store_close(store);
	return status < 0 ? STATUS_ERROR : STATUS_OK;
}
