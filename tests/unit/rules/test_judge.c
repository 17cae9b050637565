/* starttls-garbled: from a session and what is known to a verdict. */
#include "rules/judge.h"

#include <math.h>

#include "unit/rules/judging.h"

/* A delivery through `reply` with `word` in the place of STARTTLS. */
static enum verdict
judge_word(const struct reply *reply, const char *word)
{
	begin(CLIENT, SERVER);
	dialogue_greet(&d, reply, word, word ? strlen(word) : 0);
	dialogue_say(&d, DELIVERY);
	dialogue_close(&d);
	return judge();
}

static enum verdict
judge_lines(const char *lines)
{
	struct reply reply = { "", "220 mx1.example.org ESMTP", lines };

	return judge_word(&reply, "");
}

/* Support as design 4.8 defines it, from what the incident shows. */
static double
support_by_groups(const struct incident *incident)
{
	double sum = 0;

	for (int group = 0; group < EVIDENCE_GROUPS; group++) {
		double most = 0, least = 0;

		for (unsigned i = 0; i < incident->evidence_count; i++) {
			const struct evidence *e = &incident->evidence[i];

			if ((int)evidence_group(e->code) != group)
				continue;
			most = fmax(most, e->weight);
			least = fmin(least, e->weight);
		}
		sum += most + least;
	}
	return sum;
}

Test(judge, a_garbled_offer_is_told_whole)
{
	cr_assert_eq(judge_word(&replies[REPLY_POSTFIX], "XXXXXXXA"),
	    VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_GARBLED);
	cr_expect_eq(in.certainty, CERTAINTY_LIKELY);
	cr_expect_eq(in.state, STATE_FINAL);
	cr_expect_eq(in.side, SIDE_SERVER_OF_TAP);
	cr_expect_eq(in.cause, CAUSE_UNKNOWN);
	cr_expect_str_eq(in.resembles, "cisco-esmtp");
	cr_expect_eq(in.resembles_samples, 5);
	cr_expect_str_eq(in.seen, "250-XXXXXXXA");
	cr_expect_str_eq(in.expected, "250-STARTTLS");
	cr_expect_eq(in.seen_line, 6);
	cr_expect_eq(in.frame, 3);
	cr_expect_str_eq(in.product, "postfix");
	cr_expect_str_eq(in.helo, "relay.example.net");
	cr_expect_str_eq(in.server_name, "mx1.example.org");
	cr_expect_str_eq(in.queue_id, "4F1A2");
	cr_expect_str_eq(in.rcpt_domains[0], "example.org");
	cr_expect_eq(in.outcome,
	    OUTCOME_ENVELOPE_EXPOSED | OUTCOME_CONTENT_EXPOSED |
		OUTCOME_ACCEPTED);
	cr_expect_eq(in.unseen, 0);
	cr_expect_eq(in.server.port, 25);
	cr_expect_eq(incident_severity(&in), 1);
	expect_evidence(&in, "mask-grammar");
	cr_expect_str_not_empty(in.benign);
	cr_expect_str_not_empty(in.next_step);
}

/* Everything that corpus and literature show, and what is like it. */
static const char *const overwritings[] = {
	"XXXXXXXX",
	"XXXXXXXA",
	"xxxxxxxx",
	"********",
	"AAAAAAAA",
	"00000000",
	"        ",
	"QZKWVPDJ",
	"kjdhfgqw",
	"83917462",
	"\x80\x91\xa2\xb3\xc4\xd5\xe6\xf7",
	"\x01\x02\x03\x04\x05\x06\x07\x08",
	"NOOP    ",
	"STARTTLX",
	"STARTTL ",
	"STA\xd2TTLS",
	"XXXXXXLS",
};
#define OVERWRITINGS (sizeof(overwritings) / sizeof(*overwritings))

Test(judge, every_overwriting_of_every_server_is_an_incident)
{
	for (size_t i = 0; i < REPLIES; i++) {
		for (size_t j = 0; j < OVERWRITINGS; j++) {
			const char *word = overwritings[j];
			enum verdict verdict = judge_word(&replies[i], word);

			cr_expect_eq(verdict, VERDICT_INCIDENT,
			    "%s: \"%s\": %.2f", replies[i].server, word,
			    in.confidence);
			cr_expect_eq(in.kind, KIND_STARTTLS_GARBLED);
			cr_expect_str_eq(in.expected + 4, "STARTTLS");
			cr_expect_float_eq(in.support, support_by_groups(&in),
			    1e-9);
		}
	}
}

