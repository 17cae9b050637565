#include "channels.h"

#include <stdlib.h>

/* The next record of a channel, if it has one. */
struct head {
	enum channel_record record;
	int64_t seen_ns; /* monotonic: when it was read */
	struct publication publication;
	struct slice facts;
	struct channel_counts counts;
};

struct channels {
	unsigned count;
	struct channel *of[CHANNELS_MAX];
	struct head heads[CHANNELS_MAX];
};

struct channels *
channels_create(unsigned count, size_t bytes)
{
	struct channels *cs = calloc(1, sizeof(*cs));

	if (cs == NULL)
		return NULL;
	for (; cs->count < count; cs->count++) {
		cs->of[cs->count] = channel_create(bytes);
		if (cs->of[cs->count] == NULL) {
			channels_destroy(cs);
			return NULL;
		}
	}
	return cs;
}

void
channels_destroy(struct channels *cs)
{
	if (cs == NULL)
		return;
	for (unsigned i = 0; i < cs->count; i++)
		channel_destroy(cs->of[i]);
	free(cs);
}

struct channel *
channels_writer(struct channels *cs, unsigned writer)
{
	return cs->of[writer];
}

/* --- reading ------------------------------------------------------------- */

void
channels_descriptors(const struct channels *cs, int *descriptors)
{
	for (unsigned i = 0; i < cs->count; i++)
		descriptors[i] = channel_descriptor(cs->of[i]);
}

static void
forget_heads(struct channels *cs)
{
	for (unsigned i = 0; i < cs->count; i++)
		cs->heads[i].record = CHANNEL_NOTHING;
}

void
channels_attach(struct channels *cs)
{
	forget_heads(cs);
	for (unsigned i = 0; i < cs->count; i++)
		channel_attach(cs->of[i]);
}

void
channels_acknowledge(struct channels *cs)
{
	for (unsigned i = 0; i < cs->count; i++)
		channel_acknowledge(cs->of[i]);
}

void
channels_restart(struct channels *cs)
{
	forget_heads(cs);
	for (unsigned i = 0; i < cs->count; i++)
		channel_restart(cs->of[i]);
}

/* When it was captured; 0: whenever, it need not wait. */
static uint64_t
time_of(const struct head *head)
{
	/* What expires has no packet, and stands last in its batch. */
	if (head->record != CHANNEL_PUBLICATION ||
	    head->publication.capture_frame == UINT64_MAX)
		return 0;
	return head->publication.capture_frame;
}

static bool
is_due(const struct head *head, int64_t wall_ns, int64_t monotonic_ns)
{
	uint64_t due = time_of(head);

	return due == 0 || wall_ns == INT64_MAX ||
	    due + CHANNELS_WAIT_NS <= (uint64_t)wall_ns ||
	    monotonic_ns - head->seen_ns >= CHANNELS_WAIT_NS;
}

/* The head that comes first; NULL: none. `missing`: a channel has none now. */
static struct head *
first_head(struct channels *cs, int64_t monotonic_ns, bool *missing)
{
	struct head *first = NULL;

	*missing = false;
	for (unsigned i = 0; i < cs->count; i++) {
		struct head *head = &cs->heads[i];

		if (head->record == CHANNEL_NOTHING) {
			head->record = channel_read(cs->of[i],
			    &head->publication, &head->facts, &head->counts);
			head->seen_ns = monotonic_ns;
		}
		if (head->record == CHANNEL_NOTHING)
			*missing = true;
		else if (first == NULL || time_of(head) < time_of(first))
			first = head;
	}
	return first;
}

enum channel_record
channels_read(struct channels *cs, int64_t wall_ns, int64_t monotonic_ns,
    unsigned *writer, struct publication *publication, struct slice *facts,
    struct channel_counts *counts)
{
	enum channel_record record;
	struct head *head;
	bool missing;

	head = first_head(cs, monotonic_ns, &missing);
	if (head == NULL || (missing && !is_due(head, wall_ns, monotonic_ns)))
		return CHANNEL_NOTHING;
	record = head->record;
	*writer = (unsigned)(head - cs->heads);
	if (record == CHANNEL_COUNTS) {
		*counts = head->counts;
	} else {
		*publication = head->publication;
		*facts = head->facts;
	}
	/* Broken it stays until it begins anew. */
	if (record != CHANNEL_BROKEN)
		head->record = CHANNEL_NOTHING;
	return record;
}

bool
channels_wait(const struct channels *cs)
{
	for (unsigned i = 0; i < cs->count; i++)
		if (cs->heads[i].record != CHANNEL_NOTHING)
			return true;
	return false;
}
