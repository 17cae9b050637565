/*
 * Bytes that end where the next page cannot be read: a parser that looks one
 * octet too far dies in the test that made it do so.
 */
#ifndef TESTS_UNIT_GUARDED_H
#define TESTS_UNIT_GUARDED_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dissect/slice.h"

struct guarded {
	uint8_t *pages;
	size_t size;
	struct slice bytes;
};

static inline struct guarded
guarded_copy(const void *from, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (len + page - 1) / page * page;
	uint8_t *pages = mmap(NULL, size + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED || mprotect(pages + size, page, PROT_NONE) != 0)
		abort();
	if (len > 0)
		memcpy(pages + size - len, from, len);
	return (struct guarded){ pages, size + page,
		slice_of(pages + size - len, len) };
}

static inline void
guarded_free(struct guarded *g)
{
	munmap(g->pages, g->size);
}

#endif