Test(judge, addresses_of_either_family_give_the_same_verdict)
{
	double support;

	judge_word(&replies[REPLY_EXIM], "********");
	support = in.support;
	begin("2001:db8::10", "2001:db8:25::25");
	dialogue_greet(&d, &replies[REPLY_EXIM], "********", 8);
	dialogue_say(&d, DELIVERY);
	dialogue_close(&d);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_float_eq(in.support, support, 1e-9);
	cr_expect_eq(in.server.address.family, 6);
}

Test(judge, an_intact_offer_is_nothing_even_against_an_enforcing_policy)
{
	for (size_t i = 0; i < REPLIES; i++) {
		begin(CLIENT, SERVER);
		dialogue_greet(&d, &replies[i], "STARTTLS", 8);
		dialogue_say(&d, DELIVERY);
		dialogue_close(&d);
		world.domain[0] = "example.org";
		world.body[0] = ENFORCE;
		cr_expect_eq(judge(), VERDICT_NOTHING, "%s", replies[i].server);
	}
}

/* Servers without TLS and with words of their own. */
Test(judge, nothing_benign_is_an_incident)
{
	static const char *const lines[] = {
		"mx",
		"mx\nPIPELINING\n8BITMIME",
		"mx\nSIZE 1\ncoremail\nHELP",
		"mx\nmail\nPIPELINING\nAUTH LOGIN PLAIN\nAUTH=LOGIN PLAIN\n"
		"coremail 1Uxr2xKj7kG0xkI17xGrU7I0s8FY2U3Uj8Cz28x1UUUUU7Ic2I0"
		"\n8BITMIME",
		"mx\nPIPELINING\nSIZE\nETRN\nXFORWARD NAME ADDR\n8BITMIME",
		"mx\nXFORWARD\nSIZE",
		"mx\nSIZE 1\nXSTARTTLS\nHELP",
		"mx\nSIZE 1\nX-ANONYMOUSTLS\nHELP",
		"mx\nSIZE 1\nTLS\nHELP",
		"mx\nXVERP=Courier\nXEXDATA\nXSECURITY=NONE,STARTTLS\n"
		"PIPELINING\n8BITMIME\nSIZE\nDSN",
		"xxxxxxxx.xxx Hello [***.***]\nSIZE 1\nHELP",
		"XXXXXXXX\nSIZE 1\nHELP",
		"mx\nSIZE 1\nWelcome!\nHELP",
		"mx\nSIZE 1\nHello...\nHELP",
		"mx\nSIZE 1\n10.0.0.1\nHELP",
		"mx\nSIZE 1\n12:34:56\nHELP",
		"mx\nSIZE 1\n03/01/26\nHELP",
		"mx\nSIZE 1\nDSN,HELP\nHELP",
		"mx\nSIZE 1\nmail.com\nHELP",
		"mx\nSIZE:100\nXFOO\nHELP",
		"mx\nSIZE 1\nIt's me.\nHELP",
		"mx\nSIZE 1\nXTRANSID\nHELP",
		"mx\nSIZE 1\nCHUNKING\nSMTPUTF8\n8BITMIME\nHELP",
		"mx\nENHANCEDSTATUSCODES\nPIPELINING\n8BITMIME\nSIZE\nDSN\n"
		"ETRN\nAUTH DIGEST-MD5 CRAM-MD5\nXXXXXXXXA\nXXXB",
		/* Exchange 2003 behind Cisco: the eight letters are CHUNKING */
		"mx Hello\nXXXA\nSIZE\nETRN\nPIPELINING\nDSN\n"
		"ENHANCEDSTATUSCODES\n8bitmime\nBINARYMIME\nXXXXXXXB\nXXXC\n"
		"XXXXXXXXXXXXXXXXXXXXXXXD\nXXXXXXXXXXXE\n"
		"AUTH GSSAPI NTLM LOGIN\nXXXXXXXXXF\nXXXXXXXXXXXG\nXXXXXXH\n"
		"XI",
		"STARTTLS\nSIZE\nHELP",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		enum verdict verdict = judge_lines(lines[i]);

		cr_expect_neq(verdict, VERDICT_INCIDENT, "%s: %s, %.2f",
		    lines[i], kind_name(in.kind), in.confidence);
		cr_expect_neq(verdict, VERDICT_UNJUDGED, "%s", lines[i]);
	}
}

Test(judge, a_body_that_quotes_a_garbled_reply_is_a_body)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    C("EHLO relay.example.net\r\n"),
	    S("250-mx1.example.org\r\n250 SIZE 1\r\n"),
	    C("MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\n"
	      "DATA\r\n"),
	    S("250 Ok\r\n250 Ok\r\n354 go on\r\n"),
	    C("EHLO me\r\n250-XXXXXXXA\r\n250 STARTTLS\r\n.\r\n"),
	    S("250 Ok\r\n"));
	dialogue_close(&d);
	cr_expect_eq(judge(), VERDICT_NOTHING);
}

