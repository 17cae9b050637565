/*
 * DNS: as a message, and as the bytes of a fact. What is read can be written
 * and read again, and says the same.
 */
#include <stdlib.h>

#include "dissect/dns.h"
#include "dissect/dns_fact.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static void
must_be_name(const char *name)
{
	size_t length = strlen(name);

	must(length > 0 && length < DNS_NAME_BYTES - 1);
	must(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == length);
}

static void
write_and_read(const struct dns_record *r)
{
	struct dns_said said = { r->type, r->ttl_s, r->in_answer,
		slice_str(r->owner), slice_of(r->value, r->value_len) };
	uint8_t bytes[DNS_FACT_MAX_BYTES];
	struct slice in;
	struct dns_said again;

	in = slice_of(bytes, dns_said_encode(&said, bytes, sizeof(bytes)));
	must(dns_said_decode(&in, &again) && in.len == 0);
	must(again.type == said.type && again.ttl_s == said.ttl_s);
	must(slice_equal(again.owner, said.owner));
	must(slice_equal(again.value, said.value));
}

static void
fuzz_message(struct slice in)
{
	struct dns_message m;
	struct dns_record record;
	unsigned seen = 0;
	bool damaged;
	size_t at;

	if (dns_message_parse(in, &m) != PARSE_OK)
		return;
	must_be_name(m.name);
	must(m.records_at <= in.len);
	for (at = m.records_at;
	     dns_record_next(&m, &at, &seen, &record, &damaged);) {
		must(at <= in.len && seen <= DNS_RECORDS_MAX);
		must(dns_type_name(record.type) != NULL);
		must(record.value_len < DNS_VALUE_MAX_BYTES);
		must_be_name(record.owner);
		write_and_read(&record);
	}
}

static void
fuzz_fact(struct slice in)
{
	uint8_t bytes[DNS_ASKED_MAX_BYTES];
	struct dns_asked asked, again;
	struct dns_said said;
	struct slice out;

	if (!dns_asked_decode(&in, &asked))
		return;
	out = slice_of(bytes, dns_asked_encode(&asked, bytes));
	must(out.len <= sizeof(bytes) && dns_asked_decode(&out, &again));
	must(slice_equal(asked.name, again.name));
	while (dns_said_decode(&in, &said))
		continue;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_message(slice_of(data, size));
	fuzz_fact(slice_of(data, size));
	return 0;
}
