/*
 * However packets carry a dialogue, its facts are the same. Dialogues and
 * disturbances are made up by chance, from a seed that is printed when they
 * differ:
 *
 *	STRIPLIGHT_SEED=17 dissect_test_property	that one alone
 *	STRIPLIGHT_SEEDS=100000 dissect_test_property	so many
 */
#include <criterion/criterion.h>

#include "dissect/shard.h"
#include "unit/dissect/dialogue.h"
#include "unit/dissect/traffic.h"

#define SEEDS 4000

/* A shard at work, and its facts as text. */
struct listener {
	struct dialogue said;
	struct shard *shard;
	struct counters decoding;
	struct shard_config config;
	/* How packets carried it is told apart from what they said. */
	unsigned carried, differing; /* facts, and copies-differ of them */
	struct fact differs;	     /* the last of these */
};

/*
 * All of a fact but where and when it was seen, and whether it was already
 * acknowledged when it was published: that depends on where the
 * acknowledgement comes to stand beside a decision point.
 */
static void
note_fact(struct dialogue *d, const struct fact *fact, struct slice bytes)
{
	char head[256];
	/* A session is opened with its first fact, whichever that is. */
	bool opened = fact->code == FACT_SESSION_OPENED;
	uint64_t offset = opened ? 0 : fact->stream_offset;

	snprintf(head, sizeof(head),
	    "%c %s %s flags %#x unseen %#x line %u value %u @%llu +%llu",
	    fact->dir == TO_SERVER ? 'C' : 'S',
	    fact_code_name((enum fact_code)fact->code),
	    verb_name((enum verb)fact->about), fact->flags & ~FACT_ACKED,
	    opened ? 0 : fact->observability, fact->line, (unsigned)fact->value,
	    (unsigned long long)offset, (unsigned long long)fact->extent);
	dialogue_say(d, head);
	dialogue_quote(d, bytes);
	dialogue_say(d, "\n");
}

static void
on_publish(void *context, const struct publication *p, struct slice facts)
{
	struct listener *l = context;
	struct slice bytes;
	struct fact fact;

	while (fact_decode(&facts, &fact, &bytes)) {
		if (fact.code == FACT_COPIES_DIFFER) {
			l->differing++;
			l->differs = fact;
		}
		if (fact.code == FACT_SERVER_TTL) /* of any carriage */
			continue;
		if (fact.code > FACT_CLOSED)
			l->carried++;
		else if (!(fact.flags & FACT_OTHER_READING))
			note_fact(&l->said, &fact, bytes);
	}
	cr_assert_eq(facts.len, 0);
	dialogue_say(&l->said, "-- ");
	dialogue_say(&l->said, decision_name((enum decision)p->decision));
	dialogue_say(&l->said, "\n");
}

static void
on_frame(void *context, const struct frame *frame)
{
	struct listener *l = context;
	struct packet packet;

	cr_assert_neq(packet_decode(frame, &l->decoding, &packet), PACKET_NONE);
	shard_packet(l->shard, 1, &packet);
}

static void
listen(struct listener *l, struct traffic *t)
{
	memset(l, 0, sizeof(*l));
	l->config = (struct shard_config){ .mail_ports = { 25 },
		.mail_port_count = 1,
		.any_port = true,
		.budgets = { 1 << 10, 1 << 26, 1 << 26, 1 << 26 } };
	l->shard = shard_create(0, &l->config, on_publish, l);
	cr_assert_not_null(l->shard);
	dialogue_say(&l->said, "");
	t->sink = on_frame;
	t->context = l;
	traffic_run(t);
	shard_finish(l->shard, 1);
}

static uint64_t
counted(const struct listener *l, enum counter counter)
{
	return shard_counters(l->shard)->of[counter];
}

static void
stop_listening(struct listener *l)
{
	shard_destroy(l->shard);
	dialogue_free(&l->said);
}

/* Which line is the first that differs? */
static void
check_same(uint64_t seed, const char *plain, const char *other)
{
	size_t same = 0, line = 0;

	for (; plain[same] != '\0' && plain[same] == other[same]; same++)
		if (plain[same] == '\n')
			line = same + 1;
	cr_assert(plain[same] == other[same],
	    "STRIPLIGHT_SEED=%llu: plain\n%.*s\nbut disturbed\n%.*s",
	    (unsigned long long)seed, (int)strcspn(plain + line, "\n"),
	    plain + line, (int)strcspn(other + line, "\n"), other + line);
}

