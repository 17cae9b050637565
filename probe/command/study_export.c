/* study export: a data set to publish, with its codebook. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xxhash.h>

#include "probe/study/pseudonym.h"
#include "study_ask.h"

#define LINE_BYTES 1000
#define GROUPS_START 1024
#define GROUPS_MAX ((size_t)1 << 20)
#define TRUNCATED_V4 24
#define TRUNCATED_V6 48
#define FIELDS 18
#define SESSIONS_FIELD 5

static const struct {
	const char *name;
	bool is_text;
	const char *meaning;
} fields[FIELDS] = {
	{ "server", true, "pseudonym of the server's address, or its network" },
	{ "port", false, "of the server" },
	{ "service", true,
	    "hash of the MX name, as it was known before STARTTLS" },
	{ "client_network", true,
	    "pseudonym of the sender's network, /24 or /48; empty: not known, "
	    "or a scanner" },
	{ "day", true, "UTC" },
	{ "sessions", false, "how many the row stands for" },
	{ "judged", false,
	    "1: an offer of STARTTLS, its absence, or tampering could be seen; "
	    "0: unjudged, which is no absence" },
	{ "offered", false, "1: STARTTLS was offered, intact" },
	{ "used", false, "1: TLS was reached" },
	{ "refused", false, "1: offered, asked for and not granted" },
	{ "broken", false, "1: granted, and it came to nothing" },
	{ "carries", false,
	    "1: could carry mail: a recipient was accepted, or TLS was "
	    "reached" },
	{ "certainty", true,
	    "of tampering: possible, likely, demonstrated; empty: none was "
	    "found" },
	{ "kind", true, "of tampering: striplight rules list" },
	{ "mask", true, "what an overwriting looks like" },
	{ "product", true, "server software by its greeting or keywords" },
	{ "country", true, "ISO 3166-1, by the networks file; empty: unknown" },
	{ "small_group", false,
	    "1: few servers share country, port, product, kind and mask; leave "
	    "such rows out of what you publish further" },
};

/* Servers that share what is published beside their address. */
struct attributes {
	uint64_t hash, servers;
	uint64_t last; /* server that was counted */
};

struct exporting {
	struct asking asking;
	const char *out, *key_path;
	bool truncate, json;
	uint64_t least_group;
	uint8_t key[PSEUDONYM_KEY_BYTES];
	char key_name[PSEUDONYM_NAME_BYTES];
	struct pseudonyms *pseudonyms;
	struct attributes *groups;
	size_t group_count, group_mask;
	uint64_t rows, small;
	bool failed;
	FILE *file;
	/* Equal lines in a row are one. */
	char last[LINE_BYTES];
	uint64_t sessions;
};

/* --- groups -------------------------------------------------------------- */

static void
find_country(const struct exporting *e, const struct study_row *row,
    char out[3])
{
	struct place place;

	networks_find(e->asking.networks, &row->server.address, &place);
	memcpy(out, place.country, 3);
}

static uint64_t
hash_attributes(const struct exporting *e, const struct study_row *row)
{
	char text[160], country[3];
	int n;

	find_country(e, row, country);
	n = snprintf(text, sizeof(text), "%s\n%u\n%s\n%d\n%s", country,
	    row->server.port, row->product,
	    row->certainty != CERTAINTY_NONE ? (int)row->kind : -1, row->mask);
	/* 0 is a free place. */
	return XXH3_64bits(text, (size_t)n) | 1;
}

static struct attributes *
find_group(const struct exporting *e, uint64_t hash)
{
	size_t i = hash >> 20 & e->group_mask;

	while (e->groups[i].hash != 0 && e->groups[i].hash != hash)
		i = (i + 1) & e->group_mask;
	return &e->groups[i];
}

static bool
grow_groups(struct exporting *e)
{
	struct attributes *old = e->groups;
	size_t room = old != NULL ? e->group_mask + 1 : 0;
	size_t wanted = room != 0 ? room * 2 : GROUPS_START;

	if (wanted > GROUPS_MAX ||
	    (e->groups = calloc(wanted, sizeof(*old))) == NULL) {
		e->groups = old;
		complain("study export: more kinds of servers than there is "
			 "room for");
		e->failed = true;
		return false;
	}
	e->group_mask = wanted - 1;
	for (size_t i = 0; i < room; i++)
		if (old[i].hash != 0)
			*find_group(e, old[i].hash) = old[i];
	free(old);
	return true;
}

