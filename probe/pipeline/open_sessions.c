#include "open_sessions.h"

#include <stdlib.h>

#include "rooms.h"

struct open_sessions {
	struct open_session *list; /* open addressing by handle */
	size_t count, mask, max;
	size_t used_bytes, budget_bytes;
	struct rooms *rooms;
};

struct open_sessions *
open_sessions_create(size_t budget_bytes)
{
	struct open_sessions *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->budget_bytes = budget_bytes;
	all->max = SIZE_MAX;
	all->list = calloc(1024, sizeof(*all->list));
	all->mask = 1023;
	all->rooms = rooms_create();
	if (all->list != NULL && all->rooms != NULL)
		return all;
	free(all->list);
	rooms_destroy(all->rooms);
	free(all);
	return NULL;
}

void
open_sessions_destroy(struct open_sessions *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i <= all->mask; i++) {
		rooms_give(all->rooms, all->list[i].facts, all->list[i].room);
		rooms_give(all->rooms, all->list[i].twin_facts,
		    all->list[i].twin_room);
	}
	rooms_destroy(all->rooms);
	free(all->list);
	free(all);
}

void
open_sessions_bound(struct open_sessions *all, size_t max)
{
	all->max = max;
}

/* Handles are shard (the highest bits) and serial number: nobody outside
 * chooses them. */
static size_t
place_of(const struct open_sessions *all, uint64_t handle)
{
	return (size_t)(((handle ^ handle >> 40) *
			    UINT64_C(0x9e3779b97f4a7c15)) >>
		   32) &
	    all->mask;
}

static bool
grow_table(struct open_sessions *all)
{
	size_t room = (all->mask + 1) * 2, old = all->mask + 1;
	struct open_session *before = all->list;

	all->list = calloc(room, sizeof(*all->list));
	if (all->list == NULL) {
		all->list = before;
		return false;
	}
	all->mask = room - 1;
	for (size_t i = 0; i < old; i++) {
		size_t place = place_of(all, before[i].handle);

		if (before[i].handle == 0)
			continue;
		while (all->list[place].handle != 0)
			place = (place + 1) & all->mask;
		all->list[place] = before[i];
	}
	free(before);
	return true;
}

struct open_session *
open_sessions_find(struct open_sessions *all, uint64_t handle)
{
	size_t place;

	if (all->count * 2 > all->mask && !grow_table(all))
		return NULL;
	place = place_of(all, handle);
	while (
	    all->list[place].handle != 0 && all->list[place].handle != handle)
		place = (place + 1) & all->mask;
	if (all->list[place].handle == 0) {
		if (all->count >= all->max)
			return NULL;
		all->list[place] = (struct open_session){ .handle = handle };
		all->count++;
	}
	return &all->list[place];
}

struct open_session *
open_sessions_known(struct open_sessions *all, uint64_t handle)
{
	size_t place = place_of(all, handle);

	while (
	    all->list[place].handle != 0 && all->list[place].handle != handle)
		place = (place + 1) & all->mask;
	return all->list[place].handle != 0 ? &all->list[place] : NULL;
}

void
open_sessions_remove(struct open_sessions *all, struct open_session *session)
{
	size_t i = (size_t)(session - all->list), j = i;

	all->used_bytes -= session->room + session->twin_room;
	rooms_give(all->rooms, session->facts, session->room);
	rooms_give(all->rooms, session->twin_facts, session->twin_room);
	all->count--;
	for (;;) {
		size_t home;

		j = (j + 1) & all->mask;
		if (all->list[j].handle == 0)
			break;
		home = place_of(all, all->list[j].handle);
		if (((j - home) & all->mask) >= ((j - i) & all->mask)) {
			all->list[i] = all->list[j];
			i = j;
		}
	}
	all->list[i] = (struct open_session){ 0 };
}

void
open_session_keep(struct open_sessions *all, struct open_session *session,
    struct slice facts)
{
	size_t want = session->length + facts.len, room = session->room;
	uint8_t *bigger;

	if (session->cut || facts.len == 0)
		return;
	if (want > room) {
		/* Most sessions that go on have one decision more to come. */
		room =
		    rooms_size(room + room / 2 < want ? want : room + room / 2);
		if (all->used_bytes + room - session->room >
			all->budget_bytes ||
		    (bigger = rooms_take(all->rooms, room)) == NULL) {
			session->cut = true;
			return;
		}
		if (session->length > 0)
			memcpy(bigger, session->facts, session->length);
		rooms_give(all->rooms, session->facts, session->room);
		all->used_bytes += room - session->room;
		session->facts = bigger;
		session->room = (uint32_t)room;
	}
	memcpy(session->facts + session->length, facts.ptr, facts.len);
	session->length += (uint32_t)facts.len;
}

void
open_sessions_empty(struct open_sessions *all, unsigned publisher,
    void (*ended)(void *context, struct open_session *), void *context)
{
	size_t i = 0;

	while (i <= all->mask) {
		struct open_session *open = &all->list[i];

		if (open->handle == 0 ||
		    handle_publisher(open->handle) != publisher) {
			i++;
			continue;
		}
		ended(context, open);
		/* Another one may move to this place. */
		open_sessions_remove(all, open);
	}
}
