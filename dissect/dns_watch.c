#include "dns_watch.h"

#include <stdlib.h>

#include "dns.h"
#include "dns_fact.h"
#include "siphash.h"

/* A query and its answer are found among so many. */
#define WAYS 8
/* Resolvers give up sooner; a later answer is to a query before. */
#define QUERY_LIFE_NS (INT64_C(30) * 1000000000)
/* Over TCP a message may have 65,535 octets; the sets that are read here are
 * none of the longest. */
#define STREAM_MESSAGE_MAX_BYTES 8192

/* Two taps whose clocks differ show an answer before its query: so many wait,
 * so long. Over UDP they have at most what RFC 9715 3.2 recommends. */
#define EARLY_MAX 8
#define EARLY_MAX_BYTES 1400
#define EARLY_NS (INT64_C(200) * 1000000)

struct early {
	uint64_t hash; /* of the query that it waits for; 0: none */
	struct endpoint client, resolver;
	struct origin at;
	uint32_t length;
	uint8_t message[EARLY_MAX_BYTES];
};

struct query {
	uint64_t hash; /* of ends, id and question; 0: the place is empty */
	int64_t asked_ns;
	uint64_t first_answer; /* what it said, if one came */
	uint16_t asked, answered;
};

struct dns_watch {
	struct query *queries;
	size_t sets;
	struct early *early; /* NULL: none ever came */
	unsigned early_next;
	uint8_t key[16];
	struct fact_pool *pool;
	struct counters *counters;
};

struct dns_watch *
dns_watch_create(size_t queries, const uint8_t key[16], struct fact_pool *pool,
    struct counters *counters)
{
	struct dns_watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->sets = queries / WAYS > 0 ? queries / WAYS : 1;
	w->queries = calloc(w->sets * WAYS, sizeof(*w->queries));
	memcpy(w->key, key, sizeof(w->key));
	w->pool = pool;
	w->counters = counters;
	if (w->queries == NULL) {
		free(w);
		return NULL;
	}
	return w;
}

void
dns_watch_destroy(struct dns_watch *w)
{
	if (w == NULL)
		return;
	free(w->early);
	free(w->queries);
	free(w);
}

/* --- queries ------------------------------------------------------------- */

/* What identifies an exchange; `client` is who asks. */
struct exchange {
	const struct endpoint *client, *resolver;
	bool tcp;
};

static bool
begins_with(const char *name, const char *label)
{
	return strncmp(name, label, strlen(label)) == 0;
}

static bool
is_of_use(const struct dns_message *m)
{
	switch (m->type) {
	case DNS_MX:
	case DNS_A:
	case DNS_AAAA:
		return true;
	case DNS_TLSA:
		return strstr(m->name, "._tcp.") != NULL;
	case DNS_TXT:
		return begins_with(m->name, "_mta-sts.") ||
		    begins_with(m->name, "_smtp._tls.");
	default:
		return false;
	}
}

static uint64_t
hash_of(const struct dns_watch *w, const struct exchange *x,
    const struct dns_message *m)
{
	uint8_t key[2 * 18 + 6 + DNS_NAME_BYTES] = { 0 };
	size_t name = strlen(m->name);
	uint64_t hash;

	memcpy(key, x->client->address.octets, 16);
	memcpy(key + 16, x->resolver->address.octets, 16);
	memcpy(key + 32, &x->client->port, 2);
	memcpy(key + 34, &x->resolver->port, 2);
	memcpy(key + 36, &m->id, 2);
	memcpy(key + 38, &m->type, 2);
	key[40] = x->tcp;
	memcpy(key + 42, m->name, name);
	hash = siphash(1, 3, w->key, key, 42 + name);
	return hash != 0 ? hash : 1;
}

/* NULL: it was not asked, or long ago. */
static struct query *
find_query(const struct dns_watch *w, uint64_t hash, int64_t now_ns)
{
	struct query *set = &w->queries[hash % w->sets * WAYS];

	for (int i = 0; i < WAYS; i++)
		if (set[i].hash == hash)
			return elapsed_ns(set[i].asked_ns, now_ns) <=
				QUERY_LIFE_NS ?
			    &set[i] :
			    NULL;
	return NULL;
}

/* The place of `hash`, an empty one, or the oldest. */
static struct query *
take_place(struct dns_watch *w, uint64_t hash, int64_t now_ns)
{
	struct query *set = &w->queries[hash % w->sets * WAYS], *best = set;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].hash == hash || set[i].hash == 0) {
			best = &set[i];
			break;
		}
		if (set[i].asked_ns < best->asked_ns)
			best = &set[i];
	}
	if (best->hash != 0 && best->hash != hash && best->answered == 0 &&
	    elapsed_ns(best->asked_ns, now_ns) <= QUERY_LIFE_NS)
		count(w->counters, COUNTER_DNS_MEMCAP);
	return best;
}

