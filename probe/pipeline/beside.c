#include "beside.h"

static void
fold(const struct beside *b, size_t from, struct session *s)
{
	struct slice in = slice_of(b->facts + from, b->length - from), bytes;
	struct fact fact;

	while (fact_decode(&in, &fact, &bytes))
		session_fold(s, &fact, bytes);
}

void
beside_answers(struct beside *b, const struct dns_book *book, struct session *s)
{
	struct dns_concern concern = { s->flow.client.address,
		s->flow.server.address, s->rcpt_domains, s->domain_count };

	b->length = book == NULL ? 0 : dns_book_tell(book, &concern, b->facts);
	fold(b, 0, s);
}

void
beside_verification(struct beside *b, struct judge_trust *trust,
    const struct context *context, struct session *s)
{
	struct fact fact = { .code = FACT_CHAIN_VERIFIED,
		.dir = TO_CLIENT,
		.frame = s->chain_frame,
		.capture_ts_ns = s->chain_ns,
		.capture = s->capture };
	size_t from = b->length;

	if (trust == NULL || !rules_demand_certificate(s, context))
		return;
	if (trust->load != NULL) {
		trust->load(trust);
		trust->load = NULL;
	}
	if (trust->store == NULL)
		return;
	fact.value = trust_verify(trust->store, s->chain, s->chain_count,
	    s->chain_ns / 1000000000);
	b->length +=
	    fact_encode(&fact, slice_of(trust->digest, 16), b->facts + from);
	fold(b, from, s);
}
