#include "reachable.h"

struct block {
	uint8_t prefix[4];
	uint8_t bits;
};

static bool
within(const uint8_t *octets, const struct block *block)
{
	for (unsigned bit = 0; bit < block->bits; bit++)
		if (((octets[bit / 8] ^ block->prefix[bit / 8]) >>
			(7 - bit % 8)) &
		    1)
			return false;
	return true;
}

static bool
within_any(const uint8_t *octets, const struct block *blocks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (within(octets, &blocks[i]))
			return true;
	return false;
}

bool
address_is_public(const struct address *address)
{
	static const struct block not_public_v4[] = {
		{ { 0 }, 8 },
		{ { 10 }, 8 },
		{ { 100, 64 }, 10 },
		{ { 127 }, 8 },
		{ { 169, 254 }, 16 },
		{ { 172, 16 }, 12 },
		{ { 192, 0, 0 }, 24 },
		{ { 192, 0, 2 }, 24 },
		{ { 192, 88, 99 }, 24 },
		{ { 192, 168 }, 16 },
		{ { 198, 18 }, 15 },
		{ { 198, 51, 100 }, 24 },
		{ { 203, 0, 113 }, 24 },
		{ { 224 }, 3 },
	};
	static const struct block global_v6 = { { 0x20 }, 3 };
	/* Teredo and 6to4 carry IPv4 addresses of anybody's choice. */
	static const struct block not_public_v6[] = {
		{ { 0x20, 0x01, 0x00, 0x00 }, 32 },
		{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },
		{ { 0x20, 0x02 }, 16 },
	};

	if (address->family == 4)
		return !within_any(address->octets, not_public_v4,
		    sizeof(not_public_v4) / sizeof(*not_public_v4));
	return address->family == 6 && within(address->octets, &global_v6) &&
	    !within_any(address->octets, not_public_v6,
		sizeof(not_public_v6) / sizeof(*not_public_v6));
}
