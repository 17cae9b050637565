/* striplight report html: all that was found, as one page for people. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "incident_options.h"
#include "probe/output/account.h"
#include "probe/output/article.h"
#include "probe/output/html.h"
#include "probe/output/listing.h"
#include "probe/output/overview.h"
#include "probe/output/page.h"
#include "probe/output/style.h"
#include "probe/pipeline/campaigns.h"
#include "report.h"
#include "sighting_facts.h"

struct reporting {
	struct common_options common;
	struct incident_options wanted;
	const char *path, *title;
	struct store *store;
	struct campaigns *campaigns;
	struct overview overview;
	struct listing *listing;
	struct incident incident; /* with its campaign */
	FILE *article;
	FILE *out;
	unsigned rows; /* of the table that is being written */
};

static int
on_setting(void *context, enum setting_id id, const struct setting_value *value,
    char wrong[SETTING_WRONG_BYTES])
{
	struct reporting *r = context;

	switch ((int)id) {
	case SET_PAGE:
		r->path = value->text;
		return 0;
	case SET_TITLE:
		r->title = value->text;
		return 0;
	default:
		return incident_setting(&r->wanted, id, value, wrong);
	}
}

/* --- what the store holds ------------------------------------------------- */

static int
on_capture_sum(void *context, const struct capture_row *row)
{
	struct reporting *r = context;

	totals_add_capture(&r->overview.totals, row);
	return 0;
}

static int
on_revision(void *context, const struct incident *in)
{
	struct reporting *r = context;
	char text[ACCOUNT_BYTES];

	article_record(r->article, "Verdict over time",
	    account_revision(in, text));
	return 0;
}

static int
on_word(void *context, const struct word *word)
{
	struct reporting *r = context;
	char text[ACCOUNT_BYTES];

	article_record(r->article, "Operator said",
	    account_word(&(struct said){ word_verb_name(word->verb),
			     label_name(word->label), word->note, word->user,
			     word->said_ns },
		text));
	return 0;
}

static void
put_campaign(struct reporting *r)
{
	const struct incident_campaign *c = &r->incident.campaign;
	char text[160];

	if (c->incidents == 0)
		return;
	snprintf(text, sizeof(text),
	    "one of %llu incidents of the same act, %llu clients, %llu "
	    "servers; campaign %.8s",
	    (unsigned long long)c->incidents, (unsigned long long)c->clients,
	    (unsigned long long)c->servers, c->id);
	article_record(r->article, "Campaign", text);
}

static int
write_article(struct reporting *r)
{
	const struct incident *in = &r->incident;
	struct sighting_facts facts;
	int status;

	if (sighting_facts_load(r->store, &r->incident, &facts) < 0)
		return -1;
	article_open(r->article, in, facts.facts);
	put_campaign(r);
	status = in->revision == 1 ?
	    0 :
	    store_each_revision(r->store, in->id, on_revision, r);
	if (status == 0 && in->words.count > 0)
		status = store_each_word(r->store, in->id, on_word, r);
	article_close(r->article);
	sighting_facts_free(&facts);
	return status;
}

static int
on_incident(void *context, const struct incident *in)
{
	struct reporting *r = context;
	char *text = NULL;
	size_t length = 0;
	int status;

	r->article = open_memstream(&text, &length);
	if (r->article == NULL) {
		r->overview.failed = true;
		return 1;
	}
	r->incident = *in;
	campaigns_mark(r->campaigns, &r->incident);
	status = write_article(r);
	fclose(r->article);
	overview_add(&r->overview, &r->incident);
	listing_add(r->listing, &r->incident, slice_of(text, length));
	free(text);
	return status;
}

/* --- the page ------------------------------------------------------------- */

enum { SUMMARY, WHAT, WHO, CAMPAIGNS, INCIDENTS, UNJUDGED, WORDS, PARTS };
static const struct page_part parts[PARTS + 1] = {
	[SUMMARY] = { "summary", "In short" },
	[WHAT] = { "what", "What happened, and when" },
	[WHO] = { "who", "Who is affected" },
	[CAMPAIGNS] = { "campaigns", "Repetitions" },
	[INCIDENTS] = { "all", "Each incident" },
	[UNJUDGED] = { "read", "What was read, and what it cannot show" },
	[WORDS] = { "words", "The words on this page" },
};

static int
on_campaign(void *context, const struct incident *first)
{
	struct reporting *r = context;

	if (r->rows++ == 0)
		overview_campaign_head(r->out);
	overview_campaign(r->out, first);
	return 0;
}

static int
on_capture(void *context, const struct capture_row *row)
{
	struct reporting *r = context;

	if (r->rows++ == 0)
		overview_capture_head(r->out);
	overview_capture(r->out, row);
	return 0;
}

static int
on_clear(void *context, const struct clear_enforce_row *row)
{
	struct reporting *r = context;

	if (r->rows++ == 0)
		overview_clear_head(r->out);
	overview_clear(r->out, row);
	return 0;
}

static void
end_table(struct reporting *r)
{
	if (r->rows > 0)
		overview_table_end(r->out);
	r->rows = 0;
}

/* Who reads a part must not take it for the whole. */
static void
put_limit(struct reporting *r, const char *what, const char *value)
{
	html_print(r->out, "%s %s %s",
	    r->rows++ == 0 ? "Only a part of what was found is shown:" : ",",
	    what, value);
}

