/*
 * What tests of verdicts share: a session, the world around it, and what is
 * made of the two.
 *
 *	begin(CLIENT, SERVER);
 *	dialogue_say(&d, S("220 mx ESMTP\r\n"), C("EHLO a\r\n"), ...);
 *	cr_assert_eq(conclude(), VERDICT_INCIDENT);
 *	expect_evidence(&in, "mask-grammar");
 */
#ifndef TESTS_UNIT_RULES_JUDGING_H
#define TESTS_UNIT_RULES_JUDGING_H

#include "unit/rules/replies.h"
#include "unit/rules/world.h"

#define CLIENT "192.0.2.10"
#define NEIGHBOUR "192.0.2.77" /* in the client's network */
#define STRANGER "203.0.113.5"
#define SERVER "198.51.100.25"
#define MX "mx.example.org"

#define ENFORCE POLICY_OF("enforce")
#define TESTING POLICY_OF("testing")

static struct dialogue d;
static struct fake_world world;
static struct incident in;
static enum unjudged why;

/* Before dialogue_open(): a world of which nothing is known. */
static inline void
blank(void)
{
	memset(&d, 0, sizeof(d));
	memset(&world, 0, sizeof(world));
}

static inline void
begin(const char *client, const char *server)
{
	blank();
	dialogue_open(&d, client, server);
}

/* A session with Postfix, up to the answer to EHLO. */
static inline void
greet(void)
{
	begin(CLIENT, SERVER);
	dialogue_greet(&d, &replies[REPLY_POSTFIX], "STARTTLS", 8);
}

static inline enum verdict
judge(void)
{
	memset(&in, 0, sizeof(in));
	return rules_judge(&d.session, fake_context(&world), &in, &why);
}

static inline enum verdict
conclude(void)
{
	dialogue_close(&d);
	return judge();
}

/* As the judge's loop does it: rules are asked only where they have a say. */
static inline enum verdict
judge_asked(void)
{
	return rules_have_a_say(&d.session) ? judge() : VERDICT_NOTHING;
}

static inline enum verdict
conclude_asked(void)
{
	dialogue_close(&d);
	return judge_asked();
}

/* `sessions` of `client` that were offered STARTTLS, `days` away. */
static inline struct profile *
offers(const char *client, double days, uint64_t sessions)
{
	return fake_offers(&world, &d.session, UINT32_MAX, client, days,
	    sessions);
}

static inline struct profile *
lacks(const char *client, double days, uint64_t sessions)
{
	return without_offer(offers(client, days, sessions));
}

/* ... that came to `ending_class`. */
static inline struct profile *
ended(const char *client, double days, uint64_t sessions,
    enum ending_class ending_class)
{
	struct profile *p = offers(client, days, sessions);

	p->ending_class = (uint8_t)ending_class;
	return p;
}

#endif
