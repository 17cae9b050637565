#include "telling.h"

#include <stdlib.h>
#include <string.h>

/* Told, and not yet noted in the store. */
#define TOLD_MAX 256
#define AGAIN_NS INT64_C(1000000000)

struct told {
	char incident[INCIDENT_ID_BYTES];
	struct alert_mark mark;
};

struct telling {
	struct store *store;
	telling_fn *tell;
	void *context;
	struct told told[TOLD_MAX];
	size_t told_count;
	/* Numbers up to which was told, or tried, in this round and in any. */
	uint64_t tried, tried_ever;
	bool owes; /* something that was tried was not told to all */
	int64_t again_ns;
};

struct telling *
telling_create(struct store *store, telling_fn *tell, void *context)
{
	struct telling *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->store = store;
	t->tell = tell;
	t->context = context;
	return t;
}

void
telling_destroy(struct telling *t)
{
	free(t);
}

int
telling_revised(struct telling *t, const struct incident *in)
{
	return store_alert_due(t->store, in->id, t->tried_ever);
}

/* --- noting -------------------------------------------------------------- */

int
telling_note(struct telling *t)
{
	for (size_t i = 0; i < t->told_count; i++)
		if (store_alert_told(t->store, t->told[i].incident,
			&t->told[i].mark) != 0)
			return -1;
	return 0;
}

void
telling_noted(struct telling *t)
{
	t->told_count = 0;
}

int
telling_commit(struct telling *t)
{
	if (store_begin(t->store) != 0)
		return -1;
	if (telling_note(t) != 0) {
		store_rollback(t->store);
		return -1;
	}
	if (store_commit(t->store) != 0)
		return -1;
	telling_noted(t);
	return 0;
}

/* --- telling ------------------------------------------------------------- */

static int
on_due(void *context, uint64_t number, const struct incident *in)
{
	struct telling *t = context;
	struct told *told = &t->told[t->told_count];
	bool again = number <= t->tried_ever;
	bool taken = t->tell(t->context, in, true, &told->mark);

	t->owes |= !taken;
	t->tried = number;
	/* Those behind it that were tried would fare no better. */
	if (again && !taken) {
		t->tried = t->tried_ever;
		return 1;
	}
	if (!again)
		t->tried_ever = number;
	memcpy(told->incident, in->id, sizeof(told->incident));
	t->told_count++;
	return 0;
}

int
telling_due(struct telling *t, int64_t now_ns)
{
	uint64_t before;
	int status;

	if (t->owes && now_ns >= t->again_ns) {
		t->owes = false;
		t->tried = 0;
		t->again_ns = now_ns + AGAIN_NS;
	}
	do {
		if (t->told_count == TOLD_MAX && telling_commit(t) != 0)
			return -1;
		before = t->tried;
		status = store_each_due_alert(t->store, before,
		    TOLD_MAX - t->told_count, on_due, t);
	} while (status >= 0 && t->tried != before);
	return status < 0 ? -1 : 0;
}

void
telling_unstored(struct telling *t, const struct incident *in)
{
	struct alert_mark mark;

	/* Whoever did not take it is told when it is stored. */
	(void)t->tell(t->context, in, false, &mark);
}

bool
telling_owes(const struct telling *t)
{
	return t->owes;
}
