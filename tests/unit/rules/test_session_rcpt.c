/* RCPT's domains choose the policy (RFC 8461 3.4): what counts as one. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "unit/rules/dialogue.h"

static struct dialogue d;
#define s (&d.session)

static void
begin(void)
{
	dialogue_open(&d, "192.0.2.10", "198.51.100.25");
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    C("EHLO relay.example.net\r\n"), S("250 mx1.example.org\r\n"),
	    C("MAIL FROM:<a@example.net>\r\n"), S("250 Ok\r\n"));
}

static void
recipient(const char *path, const char *reply)
{
	char command[512];
	struct said said[2] = { { TO_SERVER, command, 0, false },
		{ TO_CLIENT, reply, strlen(reply), false } };

	snprintf(command, sizeof(command), "RCPT TO:%s\r\n", path);
	said[0].len = strlen(command);
	dialogue_say_all(&d, said, 2);
}

Test(session_rcpt, the_domain_of_an_accepted_recipient_is_kept)
{
	static const struct {
		const char *path, *domain;
	} rows[] = {
		{ "<bob@example.org>", "example.org" },
		{ " <bob@example.org>", "example.org" },
		{ "<bob@Example.ORG>", "example.org" },
		{ "<bob@example.org.>", "example.org" },
		{ "<bob@example.org> NOTIFY=NEVER", "example.org" },
		{ "<bob@example.org> ORCPT=rfc822;x@elsewhere.test",
		    "example.org" },
		{ "bob@example.org", "example.org" },
		{ "bob@example.org NOTIFY=NEVER", "example.org" },
		{ "<@relay.test,@other.test:bob@example.org>", "example.org" },
		{ "<\"bob@home.test\"@example.org>", "example.org" },
		{ "<bob@xn--bcher-kva.example>", "xn--bcher-kva.example" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		begin();
		recipient(rows[i].path, "250 Ok\r\n");
		dialogue_close(&d);
		cr_expect_eq(s->domain_count, 1, "%s", rows[i].path);
		cr_expect_str_eq(s->rcpt_domains[0], rows[i].domain, "%s: %s",
		    rows[i].path, s->rcpt_domains[0]);
	}
}

/* RFC 5321 4.1.1.3: <Postmaster> has no domain; a literal no policy. */
Test(session_rcpt, what_names_no_domain_chooses_no_policy)
{
	static const char *const paths[] = { "<Postmaster>", "<bob>", "<>",
		"<bob@[192.0.2.1]>", "<bob@[IPv6:2001:db8::1]>", "<bob@>",
		"<bob@exa mple.org>", "<bob@m\xc3\xbcx.example>", "",
		"<bob@.>" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		begin();
		recipient(paths[i], "250 Ok\r\n");
		dialogue_close(&d);
		cr_expect_eq(s->domain_count, 0, "%s: %s", paths[i],
		    s->rcpt_domains[0]);
		cr_expect(s->rcpt_clear, "%s", paths[i]);
	}
}

Test(session_rcpt, a_refused_recipient_chooses_nothing)
{
	begin();
	recipient("<no@refused.test>", "550 5.1.1 no\r\n");
	recipient("<later@deferred.test>", "450 4.2.0 later\r\n");
	cr_expect_eq(s->domain_count, 0);
	recipient("<bob@example.org>", "250 Ok\r\n");
	dialogue_close(&d);
	cr_expect_eq(s->domain_count, 1);
	cr_expect_str_eq(s->rcpt_domains[0], "example.org");
}

Test(session_rcpt, answers_find_their_recipients_under_pipelining)
{
	begin();
	dialogue_say(&d,
	    C("RCPT TO:<a@one.test>\r\nRCPT TO:<b@two.test>\r\n"
	      "RCPT TO:<c@three.test>\r\nDATA\r\n"),
	    S("250 Ok\r\n550 no\r\n250 Ok\r\n354 go on\r\n"));
	dialogue_close(&d);
	cr_assert_eq(s->domain_count, 2);
	cr_expect_str_eq(s->rcpt_domains[0], "one.test");
	cr_expect_str_eq(s->rcpt_domains[1], "three.test");
}

