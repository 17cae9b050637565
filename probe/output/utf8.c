#include "utf8.h"

size_t
utf8_decode(const uint8_t *p, size_t left, uint32_t *value)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = left == 0 ? 0 :
	    p[0] < 0x80	     ? 1 :
	    p[0] >> 5 == 6   ? 2 :
	    p[0] >> 4 == 14  ? 3 :
	    p[0] >> 3 == 30  ? 4 :
			       0;

	if (n == 0 || n > left)
		return 0;
	*value = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		*value = *value << 6 | (p[i] & 0x3fu);
	}
	if (*value < least[n] || *value > 0x10ffff ||
	    (*value >= 0xd800 && *value <= 0xdfff))
		return 0;
	return n;
}
