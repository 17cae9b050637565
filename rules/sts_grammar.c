#include "sts_grammar.h"

#define FIELD_NAME_MAX_BYTES 32 /* RFC 8461 3.1, 3.2 */

size_t
sts_field_name_length(struct slice name)
{
	size_t i;

	for (i = 0; i < name.len && i < FIELD_NAME_MAX_BYTES; i++) {
		uint8_t c = name.ptr[i];

		if (!sts_is_alphanum(c) &&
		    (i == 0 || (c != '_' && c != '-' && c != '.')))
			break;
	}
	return i;
}

size_t
sts_utf8_length(struct slice s)
{
	static const struct {
		uint8_t first, last; /* lead octet */
		uint8_t second_min, second_max;
		uint8_t length;
	} rows[] = {
		{ 0x00, 0x7F, 0, 0, 1 },
		{ 0xC2, 0xDF, 0x80, 0xBF, 2 },
		{ 0xE0, 0xE0, 0xA0, 0xBF, 3 },
		{ 0xE1, 0xEC, 0x80, 0xBF, 3 },
		{ 0xED, 0xED, 0x80, 0x9F, 3 },
		{ 0xEE, 0xEF, 0x80, 0xBF, 3 },
		{ 0xF0, 0xF0, 0x90, 0xBF, 4 },
		{ 0xF1, 0xF3, 0x80, 0xBF, 4 },
		{ 0xF4, 0xF4, 0x80, 0x8F, 4 },
	};

	for (size_t i = 0; s.len && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (s.ptr[0] < rows[i].first || s.ptr[0] > rows[i].last)
			continue;
		if (s.len < rows[i].length)
			return 0;
		if (rows[i].length > 1 &&
		    (s.ptr[1] < rows[i].second_min ||
			s.ptr[1] > rows[i].second_max))
			return 0;
		for (size_t k = 2; k < rows[i].length; k++)
			if ((s.ptr[k] & 0xC0) != 0x80)
				return 0;
		return rows[i].length;
	}
	return 0;
}