static void
write_limits(struct reporting *r)
{
	const struct incident_filter *f = &r->wanted.filter;
	char text[ADDRESS_TEXT_BYTES], time[32];

	fputs("<p class=\"doubt\">", r->out);
	if (f->kind != NULL)
		put_limit(r, "kind", f->kind);
	if (f->certainty > CERTAINTY_POSSIBLE)
		put_limit(r, "from certainty", certainty_name(f->certainty));
	if (f->server != NULL)
		put_limit(r, "server", address_format(f->server, text));
	if (f->client != NULL)
		put_limit(r, "client", address_format(f->client, text));
	if (f->domain != NULL)
		put_limit(r, "recipients in", f->domain);
	if (f->since_ns != 0)
		put_limit(r, "from (UTC)", style_time(f->since_ns, time));
	if (f->until_ns != 0)
		put_limit(r, "before (UTC)", style_time(f->until_ns, time));
	fputs(r->rows > 0 ? ". Captures and repetitions are those of all.</p>" :
			    "</p>",
	    r->out);
	r->rows = 0;
}

static void
write_found(struct reporting *r)
{
	page_part_open(r->out, &parts[SUMMARY]);
	write_limits(r);
	overview_summary(r->out, &r->overview);
	page_part_close(r->out);
	page_part_open(r->out, &parts[WHAT]);
	overview_time(r->out, &r->overview);
	overview_kinds(r->out, &r->overview);
	page_part_close(r->out);
	page_part_open(r->out, &parts[WHO]);
	overview_affected(r->out, &r->overview);
	page_part_close(r->out);
	page_part_open(r->out, &parts[CAMPAIGNS]);
	campaigns_each(r->campaigns, on_campaign, r);
	if (r->rows == 0)
		fputs("<p>No act was seen more than once.</p>", r->out);
	end_table(r);
	page_part_close(r->out);
}

static int
write_read(struct reporting *r)
{
	int status;

	page_part_open(r->out, &parts[UNJUDGED]);
	overview_unjudged(r->out, &r->overview);
	status = store_each_clear_enforce(r->store, NULL, on_clear, r);
	end_table(r);
	if (status == 0)
		status = store_each_capture(r->store, on_capture, r);
	end_table(r);
	page_part_close(r->out);
	return status;
}

static int
write_page(struct reporting *r)
{
	int status;

	page_open(r->out, r->title,
	    "When somebody takes the encryption of mail away, this says what "
	    "was seen, how sure that is, and what to do.");
	page_contents(r->out, parts);
	write_found(r);
	page_part_open(r->out, &parts[INCIDENTS]);
	if (listing_write(r->listing, r->out) != 0)
		r->overview.failed = true;
	page_part_close(r->out);
	status = write_read(r);
	page_part_open(r->out, &parts[WORDS]);
	page_words(r->out);
	page_part_close(r->out);
	page_close(r->out);
	return status;
}

/* --- the command ---------------------------------------------------------- */

static int
gather(struct reporting *r)
{
	r->campaigns = campaigns_find(r->store);
	r->listing = listing_create();
	if (r->campaigns == NULL || r->listing == NULL)
		return -1;
	if (store_each_capture(r->store, on_capture_sum, r) != 0)
		return -1;
	return store_each_incident(r->store, &r->wanted.filter, on_incident, r);
}

static int
complain_of_output(const struct reporting *r)
{
	complain("%s: %s", r->path == NULL ? "standard output" : r->path,
	    strerror(errno));
	return STATUS_ERROR;
}

static int
report_to(struct reporting *r)
{
	int status;

	if (gather(r) != 0)
		goto failed;
	r->out = r->path == NULL ? stdout : fopen(r->path, "w");
	if (r->out == NULL)
		return complain_of_output(r);
	status = write_page(r);
	if (fflush(r->out) != 0 || ferror(r->out))
		status = complain_of_output(r);
	if (r->out != stdout)
		fclose(r->out);
	if (status > 0)
		return status;
	if (status == 0 && !r->overview.failed)
		return STATUS_OK;
failed:
	complain("%s",
	    store_error(r->store)[0] ? store_error(r->store) : "out of memory");
	return STATUS_ERROR;
}

int
report_html(int argc, char **argv)
{
	struct reporting *r = calloc(1, sizeof(*r));
	char errbuf[STORE_ERRBUF];
	int first, status = STATUS_ERROR;

	if (r == NULL) {
		complain("out of memory");
		return STATUS_ERROR;
	}
	overview_init(&r->overview);
	first = options_parse(COMMAND_REPORT_HTML, &r->common, on_setting, r,
	    argc, argv);
	if (first < 0) {
		status = first == -1 ? STATUS_OK : STATUS_ERROR;
	} else if (first < argc) {
		status = usage_error(COMMAND_REPORT_HTML,
		    "\"%s\" is not wanted here", argv[first]);
	} else if (r->path == NULL && isatty(STDOUT_FILENO)) {
		status = usage_error(COMMAND_REPORT_HTML,
		    "a page is nothing for a terminal: --out FILE");
	} else {
		r->store = store_open(r->common.db, STORE_READ, errbuf);
		if (r->store == NULL)
			complain("%s", errbuf);
		else
			status = report_to(r);
	}
	overview_free(&r->overview);
	listing_free(r->listing);
	campaigns_free(r->campaigns);
	store_close(r->store);
	free(r);
	return status;
}
