/*
 * dissect/fetch.h - memory that will be needed soon is asked for now.
 */
#ifndef DISSECT_FETCH_H
#define DISSECT_FETCH_H

#include <stddef.h>

#define CACHE_LINE_BYTES 64

/* Nothing is read: `memory` may have been given back. */
static inline void
fetch_memory(const void *memory, size_t bytes)
{
#ifdef __GNUC__
	for (size_t i = 0; i < bytes; i += CACHE_LINE_BYTES)
		__builtin_prefetch((const char *)memory + i);
#else
	(void)memory;
	(void)bytes;
#endif
}

#endif