static struct query *
take_query(struct dns_watch *w, uint64_t hash, int64_t now_ns)
{
	struct query *q = find_query(w, hash, now_ns);

	if (q == NULL) {
		q = take_place(w, hash, now_ns);
		*q = (struct query){ .hash = hash };
	}
	q->asked_ns = now_ns;
	if (q->asked < UINT16_MAX)
		q->asked++;
	return q;
}

/* --- answers ------------------------------------------------------------- */

/* An answer as it becomes a fact. */
struct answer {
	uint8_t bytes[DNS_FACT_MAX_BYTES];
	size_t length;
	bool cut, damaged;
	uint64_t sum; /* of the answer section, in whatever order */
};

static void
sum_record(const struct dns_watch *w, struct answer *a,
    const struct dns_said *said)
{
	/* Without the time to live: a cache counts it down. */
	uint64_t words[3] = { said->type,
		siphash(1, 3, w->key, said->owner.ptr, said->owner.len),
		siphash(1, 3, w->key, said->value.ptr, said->value.len) };

	a->sum += siphash13(w->key, words, 3, 0);
}

static void
read_answer(const struct dns_watch *w, const struct exchange *x,
    const struct dns_message *m, struct answer *a)
{
	struct dns_asked asked = { *x->client, *x->resolver, m->type, 0,
		slice_str(m->name) };
	size_t at = m->records_at;
	struct dns_record record;
	unsigned seen = 0;

	a->length = dns_asked_encode(&asked, a->bytes);
	a->cut = false;
	a->sum = m->rcode;
	while (dns_record_next(m, &at, &seen, &record, &a->damaged)) {
		struct dns_said said = { record.type, record.ttl_s,
			record.in_answer, slice_str(record.owner),
			slice_of(record.value, record.value_len) };
		size_t n = dns_said_encode(&said, a->bytes + a->length,
		    sizeof(a->bytes) - a->length);

		if (said.in_answer)
			sum_record(w, a, &said);
		a->cut |= n == 0;
		a->length += n;
	}
}

static void
say_answer(struct dns_watch *w, const struct exchange *x,
    const struct dns_message *m, const struct answer *a, bool second,
    const struct origin *at)
{
	struct fact fact = { .code = FACT_DNS_ANSWER,
		.dir = TO_CLIENT,
		.flags = a->cut ? FACT_CUT : 0,
		.extent = 1,
		.value = m->rcode |
		    (m->authentic ? (uint32_t)DNS_ANSWER_AUTHENTIC : 0) |
		    (x->tcp ? (uint32_t)DNS_ANSWER_TCP : 0) |
		    (second ? (uint32_t)DNS_ANSWER_SECOND : 0) };
	struct fact_log log;

	fact_log_open(&log, w->pool, 0);
	fact_log_append(&log, &fact, slice_of(a->bytes, a->length), at);
	if (log.length > 0)
		fact_log_publish(&log, DECISION_DNS_ANSWERED);
	fact_log_close(&log);
}

static void
take_answer(struct dns_watch *w, struct query *q, const struct exchange *x,
    const struct dns_message *m, const struct origin *at)
{
	struct answer answer;
	bool second;

	read_answer(w, x, m, &answer);
	if (answer.damaged) {
		count(w->counters, COUNTER_DNS_MALFORMED);
		return;
	}
	second = q->answered >= q->asked;
	if (second)
		count(w->counters, COUNTER_DNS_UNASKED);
	else
		count(w->counters, COUNTER_DNS_ANSWERS);
	if (q->answered < UINT16_MAX)
		q->answered++;
	if (m->truncated || (second && answer.sum == q->first_answer))
		return;
	if (!second)
		q->first_answer = answer.sum;
	say_answer(w, x, m, &answer, second, at);
}

/* --- answers before their queries ---------------------------------------- */

static void
keep_early(struct dns_watch *w, uint64_t hash, const struct exchange *x,
    struct slice message, const struct origin *at)
{
	struct early *e;

	count(w->counters, COUNTER_DNS_UNASKED);
	if (x->tcp || message.len > EARLY_MAX_BYTES)
		return;
	if (w->early == NULL)
		w->early = calloc(EARLY_MAX, sizeof(*w->early));
	if (w->early == NULL)
		return;
	e = &w->early[w->early_next++ % EARLY_MAX];
	e->hash = hash;
	e->client = *x->client;
	e->resolver = *x->resolver;
	e->at = *at;
	e->length = (uint32_t)message.len;
	memcpy(e->message, message.ptr, message.len);
}

static void
take_early(struct dns_watch *w, struct query *q)
{
	for (unsigned i = 0; w->early != NULL && i < EARLY_MAX; i++) {
		struct early *e = &w->early[(w->early_next + i) % EARLY_MAX];
		struct exchange x = { &e->client, &e->resolver, false };
		struct dns_message m;

		if (e->hash != q->hash)
			continue;
		e->hash = 0;
		if (elapsed_ns(e->at.capture_ts_ns, q->asked_ns) <= EARLY_NS &&
		    dns_message_parse(slice_of(e->message, e->length), &m) ==
			PARSE_OK)
			take_answer(w, q, &x, &m, &e->at);
	}
}

