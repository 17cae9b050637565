/*
 * Chance that can be had again: the same seed gives the same numbers, on
 * every machine.
 */
#ifndef TESTS_UNIT_DISSECT_CHANCE_H
#define TESTS_UNIT_DISSECT_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

/* SplitMix64, Steele et al. 2014. */
static inline uint64_t
chance_next(struct chance *c)
{
	uint64_t z = c->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint32_t
chance_below(struct chance *c, uint32_t bound)
{
	return bound > 0 ? (uint32_t)(chance_next(c) >> 32) % bound : 0;
}

/* `low` to `high`, both included. */
static inline uint32_t
chance_between(struct chance *c, uint32_t low, uint32_t high)
{
	return low + chance_below(c, high - low + 1);
}

static inline bool
chance_once_in(struct chance *c, uint32_t times)
{
	return chance_below(c, times) == 0;
}

#endif
