#include "study_ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

void
asking_init(struct asking *a)
{
	memset(a, 0, sizeof(*a));
	a->question.since_ns = INT64_MIN;
	a->question.until_ns = INT64_MAX;
}

void
asking_free(struct asking *a)
{
	if (a->store != NULL)
		store_study_thaw(a->store);
	store_close(a->store);
	networks_destroy(a->networks);
}

/* --- options ------------------------------------------------------------- */

/* Recipients are kept only where TLS failed, so a share of a recipient's
 * domain would be a share of failures. */
static bool
is_recipient(const char *value)
{
	return strcmp(value, "domain") == 0 || strcmp(value, "rcpt") == 0 ||
	    strcmp(value, "recipient") == 0 ||
	    strcmp(value, "rcpt-domain") == 0;
}

static int
set_by(struct asking *a, const char *value, char wrong[SETTING_WRONG_BYTES])
{
	if (by_parse(value, &a->question.by))
		return 0;
	snprintf(wrong, SETTING_WRONG_BYTES, "%s",
	    is_recipient(value) ?
		"is refused, no shares by recipient: they show only where TLS "
		"failed; --unit service counts names known before STARTTLS" :
		"is none of country, as, prefix, product, mask, port, day, "
		"month");
	return -1;
}

static int
set_prefix_bits(struct asking *a, const char *value,
    char wrong[SETTING_WRONG_BYTES])
{
	unsigned v4, v6;
	char rest;

	if (sscanf(value, "%u,%u%c", &v4, &v6, &rest) == 2 && v4 >= 1 &&
	    v4 <= 32 && v6 >= 1 && v6 <= 128) {
		a->question.prefix_bits[0] = v4;
		a->question.prefix_bits[1] = v6;
		return 0;
	}
	snprintf(wrong, SETTING_WRONG_BYTES,
	    "is not two lengths of prefixes, such as 24,48");
	return -1;
}

static int
set_question(struct question *q, enum setting_id id,
    const struct setting_value *value)
{
	switch ((int)id) {
	case SET_STUDY_UNIT:
		q->unit = (enum unit)value->number;
		break;
	case SET_STUDY_LEAST_SESSIONS:
		q->least_sessions = value->number;
		break;
	case SET_STUDY_LEAST_PERCENT:
		q->least_percent = (double)value->number;
		break;
	case SET_STUDY_CERTAINTY:
		certainty_parse(value->text, &q->certainty);
		break;
	case SET_STUDY_CARRYING:
		q->carrying = true;
		break;
	case SET_STUDY_INDEPENDENT:
		q->independent = true;
		break;
	case SET_STUDY_SINCE:
		q->since_ns = value->time_ns;
		break;
	case SET_STUDY_UNTIL:
		q->until_ns = value->time_ns;
		break;
	}
	return 0;
}

int
asking_setting(void *context, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	struct asking *a = context;

	switch ((int)id) {
	case SET_STUDY_BY:
		return set_by(a, value->text, wrong);
	case SET_STUDY_PREFIX_BITS:
		return set_prefix_bits(a, value->text, wrong);
	case SET_STUDY_SNAPSHOT:
		a->snapshot_wanted = value->text;
		return 0;
	case SET_STUDY_FREEZE:
		a->freeze = value->text;
		return 0;
	case SET_STUDY_NETWORKS:
		if (a->network_file_count == NETWORK_FILES_MAX) {
			snprintf(wrong, SETTING_WRONG_BYTES,
			    "is one file too many");
			return -1;
		}
		a->network_files[a->network_file_count++] = value->text;
		return 0;
	default:
		return set_question(&a->question, id, value);
	}
}

static int
load_networks(struct asking *a)
{
	char errbuf[NETWORKS_ERRBUF] = "out of memory";

	if (a->network_file_count > 0)
		a->networks = networks_create();
	for (unsigned i = 0; i < a->network_file_count; i++)
		if (a->networks == NULL ||
		    networks_add(a->networks, a->network_files[i], errbuf) !=
			0) {
			complain("%s", errbuf);
			return -1;
		}
	return 0;
}

/* --- the snapshot -------------------------------------------------------- */

struct sighted {
	struct asking *asking;
	XXH3_state_t *hash;
};

static void
note_vantage(struct asking *a, const char *vantage)
{
	uint64_t n = a->question.vantages;

	for (uint64_t i = 0; i < n && i < 8; i++)
		if (strcmp(a->vantages[i], vantage) == 0)
			return;
	if (n < 8)
		snprintf(a->vantages[n], sizeof(a->vantages[n]), "%s", vantage);
	a->question.vantages++;
}

static void
note_label(struct asking *a, const char *label)
{
	size_t n = strlen(a->labels);

	if (label[0] == '\0' || strstr(a->labels, label) != NULL)
		return;
	snprintf(a->labels + n, sizeof(a->labels) - n, "%s%s",
	    n > 0 ? ", " : "", label);
}