/* --- messages ------------------------------------------------------------ */

static void
take_message(struct dns_watch *w, const struct exchange *x,
    struct slice message, bool from_client, const struct origin *at)
{
	struct dns_message m;
	struct query *q;
	uint64_t hash;

	if (dns_message_parse(message, &m) != PARSE_OK) {
		count(w->counters, COUNTER_DNS_MALFORMED);
		return;
	}
	if (m.response == from_client || !is_of_use(&m))
		return;
	hash = hash_of(w, x, &m);
	if (from_client) {
		take_early(w, take_query(w, hash, at->capture_ts_ns));
		return;
	}
	q = find_query(w, hash, at->capture_ts_ns);
	if (q == NULL)
		keep_early(w, hash, x, message, at);
	else
		take_answer(w, q, x, &m, at);
}

void
dns_watch_packet(struct dns_watch *w, const struct packet *p)
{
	struct slice message = slice_of(p->payload, p->payload_bytes);
	/* From port 53 to port 53 old resolvers ask each other. */
	bool answers = message.len > 2 && message.ptr[2] & 0x80;
	struct exchange x = { answers ? &p->dst : &p->src,
		answers ? &p->src : &p->dst, false };
	struct origin at = { .frame = p->number,
		.run_frame = p->run_number,
		.capture_ts_ns = p->capture_ts_ns,
		.capture = p->capture };

	if (p->payload_bytes < p->payload_wire_bytes) {
		count(w->counters, COUNTER_DNS_MALFORMED);
		return;
	}
	if (x.resolver->port == DNS_PORT)
		take_message(w, &x, message, !answers, &at);
}

/* --- over TCP ------------------------------------------------------------ */

/* A message that is coming in; its length first (RFC 1035 4.2.2). */
struct half {
	uint8_t *bytes;
	uint32_t have, room;
	uint32_t skip; /* of one that is too long */
};

struct dns_stream {
	struct dns_watch *watch;
	struct endpoint client, resolver;
	struct half halves[2]; /* by direction */
};

struct dns_stream *
dns_stream_open(struct dns_watch *w, const struct flow_identity *id)
{
	struct dns_stream *s = fact_pool_take(w->pool, sizeof(*s));

	if (s == NULL)
		return NULL;
	*s = (struct dns_stream){ .watch = w,
		.client = id->client,
		.resolver = id->server };
	return s;
}

void
dns_stream_close(struct dns_stream *s)
{
	struct fact_pool *pool = s->watch->pool;

	for (int dir = 0; dir < 2; dir++)
		fact_pool_give(pool, s->halves[dir].bytes, s->halves[dir].room);
	fact_pool_give(pool, s, sizeof(*s));
}

/* Octets of the message that are there or wanted, its length included. */
static uint32_t
wanted(const struct half *h)
{
	return h->have < 2 ? 2 : 2u + be16_at(h->bytes);
}

static bool
make_room(struct dns_stream *s, struct half *h, uint32_t room)
{
	uint8_t *bytes;

	if (room <= h->room)
		return true;
	bytes = fact_pool_take(s->watch->pool, room);
	if (bytes == NULL)
		return false;
	if (h->have > 0)
		memcpy(bytes, h->bytes, h->have);
	fact_pool_give(s->watch->pool, h->bytes, h->room);
	h->bytes = bytes;
	h->room = room;
	return true;
}

/* Takes some octets; 0: there is no room for them. */
static size_t
take_octets(struct dns_stream *s, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	struct exchange x = { &s->client, &s->resolver, true };
	struct half *h = &s->halves[dir];
	size_t n;

	if (h->skip > 0) {
		n = h->skip < bytes.len ? h->skip : bytes.len;
		h->skip -= (uint32_t)n;
		return n;
	}
	if (!make_room(s, h, wanted(h)))
		return 0;
	bytes = slice_first(bytes, wanted(h) - h->have);
	memcpy(h->bytes + h->have, bytes.ptr, bytes.len);
	h->have += (uint32_t)bytes.len;
	if (h->have == 2 && wanted(h) > STREAM_MESSAGE_MAX_BYTES) {
		h->skip = wanted(h) - 2;
		h->have = 0;
	} else if (h->have > 2 && h->have == wanted(h)) {
		take_message(s->watch, &x, slice_of(h->bytes + 2, h->have - 2u),
		    dir == TO_SERVER, at);
		h->have = 0;
	} else if (h->have == 2 && wanted(h) == 2) {
		h->have = 0; /* a message of no octets */
	}
	return bytes.len;
}

bool
dns_stream_feed(struct dns_stream *s, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	while (bytes.len > 0) {
		size_t n = take_octets(s, dir, bytes, at);

		if (n == 0)
			return false;
		bytes = slice_after(bytes, n);
	}
	return true;
}
