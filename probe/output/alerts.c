#include "alerts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <xxhash.h>

#include "eve.h"

/* Powers of two; the oldest place of a few is taken when all are. */
#define TOLD_MAX (1u << 15)
#define ACTS_MAX (1u << 16)
#define NEAR 8

/* As bits of what an output is owed. They are stored: the numbers stay. */
enum { OUTPUT_EVE = 1 << 0, OUTPUT_SYSLOG = 1 << 1 };
#define OUTPUTS (OUTPUT_EVE | OUTPUT_SYSLOG)

/* What an incident was alerted with. */
struct told {
	uint64_t id; /* hash; 0: nobody's */
	uint64_t used;
	unsigned revision, owed;
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
	int fd; /* of the EVE file; -1: none */
	bool hold;
	bool torn; /* the end of a line is missing there */
	char fault[256];
	struct json json;
	struct told *told;
	struct act *acts;
	uint64_t clock;
	struct alerts_totals totals;
};

/* --- the EVE file -------------------------------------------------------- */

static void
close_file(struct alerts *a)
{
	if (a->fd > STDERR_FILENO)
		close(a->fd);
	a->fd = -1;
}

/* Who was killed while he wrote left half a line. */
static bool
ends_in_mid_line(const char *path, int fd)
{
	struct stat st;
	char last = '\n';
	int readable;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return false;
	readable = open(path, O_RDONLY | O_CLOEXEC);
	if (readable < 0 || pread(readable, &last, 1, st.st_size - 1) < 0)
		last = '\n';
	if (readable >= 0)
		close(readable);
	return last != '\n';
}

int
alerts_reopen(struct alerts *a)
{
	const char *path = a->options->path;
	int fd;

	if (path == NULL)
		return 0;
	if (strcmp(path, "-") == 0) {
		a->fd = STDOUT_FILENO;
		return 0;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return -1;
	close_file(a);
	a->fd = fd;
	a->torn = ends_in_mid_line(path, fd);
	return 0;
}

/* --- life ---------------------------------------------------------------- */

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
	a->fd = -1;
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
	close_file(a);
	json_free(&a->json);
	free(a->told);
	free(a->acts);
	free(a);
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
	told->revision = in->revision;
	told->kind = in->kind;
	told->certainty = in->certainty;
	told->state = in->state;
	told->outcome = in->outcome;
	told->severity = incident_severity(in);
}

static bool
is_minor(const struct alerts *a, unsigned severity)
{
	return severity > 2 && !a->options->possible;
}

void
alerts_known(struct alerts *a, const struct incident *in,
    const struct alert_mark *mark)
{
	struct act *acts[2];
	struct told *told;

	if (in->words.suppressed_by != 0 ||
	    (mark->revision == 0 &&
		(in->state == STATE_WITHDRAWN || is_minor(a, mark->severity))))
		return;
	if (in->state != STATE_WITHDRAWN) {
		find_acts(a, in, acts);
		note_acts(a, acts, in->certainty);
	}
	if (mark->revision == 0)
		return;
	told = find_told(a, in);
	note_told(a, told, in);
	told->revision = mark->revision;
	told->severity = mark->severity;
	told->owed = mark->owed;
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
	if (is_minor(a, incident_severity(in))) {
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

/* --- delivering ---------------------------------------------------------- */

static void
note_fault(struct alerts *a, const char *output)
{
	a->totals.untaken++;
	snprintf(a->fault, sizeof(a->fault), "%.150s: %s", output,
	    strerror(errno));
}

/* What was left in the middle of a line ends first. */
static bool
put_line(struct alerts *a, const struct json *json)
{
	char end[] = "\n";
	struct iovec parts[] = { { end, a->torn }, { json->text, json->length },
		{ end, 1 } };
	size_t length = a->torn + json->length + 1;
	ssize_t n = writev(a->fd, parts, 3);

	if (n == (ssize_t)length) {
		a->torn = false;
		return true;
	}
	if (n > 0) {
		a->torn = true;
		errno = ENOSPC;
	}
	return false;
}

/* Is there nobody who will find what is written to it? */
static bool
is_deleted(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0 && S_ISREG(st.st_mode);
}

static bool
write_line(struct alerts *a, const struct json *json)
{
	bool written;

	if (a->fd < 0)
		return true;
	errno = ENOMEM;
	written = !json->failed && put_line(a, json);
	if (a->fd > STDERR_FILENO && is_deleted(a->fd))
		written = alerts_reopen(a) == 0 && put_line(a, json);
	if (!written)
		note_fault(a, a->options->path);
	return written;
}

/* The outputs that did not take it. */
static unsigned
deliver(struct alerts *a, const struct incident *in, bool stored,
    unsigned outputs)
{
	unsigned owed = 0;

	if (outputs & OUTPUT_EVE) {
		json_reset(&a->json);
		eve_alert_open(&a->json, in);
		if (!stored)
			json_bool(&a->json, "stored", false);
		eve_alert_close(&a->json);
		if (!write_line(a, &a->json))
			owed |= OUTPUT_EVE;
	}
	if (outputs & OUTPUT_SYSLOG && a->also != NULL &&
	    !a->also(a->context, in, stored)) {
		note_fault(a, "syslog");
		owed |= OUTPUT_SYSLOG;
	}
	return owed;
}

bool
alerts_send(struct alerts *a, const struct incident *in, bool stored)
{
	return deliver(a, in, stored, OUTPUTS) == 0;
}

/* A rule of the operator's; and if he lifts it, nothing is graver. */
static void
suppress(struct alerts *a, struct told *told)
{
	a->totals.suppressed += told->used == 0;
	told->used = ++a->clock;
	told->severity = 0;
	told->certainty = CERTAINTY_DEMONSTRATED;
	told->owed = 0;
}

bool
alerts_tell(struct alerts *a, const struct incident *in, bool stored,
    struct alert_mark *mark)
{
	struct told *told = find_told(a, in);
	unsigned outputs = told->owed, revision = told->revision;

	if (in->words.suppressed_by != 0) {
		suppress(a, told);
		outputs = 0;
	} else if (told->used != 0 ? is_news(told, in) : is_first(a, in)) {
		note_told(a, told, in);
		if (a->hold) {
			a->totals.held++;
			told->revision = revision;
		} else {
			a->totals.alerted++;
			outputs = OUTPUTS;
		}
	}
	if (outputs != 0)
		told->owed = deliver(a, in, stored, outputs);
	/* What was alerted before it was stored has no number until now. */
	if (!a->hold && told->used != 0 && told->revision == 0 &&
	    in->words.suppressed_by == 0)
		told->revision = in->revision;
	*mark = (struct alert_mark){ .revision = told->revision,
		.severity = told->used != 0 ? told->severity :
					      incident_severity(in),
		.owed = told->owed };
	return told->owed == 0;
}

void
alerts_hold(struct alerts *a, bool hold)
{
	if (a->hold && !hold) {
		memset(a->told, 0, TOLD_MAX * sizeof(*a->told));
		memset(a->acts, 0, ACTS_MAX * sizeof(*a->acts));
	}
	a->hold = hold;
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

const char *
alerts_fault(const struct alerts *a)
{
	return a->fault;
}
