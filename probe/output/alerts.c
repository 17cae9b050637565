#include "alerts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "eve.h"

/* Powers of two; the oldest place of a few is taken when all are. */
#define TOLD_MAX (1u << 15)
#define ACTS_MAX (1u << 16)
#define NEAR 8

/* What an incident was alerted with. */
struct told {
	uint64_t id; /* hash; 0: nobody's */
	uint64_t used;
	enum kind kind;
	enum certainty certainty;
	enum incident_state state;
	uint32_t outcome;
	unsigned severity;
};

/* Kind and mask at one server, or of one client network: how sure the surest
 * alert of it was. */
struct act {
	uint64_t key;
	uint64_t used;
	enum certainty certainty;
};

struct alerts {
	const struct alerts_options *options;
	alert_fn *also;
	void *context;
	FILE *file;
	struct json json;
	struct told *told;
	struct act *acts;
	uint64_t clock;
	struct alerts_totals totals;
};

struct alerts *
alerts_create(const struct alerts_options *options, alert_fn *also,
    void *context)
{
	struct alerts *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->options = options;
	a->also = also;
	a->context = context;
	json_init(&a->json);
	a->told = calloc(TOLD_MAX, sizeof(*a->told));
	a->acts = calloc(ACTS_MAX, sizeof(*a->acts));
	if (a->told == NULL || a->acts == NULL || alerts_reopen(a) != 0) {
		int why = errno;

		alerts_destroy(a);
		errno = why;
		return NULL;
	}
	return a;
}

void
alerts_destroy(struct alerts *a)
{
	if (a == NULL)
		return;
	if (a->file != NULL && a->file != stdout)
		fclose(a->file);
	json_free(&a->json);
	free(a->told);
	free(a->acts);
	free(a);
}

int
alerts_reopen(struct alerts *a)
{
	const char *path = a->options->path;
	FILE *file;

	if (path == NULL)
		return 0;
	if (strcmp(path, "-") == 0) {
		a->file = stdout;
		return 0;
	}
	file = fopen(path, "ae");
	if (file == NULL)
		return -1;
	if (a->file != NULL)
		fclose(a->file);
	a->file = file;
	return 0;
}

/* --- what was alerted before --------------------------------------------- */

static struct told *
find_told(struct alerts *a, const struct incident *in)
{
	uint64_t id = XXH3_64bits(in->id, strlen(in->id)) | 1;
	struct told *oldest = &a->told[id & (TOLD_MAX - 1)];

	for (size_t i = 0; i < NEAR; i++) {
		struct told *t = &a->told[(id + i) & (TOLD_MAX - 1)];

		if (t->id == id)
			return t;
		if (t->used < oldest->used)
			oldest = t;
	}
	*oldest = (struct told){ .id = id };
	return oldest;
}

static struct act *
find_act(struct alerts *a, uint64_t key)
{
	struct act *oldest = &a->acts[key & (ACTS_MAX - 1)];

	for (size_t i = 0; i < NEAR; i++) {
		struct act *act = &a->acts[(key + i) & (ACTS_MAX - 1)];

		if (act->key == key)
			return act;
		if (act->used < oldest->used)
			oldest = act;
	}
	*oldest = (struct act){ .key = key };
	return oldest;
}

/* As campaigns are made (pipeline/campaigns.h): of garbage nobody knows, what
 * it reads is the mask. */
static uint64_t
key_of(const struct incident *in, const struct address *address, uint8_t which)
{
	const char *mask = in->resembles[0] != '\0' ||
		in->kind != KIND_STARTTLS_GARBLED ?
	    in->resembles :
	    in->seen;
	uint8_t bytes[19 + sizeof(in->seen)];
	size_t n = strlen(mask);

	bytes[0] = which;
	bytes[1] = (uint8_t)in->kind;
	memcpy(bytes + 2, address->octets, 16);
	bytes[18] = address->family;
	memcpy(bytes + 19, mask, n);
	return XXH3_64bits(bytes, 19 + n) | 1;
}