/* Writing what Cisco writes costs an attacker nothing (design 3). */
Test(judge, resemblance_never_lowers_severity)
{
	static const char *const masks[] = { "XXXXXXXA", "XXXXXXXX",
		"********" };

	cr_assert_eq(judge_word(&replies[REPLY_POSTFIX], "QZKWVPDJ"),
	    VERDICT_INCIDENT);
	cr_expect_str_empty(in.resembles);
	cr_expect_eq(incident_severity(&in), 1);
	for (size_t i = 0; i < 3; i++) {
		judge_word(&replies[REPLY_POSTFIX], masks[i]);
		cr_expect_str_not_empty(in.resembles);
		cr_expect_eq(incident_severity(&in), 1, "%s", masks[i]);
	}
	/* ... nor does masking a second keyword as Cisco would. */
	cr_expect_eq(judge_lines("mx\nPIPELINING\nSIZE\nVRFY\nETRN\n"
				 "XXXXXXXA\nENHANCEDSTATUSCODES\n8BITMIME\n"
				 "DSN\nXXXXXXXB\nXXXXXXXC"),
	    VERDICT_INCIDENT);
	expect_evidence(&in, "mask-grammar others-masked");
	cr_expect_eq(incident_severity(&in), 1);
}

/* The posterior of prior and support. */
Test(judge, confidence_follows_from_prior_and_support)
{
	static const double priors[] = { 0.5, 1.0 / 30, 0.001 };

	for (size_t i = 0; i < 3; i++) {
		double odds;

		judge_word(&replies[REPLY_POSTFIX], "XXXXXXXX");
		world.context.prior = priors[i];
		judge();
		cr_expect_float_eq(in.prior, priors[i], 1e-12);
		odds = pow(10, in.support) * priors[i] / (1 - priors[i]);
		cr_expect_float_eq(in.confidence, odds / (1 + odds), 1e-9);
	}
	/* The same evidence, watched for without suspicion. */
	cr_expect_eq(in.certainty, CERTAINTY_NONE);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
}

Test(judge, what_is_not_admitted_stays_below_likely)
{
	struct reply reply = { "", "220 mx ESMTP", "mx\nXPRIVATE1\n%s\nSIZE" };

	cr_assert_eq(judge_word(&reply, "XXXXXXXX"), VERDICT_INCIDENT);
	expect_evidence(&in, "mask-ambiguous");
	world.context.prior = 0.9;
	judge();
	cr_expect_gt(in.support, 1);
	cr_expect_float_eq(in.confidence, 0.69, 1e-9);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
}

Test(judge, a_policy_adds_little_to_what_is_sure_already)
{
	judge_word(&replies[REPLY_POSTFIX], "XXXXXXXX");
	world.domain[0] = "example.org";
	world.body[0] = ENFORCE;
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "mask-grammar policy-beside-content");
	cr_expect_float_eq(in.support, 1.9 + 0.3, 1e-9);
	cr_assert_eq(in.policy_count, 1);
	cr_expect_eq(in.policies[0].result, POLICY_UNMET);
	cr_expect_eq(in.policies[0].basis, BASIS_RCPT);
	cr_expect_str_eq(in.policies[0].mode, "enforce");
}

/* Else random letters would hide from a policy what removal cannot. */
Test(judge, a_word_that_tells_little_leaves_the_policy_its_weight)
{
	struct reply reply = { "", "220 mx ESMTP", "mx\nXPRIVATE1\n%s\nSIZE" };

	cr_assert_eq(judge_word(&reply, "NOTTODAY"), VERDICT_EVIDENCE);
	world.domain[0] = "example.org";
	world.body[0] = ENFORCE;
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_GARBLED);
	expect_evidence(&in, "unknown-word policy-unmet");
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	cr_expect_leq(in.confidence, 0.69);
}

/* A mask in the place of CHUNKING, and STARTTLS gone. */
Test(judge, a_word_that_is_no_starttls_does_not_hide_that_it_is_missing)
{
	static const char lines[] = "mx\nPIPELINING\nSIZE\n8BITMIME\nDSN\n"
				    "SMTPUTF8\nXXXXXXXX";

	cr_expect_neq(judge_lines(lines), VERDICT_INCIDENT);
	world.domain[0] = "example.org";
	world.body[0] = ENFORCE;
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_STRIPPED);
}