/* Rows come by server. */
static int
count_group(void *context, const struct study_row *row)
{
	struct exporting *e = context;
	uint64_t server =
	    XXH3_64bits(&row->server.address, sizeof(row->server.address)) | 1;
	struct attributes *group;

	if (!(row->state & STUDY_SMTP))
		return 0;
	if ((e->groups == NULL || e->group_count * 2 > e->group_mask) &&
	    !grow_groups(e))
		return 1;
	group = find_group(e, hash_attributes(e, row));
	if (group->hash == 0) {
		group->hash = hash_attributes(e, row);
		e->group_count++;
	}
	if (group->last != server)
		group->servers++;
	group->last = server;
	return 0;
}

/* --- rows ---------------------------------------------------------------- */

static struct address
truncated(const struct address *in)
{
	unsigned bits = in->family == 4 ? TRUNCATED_V4 : TRUNCATED_V6;
	struct address out = *in;

	memset(out.octets + bits / 8, 0, sizeof(out.octets) - bits / 8);
	return out;
}

static bool
name_address(struct exporting *e, const struct address *in,
    char out[ADDRESS_TEXT_BYTES])
{
	struct address other = truncated(in);

	out[0] = '\0';
	if (in->family == 0)
		return true;
	if (!e->truncate && !pseudonym_address(e->pseudonyms, in, &other))
		return false;
	address_format(&other, out);
	return true;
}

/* The pseudonym of a network is that of its first address, cut to its bits:
 * prefixes are kept. */
static bool
name_network(struct exporting *e, const struct address *in,
    char out[ADDRESS_TEXT_BYTES])
{
	struct address other = *in;

	out[0] = '\0';
	if (in->family == 0)
		return true;
	if (!e->truncate && !pseudonym_address(e->pseudonyms, in, &other))
		return false;
	other = truncated(&other);
	address_format(&other, out);
	return true;
}

static void
name_day(int64_t ns, char out[16])
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm utc;

	out[0] = '\0';
	if (ns != 0 && gmtime_r(&seconds, &utc) != NULL)
		strftime(out, 16, "%Y-%m-%d", &utc);
}

static bool
has(const struct study_row *row, uint32_t bit)
{
	return (row->state & bit) != 0;
}

/*
 * Everything but the number of sessions, which stands behind a tab: equal rows
 * are added up when they come back sorted.
 */
static int
stage_row(void *context, const struct study_row *row)
{
	struct exporting *e = context;
	char server[ADDRESS_TEXT_BYTES], network[ADDRESS_TEXT_BYTES];
	char service[PSEUDONYM_NAME_BYTES] = "", day[16], country[3];
	bool found = row->certainty != CERTAINTY_NONE;
	char line[LINE_BYTES];
	bool small;

	if (!has(row, STUDY_SMTP))
		return 0;
	if (!name_address(e, &row->server.address, server) ||
	    !name_network(e, &row->client_network, network) ||
	    (row->name[0] != '\0' && e->pseudonyms != NULL &&
		!pseudonym_name(e->pseudonyms, row->name, service))) {
		complain("study export: AES or SHA-256 failed");
		e->failed = true;
		return 1;
	}
	name_day(row->at_ns, day);
	find_country(e, row, country);
	small = find_group(e, hash_attributes(e, row))->servers <
	    e->least_group;
	snprintf(line, sizeof(line),
	    "%s,%u,%s,%s,%s,%d,%d,%d,%d,%d,%d,%s,%s,%s,%s,%s,%d\t%" PRIu64,
	    server, row->server.port, service, network, day,
	    has(row, STUDY_JUDGED), has(row, STUDY_OFFERED),
	    has(row, STUDY_USED), has(row, STUDY_REFUSED),
	    has(row, STUDY_BROKEN), has(row, STUDY_CARRIES),
	    found ? certainty_name(row->certainty) : "",
	    found ? kind_name(row->kind) : "", row->mask, row->product, country,
	    small, row->sessions);
	return store_study_stage(e->asking.store, line);
}

