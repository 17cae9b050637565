#include "probe/pipeline/rooms.h"

#include <stdint.h>
#include <string.h>

#include <criterion/criterion.h>

#define COUNT 3000

Test(rooms, no_two_overlap_and_what_was_given_back_comes_again)
{
	struct rooms *rooms = rooms_create();
	uint8_t *room[COUNT];
	size_t size[COUNT];

	for (size_t i = 0; i < COUNT; i++) {
		size[i] = rooms_size(1 + i * 37 % 6000);
		cr_assert_geq(size[i], 1 + i * 37 % 6000);
		room[i] = rooms_take(rooms, size[i]);
		cr_assert_not_null(room[i]);
		cr_assert_eq((uintptr_t)room[i] % 16, 0);
		memset(room[i], (int)i, size[i]);
	}
	for (size_t i = 0; i < COUNT; i++)
		for (size_t j = 0; j < size[i]; j += 61)
			cr_assert_eq(room[i][j], (uint8_t)i, "room %zu", i);
	for (size_t i = 0; i < COUNT; i += 2) {
		rooms_give(rooms, room[i], size[i]);
		if (size[i] <= ROOMS_SMALL_BYTES)
			cr_assert_eq(rooms_take(rooms, size[i]), room[i]);
		else
			room[i] = rooms_take(rooms, size[i]);
	}
	for (size_t i = 0; i < COUNT; i++)
		rooms_give(rooms, room[i], size[i]);
	rooms_destroy(rooms);
}