Test(session_rcpt, a_domain_is_listed_once)
{
	begin();
	recipient("<a@example.org>", "250 Ok\r\n");
	recipient("<b@EXAMPLE.org>", "250 Ok\r\n");
	recipient("<c@example.com>", "251 will forward\r\n");
	dialogue_close(&d);
	cr_expect_eq(s->domain_count, 2);
}

Test(session_rcpt, domains_beyond_the_room_are_counted)
{
	begin();
	for (int i = 0; i < INCIDENT_DOMAINS_MAX + 3; i++) {
		char path[32];

		snprintf(path, sizeof(path), "<bob@d%d.test>", i);
		recipient(path, "250 Ok\r\n");
	}
	dialogue_close(&d);
	cr_expect_eq(s->domain_count, INCIDENT_DOMAINS_MAX);
	cr_expect_eq(s->domains_unlisted, 3);
}

Test(session_rcpt, several_mails_add_up_and_rset_takes_nothing_back)
{
	begin();
	recipient("<bob@one.test>", "250 Ok\r\n");
	dialogue_say(&d, C("RSET\r\n"), S("250 Ok\r\n"),
	    C("MAIL FROM:<a@example.net>\r\n"), S("250 Ok\r\n"));
	recipient("<bob@two.test>", "250 Ok\r\n");
	dialogue_say(&d, C("DATA\r\n"), S("354 go on\r\n"), C("hello\r\n.\r\n"),
	    S("250 queued as AAAA\r\n"), C("MAIL FROM:<a@example.net>\r\n"),
	    S("250 Ok\r\n"));
	recipient("<bob@three.test>", "250 Ok\r\n");
	dialogue_close(&d);
	/* All three were in clear text: RSET forgets, the wire does not. */
	cr_assert_eq(s->domain_count, 3);
	cr_expect_str_eq(s->rcpt_domains[0], "one.test");
	cr_expect_str_eq(s->rcpt_domains[2], "three.test");
	cr_expect_str_eq(s->queue_id, "AAAA");
}

Test(session_rcpt, a_body_that_looks_like_commands_adds_no_domain)
{
	begin();
	recipient("<bob@example.org>", "250 Ok\r\n");
	dialogue_say(&d, C("DATA\r\n"), S("354 go on\r\n"),
	    C("RCPT TO:<eve@body.test>\r\n250-STARTTLS\r\n.\r\n"),
	    S("250 Ok\r\n"));
	dialogue_close(&d);
	cr_expect_eq(s->domain_count, 1);
	cr_expect_not(s->offered);
}

/* More RCPTs in flight than are remembered: no answer goes to a wrong one. */
Test(session_rcpt, a_flood_of_recipients_shifts_no_answer)
{
	begin();
	for (int i = 0; i < PENDING_RCPT_MAX; i++)
		dialogue_say(&d, C("RCPT TO:<x@refused.test>\r\n"));
	dialogue_say(&d, C("RCPT TO:<x@beyond.test>\r\n"));
	for (int i = 0; i < PENDING_RCPT_MAX; i++)
		dialogue_say(&d, S("550 no\r\n"));
	dialogue_say(&d, S("250 Ok\r\n"));
	dialogue_close(&d);
	cr_expect_eq(s->domain_count, 0);
	cr_expect(s->rcpt_clear);
}

/* The 550 was in the gap: without it the 250 would be taken for the answer to
 * the first recipient, and its domain's policy for the one that counts. */
Test(session_rcpt, behind_a_gap_no_answer_is_given_to_a_recipient)
{
	begin();
	dialogue_say(&d,
	    C("RCPT TO:<x@refused.test>\r\nRCPT TO:<b@example.org>\r\n"),
	    GAP(TO_CLIENT, 4), S(" no\r\n250 Ok\r\n"));
	dialogue_close(&d);
	cr_expect_eq(s->domain_count, 0);
	cr_expect(s->rcpt_clear);
}