/* Design 4.2: what the server says at other times decides too. */
Test(judge, a_word_that_stands_beside_starttls_at_other_times_is_the_servers)
{
	struct reply reply = { "", "220 mx1.example.org ESMTP Exim 4.96",
		"mx\nSIZE 1\nCHUNKING\nQZKWVPDJ\nPRDR\nHELP" };

	cr_assert_eq(judge_word(&reply, ""), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_GARBLED);
	fake_offers(&world, &d.session, UINT32_MAX, "192.0.2.10", -1, 3);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_STRIPPED);
	expect_evidence(&in, "offered-to-same-client only-difference");
}

Test(judge, history_of_the_clean_reply_confirms_a_garbled_one)
{
	judge_word(&replies[REPLY_POSTFIX], "QZKWVPDJ");
	fake_offers(&world, &d.session, 5, "192.0.2.10", -1, 3);
	fake_itself(&world, &d.session);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_GARBLED);
	expect_evidence(&in, "slot offered-to-same-client only-difference");
	cr_expect_float_eq(in.support, 2.0 + 1.6, 1e-9);
	cr_expect_not(in.retrospect);
}

Test(judge, a_word_that_everybody_gets_speaks_a_little_against)
{
	struct profile *p;

	judge_word(&replies[REPLY_POSTFIX], "XXXXXXXA");
	fake_itself(&world, &d.session);
	p = fake_itself(&world, &d.session);
	cr_assert(address_parse("203.0.113.7", &p->client));
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "mask-grammar always-so");
	/* ... but not when their reply lacks STARTTLS in another way. */
	p->keywords_hash++;
	judge();
	expect_evidence(&in, "mask-grammar");
}

Test(judge, a_client_that_asks_all_the_same_and_gets_tls_loses_nothing)
{
	begin(CLIENT, SERVER);
	dialogue_greet(&d, &replies[REPLY_POSTFIX], "XXXXXXXX", 8);
	dialogue_say(&d, C("STARTTLS\r\n"), S("220 2.0.0 Ready\r\n"));
	dialogue_fact(&d, FACT_TLS_ESTABLISHED, 0, "");
	dialogue_close(&d);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "mask-grammar command-accepted");
	/* One group: the stronger counts, not both. */
	cr_expect_float_eq(in.support, 1.9, 1e-9);
	cr_expect_eq(in.outcome, OUTCOME_ENCRYPTED);
	cr_expect_eq(incident_severity(&in), 2);
}

Test(judge, a_server_that_does_not_know_the_command_speaks_against)
{
	static const char *const codes[] = { "500 5.5.1 what?\r\n",
		"502 5.5.1 not implemented\r\n",
		"503 STARTTLS command used when not advertised\r\n" };

	for (size_t i = 0; i < 3; i++) {
		struct said reply = { TO_CLIENT, codes[i], strlen(codes[i]),
			false };

		begin(CLIENT, SERVER);
		dialogue_greet(&d, &replies[REPLY_POSTFIX], "XXXXXXXX", 8);
		dialogue_say(&d, C("STARTTLS\r\n"), reply, DELIVERY);
		dialogue_close(&d);
		cr_assert_eq(judge(), VERDICT_INCIDENT);
		expect_evidence(&in, "mask-grammar command-unknown");
		cr_expect_float_eq(in.support, 1.9 - 0.4, 1e-9);
	}
}

/* What arrives garbled was garbled, whatever else the capture lacks. */
Test(judge, presence_needs_no_complete_capture)
{
	blank();
	d.one_sided = true;
	dialogue_open(&d, "192.0.2.10", "198.51.100.25");
	dialogue_say(&d, S("220 mx1.example.org ESMTP Postfix\r\n"),
	    S("250-mx1.example.org\r\n250-PIPELINING\r\n250-ETRN\r\n"
	      "250-XXXXXXXX\r\n250-8BITMIME\r\n250 DSN\r\n"),
	    GAP(TO_CLIENT, 100));
	dialogue_close(&d);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_GARBLED);
	cr_expect(in.unseen & OBS_ONE_SIDED);
	cr_expect(in.unseen & OBS_GAP_TO_CLIENT);
}

Test(judge, octets_of_the_wire_are_shown_escaped)
{
	judge_word(&replies[REPLY_POSTFIX], "\x80\x91\\\x01TTLS");
	cr_expect_str_eq(in.seen, "250-\\x80\\x91\\x5C\\x01TTLS");
}

/* The code is overwritten too: what is shown is what arrived. */
Test(judge, a_line_that_is_overwritten_whole_is_shown_as_it_arrived)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"), C("EHLO me\r\n"),
	    S("250-mx\r\n250-SIZE\r\n************\r\n250 HELP\r\n"), DELIVERY);
	dialogue_close(&d);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_str_eq(in.seen, "************");
	cr_expect_str_eq(in.expected, "250-STARTTLS");
}