/* Copies that differ are told, once; what is not odd is not told. */
static void
check_carried(uint64_t seed, const struct traffic *t, const struct listener *l)
{
	unsigned long long number = seed;

	if (t->spoil)
		return;
	cr_assert_eq(l->carried, t->forged,
	    "STRIPLIGHT_SEED=%llu: %u facts of odd packets, not %d", number,
	    l->carried, t->forged);
	cr_assert_eq(l->differing, t->forged,
	    "STRIPLIGHT_SEED=%llu: copies differ %u times", number,
	    l->differing);
	if (!t->forged)
		return;
	cr_assert_eq(l->differs.dir, t->forged_dir, "STRIPLIGHT_SEED=%llu",
	    number);
	cr_assert_eq(l->differs.stream_offset, t->forged_at,
	    "STRIPLIGHT_SEED=%llu: copies differ at %llu, not %u", number,
	    (unsigned long long)l->differs.stream_offset, t->forged_at);
	cr_assert_eq(l->differs.extent, 1, "STRIPLIGHT_SEED=%llu", number);
	cr_assert_eq(l->differs.frame, t->forged_frame,
	    "STRIPLIGHT_SEED=%llu: frame %llu, not %llu", number,
	    (unsigned long long)l->differs.frame,
	    (unsigned long long)t->forged_frame);
}

/* What the disturbances came to, so that none of them is there in vain. */
struct sums {
	uint64_t out_of_order, held, overlaps, joined, bad_sums, forged;
};

static void
try_seed(uint64_t seed, struct sums *sums)
{
	static struct script script;
	static struct traffic plain, disturbed;
	struct chance chance = { seed };
	struct listener a, b;

	script_write(&script, &chance);
	memset(&plain, 0, sizeof(plain));
	plain.script = &script;
	plain.chance = &chance;
	plain.isn[0] = (uint32_t)chance_next(&chance);
	plain.isn[1] = (uint32_t)chance_next(&chance);
	if (chance_once_in(&chance, 4))
		plain.isn[chance_below(&chance, 2)] = -50u; /* wraps soon */
	plain.v6 = chance_once_in(&chance, 3);
	plain.one_sided = chance_once_in(&chance, 8);
	plain.side = chance_once_in(&chance, 2) ? TO_SERVER : TO_CLIENT;
	plain.server_port =
	    plain.one_sided || !chance_once_in(&chance, 5) ? 25 : 8025;
	disturbed = plain;
	disturbed.cut = !chance_once_in(&chance, 4);
	disturbed.reorder = !chance_once_in(&chance, 4);
	disturbed.repeat = !chance_once_in(&chance, 4);
	disturbed.fragment = chance_once_in(&chance, 3);
	disturbed.spoil = chance_once_in(&chance, 4);
	/* Off the mail ports nobody watches before it is known to be SMTP. */
	disturbed.forge = !disturbed.spoil && plain.server_port == 25 &&
	    chance_once_in(&chance, 3);
	disturbed.link = chance_below(&chance, TRAFFIC_LINKS);
	listen(&a, &plain);
	listen(&b, &disturbed);
	check_same(seed, a.said.text, b.said.text);
	cr_assert_eq(counted(&a, COUNTER_SESSIONS), 1);
	cr_assert_eq(counted(&a, COUNTER_GAPS), 0);
	cr_assert_eq(counted(&a, COUNTER_OVERLAPS), 0);
	cr_assert_eq(a.carried, 0);
	check_carried(seed, &disturbed, &b);
	sums->forged += disturbed.forged;
	sums->out_of_order += counted(&b, COUNTER_OUT_OF_ORDER);
	sums->held += counted(&b, COUNTER_HELD);
	sums->overlaps += counted(&b, COUNTER_OVERLAPS);
	sums->joined += counted(&b, COUNTER_FRAGMENTS_JOINED);
	sums->bad_sums += counted(&b, COUNTER_BAD_CHECKSUM);
	stop_listening(&a);
	stop_listening(&b);
}

static uint64_t
from_environment(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value != NULL ? strtoull(value, NULL, 10) : otherwise;
}

Test(property, facts_do_not_depend_on_how_packets_carry_a_dialogue)
{
	uint64_t one = from_environment("STRIPLIGHT_SEED", UINT64_MAX);
	uint64_t count = from_environment("STRIPLIGHT_SEEDS", SEEDS);
	struct sums sums = { 0 };

	if (one != UINT64_MAX) {
		try_seed(one, &sums);
		return;
	}
	for (uint64_t seed = 0; seed < count; seed++)
		try_seed(seed, &sums);
	cr_assert_gt(sums.out_of_order, count);
	cr_assert_gt(sums.held, count);
	cr_assert_gt(sums.overlaps, count);
	cr_assert_gt(sums.joined, count);
	cr_assert_gt(sums.bad_sums, count / 2);
	cr_assert_gt(sums.forged, count / 8);
}
