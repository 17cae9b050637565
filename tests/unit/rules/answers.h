/*
 * Answers of DNS laid beside a dialogue, as the judge does it.
 *
 *	answer(&d, "192.0.2.10", DNS_MX, "example.org", 0, "MX mx.example.org");
 *
 * `records` are "TYPE value", one a line, of the name that was asked, and
 * behind a CNAME of the name that it leads to.
 */
#ifndef TESTS_UNIT_RULES_ANSWERS_H
#define TESTS_UNIT_RULES_ANSWERS_H

#include <stdio.h>

#include "dissect/dns.h"
#include "dissect/dns_fact.h"
#include "unit/rules/dialogue.h"

static inline uint16_t
answer_type(struct slice word)
{
	for (uint16_t type = 1; type < 64; type++)
		if (dns_type_name(type) != NULL &&
		    slice_equal(word, slice_str(dns_type_name(type))))
			return type;
	abort();
}

static inline void
answer(struct dialogue *d, const char *asker, enum dns_type type,
    const char *name, uint32_t value, const char *records)
{
	static uint8_t room[64][DNS_FACT_MAX_BYTES];
	static unsigned used;
	uint8_t *bytes = room[used++ % 64];
	struct dns_asked asked = { .type = (uint16_t)type,
		.name = slice_str(name) };
	struct slice owner = asked.name;
	struct fact fact = { .code = FACT_DNS_ANSWER,
		.value = value,
		.frame = used,
		.capture_ts_ns = NOON_NS };
	size_t length;

	if (!address_parse(asker, &asked.client.address) ||
	    !address_parse("198.51.100.53", &asked.resolver.address))
		abort();
	length = dns_asked_encode(&asked, bytes);
	while (*records != '\0') {
		size_t line = strcspn(records, "\n");
		size_t word = strcspn(records, " ");
		struct dns_said said = { answer_type(slice_of(records, word)),
			300, true, owner,
			slice_of(records + word + 1, line - word - 1) };

		length += dns_said_encode(&said, bytes + length,
		    DNS_FACT_MAX_BYTES - length);
		if (said.type == DNS_CNAME)
			owner = said.value;
		records += line + (records[line] == '\n');
	}
	fact.length = (uint32_t)length;
	session_fold(&d->session, &fact, slice_of(bytes, length));
}

#endif