static void
find_acts(struct alerts *a, const struct incident *in, struct act *acts[2])
{
	struct address network = address_network(&in->client.address);

	acts[0] = find_act(a, key_of(in, &in->server.address, 0));
	acts[1] = find_act(a, key_of(in, &network, 1));
}

static void
note_acts(struct alerts *a, struct act *acts[2], enum certainty certainty)
{
	for (int i = 0; i < 2; i++) {
		acts[i]->used = ++a->clock;
		if (acts[i]->certainty < certainty)
			acts[i]->certainty = certainty;
	}
}

/* Of two that were one act to each its campaign is one. */
static enum certainty
surest(struct act *acts[2])
{
	return acts[0]->certainty > acts[1]->certainty ? acts[0]->certainty :
							 acts[1]->certainty;
}

static void
note_told(struct alerts *a, struct told *told, const struct incident *in)
{
	told->used = ++a->clock;
	told->kind = in->kind;
	told->certainty = in->certainty;
	told->state = in->state;
	told->outcome = in->outcome;
	told->severity = incident_severity(in);
}

void
alerts_known(struct alerts *a, const struct incident *in)
{
	struct act *acts[2];

	if (in->state == STATE_WITHDRAWN)
		return;
	find_acts(a, in, acts);
	note_acts(a, acts, in->certainty);
}

/* --- choosing ------------------------------------------------------------ */

/* Is it graver than what was alerted of it, or at its end another thing? */
static bool
is_news(const struct told *told, const struct incident *in)
{
	if (incident_severity(in) < told->severity ||
	    in->certainty > told->certainty)
		return true;
	if (in->state == STATE_OPEN)
		return false;
	return in->kind != told->kind || in->certainty != told->certainty ||
	    in->outcome != told->outcome ||
	    (in->state == STATE_WITHDRAWN && told->state != STATE_WITHDRAWN);
}

static bool
is_first(struct alerts *a, const struct incident *in)
{
	struct act *acts[2];
	bool first;

	if (in->state == STATE_WITHDRAWN)
		return false; /* of what was never alerted */
	if (incident_severity(in) > 2 && !a->options->possible) {
		a->totals.minor++;
		return false;
	}
	find_acts(a, in, acts);
	first = a->options->repeat || in->certainty > surest(acts);
	note_acts(a, acts, surest(acts));
	note_acts(a, acts, in->certainty);
	a->totals.repeated += !first;
	return first;
}

static void
write_line(struct alerts *a, const struct json *json)
{
	if (a->file == NULL)
		return;
	errno = 0;
	if (json_write((struct json *)json, a->file) != 0 ||
	    fflush(a->file) != 0) {
		clearerr(a->file);
		a->totals.unwritten++;
	}
}

void
alerts_send(struct alerts *a, const struct incident *in, bool stored)
{
	json_reset(&a->json);
	eve_alert_open(&a->json, in);
	if (!stored)
		json_bool(&a->json, "stored", false);
	eve_alert_close(&a->json);
	write_line(a, &a->json);
	if (a->also != NULL)
		a->also(a->context, in, stored);
	a->totals.alerted++;
}

bool
alerts_tell(struct alerts *a, const struct incident *in, bool stored)
{
	struct told *told = find_told(a, in);
	bool send;

	if (in->words.suppressed_by != 0) {
		a->totals.suppressed += told->used == 0;
		told->used = ++a->clock;
		told->severity = 0; /* nothing is graver */
		told->certainty = CERTAINTY_DEMONSTRATED;
		return false;
	}
	send = told->used != 0 ? is_news(told, in) : is_first(a, in);
	if (!send)
		return false;
	note_told(a, told, in);
	alerts_send(a, in, stored);
	return true;
}

void
alerts_write(struct alerts *a, const struct json *json)
{
	write_line(a, json);
}

const struct alerts_totals *
alerts_totals(const struct alerts *a)
{
	return &a->totals;
}
