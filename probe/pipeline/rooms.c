#include "rooms.h"

#include <stdint.h>
#include <stdlib.h>

#define STEP_BYTES 128
#define SIZES (ROOMS_SMALL_BYTES / STEP_BYTES)
#define PIECE_BYTES (64 * 1024)

/* Stands in a room that is spare, or before the rooms of a piece. */
struct link {
	_Alignas(STEP_BYTES) struct link *next;
};

struct rooms {
	struct link *spare[SIZES];
	struct link *pieces;
	uint8_t *rest; /* of the newest piece */
	size_t rest_bytes;
};

struct rooms *
rooms_create(void)
{
	return calloc(1, sizeof(struct rooms));
}

void
rooms_destroy(struct rooms *rooms)
{
	if (rooms == NULL)
		return;
	while (rooms->pieces != NULL) {
		struct link *piece = rooms->pieces;

		rooms->pieces = piece->next;
		free(piece);
	}
	free(rooms);
}

size_t
rooms_size(size_t bytes)
{
	return (bytes + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
}

/* What is left of the piece before is too small for this size, and is lost:
 * no more than a sixteenth of it. */
static void *
cut(struct rooms *rooms, size_t bytes)
{
	uint8_t *room;

	if (rooms->rest_bytes < bytes) {
		struct link *piece = aligned_alloc(STEP_BYTES, PIECE_BYTES);

		if (piece == NULL)
			return NULL;
		piece->next = rooms->pieces;
		rooms->pieces = piece;
		rooms->rest = (uint8_t *)piece + sizeof(*piece);
		rooms->rest_bytes = PIECE_BYTES - sizeof(*piece);
	}
	room = rooms->rest;
	rooms->rest += bytes;
	rooms->rest_bytes -= bytes;
	return room;
}

void *
rooms_take(struct rooms *rooms, size_t bytes)
{
	struct link **spare, *room;

	if (bytes > ROOMS_SMALL_BYTES)
		return malloc(bytes);
	spare = &rooms->spare[bytes / STEP_BYTES - 1];
	room = *spare;
	if (room == NULL)
		return cut(rooms, bytes);
	*spare = room->next;
	return room;
}

void
rooms_give(struct rooms *rooms, void *room, size_t bytes)
{
	struct link *link = room, **spare;

	if (bytes > ROOMS_SMALL_BYTES || room == NULL) {
		free(room);
		return;
	}
	spare = &rooms->spare[bytes / STEP_BYTES - 1];
	link->next = *spare;
	*spare = link;
}