static int
on_source(void *context, const struct study_source *source)
{
	struct sighted *seen = context;
	struct asking *a = seen->asking;

	if (source->hash[0] == '\0') {
		a->incomplete++;
		return 0;
	}
	a->sources++;
	a->records += source->records;
	a->malformed += source->malformed;
	a->seen_bytes += source->seen_bytes;
	a->lost_bytes += source->lost_bytes;
	a->mixed_rules |= a->rules[0] != '\0' &&
	    strcmp(a->rules, source->rules) != 0;
	snprintf(a->rules, sizeof(a->rules), "%s", source->rules);
	note_label(a, source->label);
	if (strcmp(source->format, "counted") == 0)
		a->captures_vantages = source->vantages;
	else
		note_vantage(a, source->vantage);
	XXH3_128bits_update(seen->hash, source->hash, strlen(source->hash));
	XXH3_128bits_update(seen->hash, source->rules, strlen(source->rules));
	XXH3_128bits_update(seen->hash, source->vantage,
	    sizeof(source->vantage));
	XXH3_128bits_update(seen->hash, source->label, sizeof(source->label));
	return 0;
}

static int
see_sources(struct asking *a)
{
	struct sighted seen = { a, XXH3_createState() };
	XXH128_canonical_t canonical;
	int status;

	if (seen.hash == NULL) {
		complain("out of memory");
		return -1;
	}
	XXH3_128bits_reset(seen.hash);
	status = store_each_study_source(a->store, on_source, &seen);
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(seen.hash));
	XXH3_freeState(seen.hash);
	for (int i = 0; i < 8; i++)
		snprintf(a->snapshot + 2 * i, 3, "%02x", canonical.digest[i]);
	a->question.vantages += a->captures_vantages;
	a->question.networks = a->networks;
	if (status != 0)
		complain("%s", store_error(a->store));
	return status;
}

/* Before the view is frozen: SQLite copies in no transaction. */
static int
open_store(struct asking *a)
{
	char errbuf[STORE_ERRBUF];

	a->store = store_open(a->common.db, STORE_READ, errbuf);
	if (a->store == NULL) {
		complain("%s", errbuf);
		return -1;
	}
	if (a->freeze != NULL && store_study_copy(a->store, a->freeze) != 0) {
		complain("%s: %s", a->freeze, store_error(a->store));
		return -1;
	}
	if (a->freeze != NULL) {
		store_close(a->store);
		a->store = store_open(a->freeze, STORE_READ, errbuf);
		if (a->store == NULL) {
			complain("%s", errbuf);
			return -1;
		}
	}
	if (store_study_freeze(a->store) == 0)
		return 0;
	complain("%s", store_error(a->store));
	return -1;
}

static int
check_places(const struct asking *a)
{
	if (a->question.by == BY_COUNTRY &&
	    !networks_know_countries(a->networks))
		complain("study: --by country wants --networks FILE: a "
			 "MaxMind country database, or a table of prefixes");
	else if ((a->question.by == BY_AS || a->question.unit == UNIT_PATH) &&
	    !networks_know_as(a->networks))
		complain("study: ASes want --networks FILE: a MaxMind ASN "
			 "database, or a table of prefixes");
	else
		return 0;
	return -1;
}

int
asking_open(struct asking *a)
{
	if (load_networks(a) != 0 || check_places(a) != 0 ||
	    open_store(a) != 0 || see_sources(a) != 0)
		return STATUS_ERROR;
	if (a->sources == 0) {
		complain("%s: nothing to count; striplight study import FILE, "
			 "or --counted, comes first",
		    a->common.db);
		return STATUS_NO;
	}
	if (a->snapshot_wanted != NULL &&
	    strcmp(a->snapshot_wanted, a->snapshot) != 0) {
		complain("%s: this is snapshot %s, not %s: something was "
			 "imported since; ask the copy that --freeze made",
		    a->common.db, a->snapshot, a->snapshot_wanted);
		return STATUS_NO;
	}
	return STATUS_OK;
}

const struct tally_result *
asking_count(struct asking *a, struct study_tally **tally)
{
	const struct question *q = &a->question;
	const struct tally_result *result = NULL;
	int status;

	*tally = tally_create(q);
	if (*tally == NULL) {
		complain("out of memory");
		return NULL;
	}
	status = store_each_study_row(a->store, tally_order(q), q->since_ns,
	    q->until_ns, tally_take, *tally);
	if (status < 0) {
		complain("%s", store_error(a->store));
		return NULL;
	}
	if (status == 0)
		result = tally_finish(*tally);
	if (result == NULL)
		complain("study: %s", tally_error(*tally));
	return result;
}

/* --- words --------------------------------------------------------------- */

void
asking_unit_text(const struct asking *a, char out[256])
{
	const struct question *q = &a->question;
	static const char *const means[UNITS] = {
		[UNIT_SESSION] = "one SMTP dialogue",
		[UNIT_SERVER] = "an address and port",
		[UNIT_SERVICE] = "an MX name, known before STARTTLS",
		[UNIT_PATH] = "a client network and an AS of servers",
	};

	if (q->unit == UNIT_SESSION)
		snprintf(out, 256,
		    "session (%s), affected if it was found tampered with, %s "
		    "or surer",
		    means[q->unit], certainty_name(q->certainty));
	else
		snprintf(out, 256,
		    "%s (%s), affected if at least %" PRIu64 " of its judged "
		    "sessions and %g %% of them were found tampered with, %s "
		    "or surer",
		    unit_name(q->unit), means[q->unit], q->least_sessions,
		    q->least_percent, certainty_name(q->certainty));
}

const char *
asking_no_interval(const struct asking *a, const struct group *g)
{
	if (g->has_interval)
		return "";
	if (a->question.vantages < 2)
		return "describes this vantage";
	return g->counts.judged == 0 ? "nothing was judged" :
				       "fewer than 20 networks: describes "
				       "this vantage";
}
