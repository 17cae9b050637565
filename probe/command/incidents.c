/* striplight incidents: what was found, one line each. */
#include <stdio.h>
#include <string.h>

#include "incident_options.h"
#include "probe/output/eve.h"
#include "probe/output/style.h"
#include "probe/output/text.h"
#include "probe/pipeline/campaigns.h"
#include "store/store.h"
#include "word.h"

struct listing {
	struct incident_options wanted;
	struct common_options common;
	struct json json;
	struct campaigns *campaigns;
	struct incident incident; /* with its campaign */
	uint64_t count;
	bool by_campaign, failed;
};

static int
on_setting(void *context, enum setting_id id, const struct setting_value *value,
    char wrong[SETTING_WRONG_BYTES])
{
	struct listing *l = context;

	l->by_campaign |= id == SET_CAMPAIGNS;
	return incident_setting(&l->wanted, id, value, wrong);
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
	    store_each_incident(store, &l->wanted.filter, on_incident, l);
}

int
command_incidents(int argc, char **argv)
{
	struct listing l = { 0 };
	char errbuf[STORE_ERRBUF];
	struct store *store;
	int first, status;

	if (argc > 1 && word_is_command(argv[1]))
		return word_command(argc - 1, argv + 1);
	first = options_parse(COMMAND_INCIDENTS, &l.common, on_setting, &l,
	    argc, argv);
	if (first < 0)
		return first == -1 ? STATUS_OK : STATUS_ERROR;
	if (l.by_campaign && l.common.format == FORMAT_CSV)
		return usage_error(COMMAND_INCIDENTS, "csv is for incidents");
	if (first < argc)
		return usage_error(COMMAND_INCIDENTS,
		    "\"%s\" is not wanted here", argv[first]);
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
