/* Found by five-tuple, aged by class; how flows are shed is in
 * test_native_life.c. */
#include <criterion/criterion.h>

#include "dissect/flow_table.h"

static const uint8_t key[16] = "0123456789abcdef";

static struct packet
packet_of(uint16_t client_port, enum dir dir)
{
	struct packet p = { .kind = PACKET_TCP };
	struct endpoint *client = dir == TO_SERVER ? &p.src : &p.dst;
	struct endpoint *server = dir == TO_SERVER ? &p.dst : &p.src;

	client->address.family = server->address.family = 4;
	client->address.octets[0] = 10;
	server->address.octets[0] = 9;
	client->port = client_port;
	server->port = 25;
	return p;
}

Test(flow_table, both_directions_find_the_flow_and_know_which_they_are)
{
	struct flow_table *t = flow_table_create(4, key);
	struct packet there = packet_of(40000, TO_SERVER);
	struct packet back = packet_of(40000, TO_CLIENT);
	struct packet other = packet_of(40001, TO_SERVER);
	enum dir dir = TO_CLIENT;
	struct flow *f = flow_table_add(t, &there, TO_SERVER);

	cr_assert_not_null(f);
	cr_assert_eq(flow_table_find(t, &there, &dir), f);
	cr_assert_eq(dir, TO_SERVER);
	cr_assert_eq(flow_table_find(t, &back, &dir), f);
	cr_assert_eq(dir, TO_CLIENT);
	cr_assert_null(flow_table_find(t, &other, &dir));
	cr_assert_eq(f->ends[TO_SERVER].port, 25);
	cr_assert_eq(f->ends[TO_CLIENT].port, 40000);
	flow_table_destroy(t);
}

Test(flow_table, a_full_table_takes_no_more_until_one_goes)
{
	struct flow_table *t = flow_table_create(3, key);
	struct packet p[4];

	for (uint16_t i = 0; i < 4; i++) {
		p[i] = packet_of(i, TO_SERVER);
		cr_assert_eq(flow_table_add(t, &p[i], TO_SERVER) != NULL,
		    i < 3);
	}
	flow_table_remove(t, flow_table_oldest(t, FLOW_HALF_OPEN));
	cr_assert_not_null(flow_table_add(t, &p[3], TO_SERVER));
	cr_assert_eq(flow_table_count(t, FLOW_HALF_OPEN), 3);
	flow_table_destroy(t);
}

Test(flow_table, the_oldest_of_a_class_is_the_one_touched_longest_ago)
{
	struct flow_table *t = flow_table_create(8, key);
	struct flow *f[3];

	for (uint16_t i = 0; i < 3; i++) {
		struct packet p = packet_of(i, TO_SERVER);

		f[i] = flow_table_add(t, &p, TO_SERVER);
	}
	cr_assert_eq(flow_table_oldest(t, FLOW_HALF_OPEN), f[0]);
	flow_table_touch(t, f[0], FLOW_HALF_OPEN);
	cr_assert_eq(flow_table_oldest(t, FLOW_HALF_OPEN), f[1]);
	flow_table_touch(t, f[1], FLOW_GREETED);
	cr_assert_eq(flow_table_oldest(t, FLOW_HALF_OPEN), f[2]);
	cr_assert_eq(flow_table_oldest(t, FLOW_GREETED), f[1]);
	cr_assert_eq(flow_table_count(t, FLOW_HALF_OPEN), 2);
	flow_table_remove(t, f[2]);
	cr_assert_eq(flow_table_oldest(t, FLOW_HALF_OPEN), f[0]);
	flow_table_remove(t, f[0]);
	cr_assert_null(flow_table_oldest(t, FLOW_HALF_OPEN));
	cr_assert_null(flow_table_oldest(t, FLOW_OPAQUE));
	flow_table_destroy(t);
}

/* A long run of adding and removing, against a plain list. The index grows
 * and moves places up; nobody may get lost in it. */
Test(flow_table, nobody_gets_lost_when_others_come_and_go)
{
	enum { FLOWS = 2000, PORTS = 4000, STEPS = 60000 };
	struct flow_table *t = flow_table_create(FLOWS, key);
	static struct flow *known[PORTS];
	uint32_t random = 1;
	size_t count = 0;

	for (int step = 0; step < STEPS; step++) {
		uint16_t port;
		struct packet p;
		struct flow *f;
		enum dir dir;

		random = random * 1664525 + 1013904223;
		port = (uint16_t)(random >> 8) % PORTS;
		p = packet_of(port, random >> 31 ? TO_SERVER : TO_CLIENT);
		f = flow_table_find(t, &p, &dir);
		cr_assert_eq(f, known[port]);
		if (f != NULL) {
			flow_table_remove(t, f);
			known[port] = NULL;
			count--;
		} else {
			known[port] = flow_table_add(t, &p,
			    random >> 31 ? TO_SERVER : TO_CLIENT);
			cr_assert_eq(known[port] == NULL, count == FLOWS);
			count += known[port] != NULL;
		}
	}
	cr_assert_eq(flow_table_count(t, FLOW_HALF_OPEN), count);
	flow_table_destroy(t);
}