/* `line` lacks the sessions, which stand sixth. */
static void
write_line(struct exporting *e, const char *line, uint64_t sessions)
{
	char text[LINE_BYTES], count[24], *next = text;

	snprintf(text, sizeof(text), "%s", line);
	snprintf(count, sizeof(count), "%" PRIu64, sessions);
	for (int i = 0; i < FIELDS; i++) {
		const char *value = i == SESSIONS_FIELD ? count :
							  strsep(&next, ",");
		const char *quote = e->json && fields[i].is_text ? "\"" : "";

		if (e->json)
			fprintf(e->file, "%s\"%s\":%s%s%s", i ? "," : "{",
			    fields[i].name, quote, value, quote);
		else
			fprintf(e->file, "%s%s", i ? "," : "", value);
	}
	fputs(e->json ? "}\n" : "\n", e->file);
	e->rows++;
	e->small += line[strlen(line) - 1] == '1';
}

static int
take_line(void *context, const char *line)
{
	struct exporting *e = context;
	const char *tab = strchr(line, '\t');
	size_t n = (size_t)(tab - line);
	uint64_t sessions = strtoull(tab + 1, NULL, 10);

	if (e->sessions > 0 && strlen(e->last) == n &&
	    memcmp(e->last, line, n) == 0) {
		e->sessions += sessions;
		return 0;
	}
	if (e->sessions > 0)
		write_line(e, e->last, e->sessions);
	snprintf(e->last, sizeof(e->last), "%.*s", (int)n, line);
	e->sessions = sessions;
	return 0;
}

/* --- files --------------------------------------------------------------- */

static FILE *
create(const char *out, const char *ending, char path[1100])
{
	FILE *file;

	snprintf(path, 1100, "%.1000s%s", out, ending);
	file = fopen(path, "wx");
	if (file == NULL)
		complain("%s: %s%s", path, strerror(errno),
		    errno == EEXIST ? "; remove it, or name another --out" :
				      "");
	return file;
}

static void
write_codebook(const struct exporting *e, FILE *file)
{
	const struct asking *a = &e->asking;

	fprintf(file, "# Codebook\n\n");
	if (a->labels[0] != '\0')
		fprintf(file, "**Not a measurement: %s**\n\n", a->labels);
	fprintf(file,
	    "Snapshot %s; sources: %" PRIu64 ", records: %" PRIu64 "; %s.\n"
	    "%" PRIu64 " rows; each is the sessions of one server on one UTC "
	    "day that are alike. Rows are\nsorted by what is written in them: "
	    "their order tells nothing more.\n\n",
	    a->snapshot, a->sources, a->records, a->rules, e->rows);
	if (e->truncate)
		fprintf(file,
		    "Addresses are cut to /%d (IPv4) and /%d (IPv6): servers "
		    "of one network are not told\napart.",
		    TRUNCATED_V4, TRUNCATED_V6);
	else
		fprintf(file,
		    "Addresses are pseudonyms by Crypto-PAn (Xu et al., ICNP "
		    "2002): two that share n bits\nhave pseudonyms that share "
		    "n bits. Who knows some pairs can narrow down others.");
	if (e->pseudonyms != NULL)
		fprintf(file,
		    "\nNames are HMAC-SHA-256 with the same key, cut to 64 "
		    "bits. The key's own name is\n%s.\n\n",
		    e->key_name);
	else
		fprintf(file, "\nNames are left out.\n\n");
	fprintf(file, "| column | meaning |\n| --- | --- |\n");
	for (int i = 0; i < FIELDS; i++)
		fprintf(file, "| %s | %s |\n", fields[i].name,
		    fields[i].meaning);
	fprintf(file,
	    "\nsmall_group: fewer than %" PRIu64 " servers; %" PRIu64
	    " rows.\n\nConnections in which nobody spoke SMTP are not here. "
	    "Unjudged rows (judged 0) say nothing\nof the offer: never count "
	    "them as absent. An offer that is absent may have been removed\nor "
	    "never made.\n",
	    e->least_group, e->small);
}

static int
close_file(FILE *file, const char *path)
{
	bool bad = ferror(file) != 0;

	if (fclose(file) == 0 && !bad)
		return 0;
	complain("%s: cannot be written", path);
	return -1;
}

static int
write_files(struct exporting *e)
{
	char path[1100], book_path[1100];
	FILE *book;
	int status;

	e->file = create(e->out, e->json ? ".ndjson" : ".csv", path);
	if (e->file == NULL)
		return -1;
	for (int i = 0; i < FIELDS && !e->json; i++)
		fprintf(e->file, "%s%s", i ? "," : "", fields[i].name);
	if (!e->json)
		fputc('\n', e->file);
	status = store_each_staged(e->asking.store, take_line, e);
	if (e->sessions > 0)
		write_line(e, e->last, e->sessions);
	if (status != 0)
		complain("%s", store_error(e->asking.store));
	if (close_file(e->file, path) != 0 || status != 0)
		return -1;
	book = create(e->out, "-codebook.md", book_path);
	if (book == NULL)
		return -1;
	write_codebook(e, book);
	if (close_file(book, book_path) != 0)
		return -1;
	if (!e->asking.common.quiet)
		printf("%s: %" PRIu64 " rows, %" PRIu64 " in small groups\n"
		       "%s\n",
		    path, e->rows, e->small, book_path);
	return 0;
}

/* --- the command --------------------------------------------------------- */

static int
export_setting(void *context, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	struct exporting *e = context;

	switch ((int)id) {
	case SET_STUDY_OUT:
		e->out = value->text;
		return 0;
	case SET_STUDY_KEY:
		e->key_path = value->text;
		return 0;
	case SET_STUDY_TRUNCATE:
		e->truncate = true;
		return 0;
	case SET_STUDY_LEAST_GROUP:
		e->least_group = value->number;
		return 0;
	case SET_STUDY_DATA_FORMAT:
		e->json = value->number == 1;
		return 0;
	default:
		return asking_setting(&e->asking, id, value, wrong);
	}
}

static int
read_key(struct exporting *e)
{
	uint8_t bytes[256];
	size_t n;
	FILE *file = fopen(e->key_path, "rb");

	if (file == NULL) {
		complain("%s: %s; openssl rand -hex 32 > %s makes one",
		    e->key_path, strerror(errno), e->key_path);
		return -1;
	}
	n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (!pseudonym_key_parse(slice_of(bytes, n), e->key)) {
		complain("%s: not a key: 64 hex digits, or 32 octets",
		    e->key_path);
		return -1;
	}
	e->pseudonyms = pseudonyms_create(e->key);
	if (e->pseudonyms != NULL &&
	    pseudonym_name(e->pseudonyms, "", e->key_name))
		return 0;
	complain("AES or SHA-256 is not there");
	return -1;
}

static int
each_row(struct exporting *e, study_row_fn *fn)
{
	const struct question *q = &e->asking.question;
	int status = store_each_study_row(e->asking.store, STUDY_BY_SERVER,
	    q->since_ns, q->until_ns, fn, e);

	if (status < 0)
		complain("%s", store_error(e->asking.store));
	return status;
}

static int
export_all(struct exporting *e)
{
	int status;

	if (e->key_path != NULL && read_key(e) != 0)
		return STATUS_ERROR;
	status = asking_open(&e->asking);
	if (status != STATUS_OK)
		return status;
	if (each_row(e, count_group) != 0 || each_row(e, stage_row) != 0 ||
	    write_files(e) != 0)
		return STATUS_ERROR;
	return STATUS_OK;
}

int
study_export(int argc, char **argv)
{
	struct exporting e = { 0 };
	int operand, status;

	asking_init(&e.asking);
	operand = options_parse(COMMAND_STUDY_EXPORT, &e.asking.common,
	    export_setting, &e, argc, argv);
	if (operand < 0)
		status = operand == -1 ? STATUS_OK : STATUS_ERROR;
	else if (operand != argc)
		status = usage_error(COMMAND_STUDY_EXPORT, "takes no operand");
	else if (e.out == NULL)
		status = usage_error(COMMAND_STUDY_EXPORT, "wants --out NAME");
	else if (e.key_path == NULL && !e.truncate)
		status = usage_error(COMMAND_STUDY_EXPORT,
		    "wants --key FILE, or --truncate");
	else
		status = export_all(&e);
	pseudonyms_destroy(e.pseudonyms);
	free(e.groups);
	asking_free(&e.asking);
	return status;
}
