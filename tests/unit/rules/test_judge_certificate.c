/* What policies and TLSA records demand, and certificates that come. */
#include <criterion/criterion.h>

#include "rules/trust.h"
#include "unit/rules/answers.h"
#include "unit/rules/chain.h"
#include "unit/rules/judging.h"

static void
show_one(const struct made *m, uint16_t line)
{
	struct fact fact = { .code = FACT_TLS_CERTIFICATE,
		.line = line,
		.frame = 9,
		.capture_ts_ns = NOON_NS,
		.length = (uint32_t)m->length };

	session_fold(&d.session, &fact, made_slice(m));
}

/* `issuer` NULL: the server sends none. */
static void
show_chain(const struct made *m, const struct made *issuer,
    enum chain_result result)
{
	struct fact verified = { .code = FACT_CHAIN_VERIFIED, .value = result };

	dialogue_fact(&d, FACT_TLS_SERVER_HELLO, 0x0303, "");
	show_one(m, 1);
	if (issuer != NULL)
		show_one(issuer, 2);
	session_fold(&d.session, &verified, slice_str("0123456789abcdef"));
	dialogue_fact(&d, FACT_TLS_ESTABLISHED, 0, "");
}

static void
show_certificate(const struct made *m, enum chain_result result)
{
	show_chain(m, NULL, result);
}

static void
begin_under(const char *policy)
{
	begin(CLIENT, SERVER);
	if (policy != NULL) {
		world.domain[0] = "example.org";
		world.body[0] = policy;
	}
	dialogue_say(&d, S("220 mx ESMTP\r\n"), C("EHLO a\r\n"),
	    S("250-mx\r\n250 STARTTLS\r\n"), C("STARTTLS\r\n"),
	    S("220 go\r\n"));
}

static void
look_up(const char *asker)
{
	answer(&d, asker, DNS_MX, "example.org", 0, "MX " MX);
	answer(&d, asker, DNS_A, MX, 0, "A 198.51.100.25");
}

static struct made
certificate_for(const char *names)
{
	return make_certificate(
	    (struct making){ .subject = "mail", .names = names });
}

static enum verdict
judge_certificate(const char *policy, const char *names,
    enum chain_result result)
{
	static struct made m;

	m = certificate_for(names);
	begin_under(policy);
	look_up(CLIENT);
	show_certificate(&m, result);
	return conclude();
}

Test(judge_certificate, another_name_at_an_enforce_domain_is_an_incident)
{
	cr_assert_eq(judge_certificate(POLICY_OF("enforce"),
			 "DNS:mail.attacker.example", CHAIN_UNTRUSTED),
	    VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_CERTIFICATE_MISMATCH);
	cr_assert_eq(in.certainty, CERTAINTY_POSSIBLE);
	expect_evidence(&in, "certificate-foreign certificate-policy");
	cr_assert_str_eq(in.seen, "mail.attacker.example");
	cr_assert_str_eq(in.expected, MX);
	cr_assert_eq(in.frame, 9);
	cr_assert_eq(in.policy_count, 1);
	cr_assert_eq(in.policies[0].basis, BASIS_DNS_MX);
	cr_assert_eq(in.policies[0].result, POLICY_UNMET);
}

Test(judge_certificate, what_is_demanded_decides)
{
	static const struct {
		const char *policy, *names;
		enum chain_result result;
		enum verdict verdict;
	} rows[] = {
		{ POLICY_OF("enforce"), "DNS:" MX, CHAIN_TRUSTED,
		    VERDICT_NOTHING },
		{ POLICY_OF("enforce"), "DNS:*.example.org", CHAIN_TRUSTED,
		    VERDICT_NOTHING },
		{ POLICY_OF("enforce"), "DNS:" MX, CHAIN_UNTRUSTED,
		    VERDICT_INCIDENT },
		{ POLICY_OF("enforce"), "DNS:other.example", CHAIN_TRUSTED,
		    VERDICT_INCIDENT },
		/* Forgotten renewals are many. */
		{ POLICY_OF("enforce"), "DNS:" MX, CHAIN_EXPIRED,
		    VERDICT_EVIDENCE },
		{ POLICY_OF("enforce"), NULL, CHAIN_UNTRUSTED,
		    VERDICT_INCIDENT },
		/* Nobody looked: then only the name is known. */
		{ POLICY_OF("enforce"), "DNS:" MX, CHAIN_UNKNOWN,
		    VERDICT_NOTHING },
		{ POLICY_OF("testing"), "DNS:other.example", CHAIN_UNTRUSTED,
		    VERDICT_EVIDENCE },
		{ POLICY_OF("none"), "DNS:other.example", CHAIN_UNTRUSTED,
		    VERDICT_NOTHING },
		{ NULL, "DNS:other.example", CHAIN_UNTRUSTED, VERDICT_NOTHING },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(judge_certificate(rows[i].policy, rows[i].names,
				 rows[i].result),
		    rows[i].verdict, "row %zu", i);
}

/* Of other people's lookups nobody knows what this session was for. */
Test(judge_certificate, another_clients_answers_demand_nothing)
{
	struct made m = certificate_for("DNS:other.example");

	begin_under(POLICY_OF("enforce"));
	look_up("203.0.113.7");
	show_certificate(&m, CHAIN_UNTRUSTED);
	cr_assert_eq(conclude(), VERDICT_NOTHING);
}

/* With one of the two names the client may have meant the other. */
Test(judge_certificate, a_host_of_two_names_is_measured_by_the_one_it_shows)
{
	struct made m = certificate_for("DNS:two.example.org");

	begin_under(POLICY_OF("enforce"));
	answer(&d, CLIENT, DNS_MX, "example.org", 0,
	    "MX " MX "\nMX two.example.org");
	answer(&d, CLIENT, DNS_A, MX, 0, "A 198.51.100.25");
	answer(&d, CLIENT, DNS_A, "two.example.org", 0, "A 198.51.100.25");
	show_certificate(&m, CHAIN_TRUSTED);
	cr_assert_eq(conclude(), VERDICT_NOTHING);
}

/* TLS 1.3, resumption, anonymous ciphers. */
Test(judge_certificate, what_is_not_visible_is_neither_fine_nor_wrong)
{
	begin_under(POLICY_OF("enforce"));
	look_up(CLIENT);
	dialogue_fact(&d, FACT_TLS_SERVER_HELLO, 0x0304, "");
	dialogue_fact(&d, FACT_TLS_ESTABLISHED, 0, "");
	cr_assert_eq(conclude(), VERDICT_NOTHING);
}

Test(judge_certificate, a_policy_that_is_only_announced_weighs_little)
{
	struct made m = certificate_for("DNS:mail.attacker.example");

	begin_under(NULL);
	look_up(CLIENT);
	answer(&d, CLIENT, DNS_TXT, "_mta-sts.example.org", 0,
	    "TXT v=STSv1; id=1;");
	show_certificate(&m, CHAIN_UNTRUSTED);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	expect_evidence(&in, "certificate-foreign policy-published");
	cr_assert_eq(in.policy_count, 0);
}

Test(judge_certificate, tlsa_that_matches_nothing_is_told)
{
	struct made m = certificate_for("DNS:" MX);
	struct made other = certificate_for("DNS:" MX);
	char records[1024] = "TLSA ";

	begin_under(NULL);
	look_up(CLIENT);
	tlsa_text(&other, 3, 1, 1, records + 5);
	answer(&d, CLIENT, DNS_TLSA, "_25._tcp." MX, 0, records);
	show_certificate(&m, CHAIN_TRUSTED);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	expect_evidence(&in, "tlsa-unmatched");
	cr_assert_eq(in.certainty, CERTAINTY_POSSIBLE);
}

/* RFC 7672 2.2.1: a record of the next certificate may stand beside. */
Test(judge_certificate, one_tlsa_record_that_matches_is_enough)
{
	struct made m = certificate_for("DNS:" MX);
	struct made next = certificate_for("DNS:" MX);
	char records[1024] = "TLSA ", more[512];

	begin_under(NULL);
	look_up(CLIENT);
	tlsa_text(&next, 3, 1, 1, records + 5);
	strcat(strcat(records, "\nTLSA "), tlsa_text(&m, 3, 1, 1, more));
	answer(&d, CLIENT, DNS_TLSA, "_25._tcp." MX, 0, records);
	show_certificate(&m, CHAIN_UNTRUSTED);
	cr_assert_eq(conclude(), VERDICT_NOTHING);
}

/* --- records that were validated ----------------------------------------- */

#define ENFORCED \
	"version: STSv1\r\nmode: enforce\r\nmx: " MX "\r\nmax_age: 86400\r\n"

static enum verdict
judge_validated(const char *policy, const struct made *shown,
    enum chain_result result, const struct made *recorded)
{
	static char records[1024];

	begin_under(policy);
	world.tlsa = tlsa_text(recorded, 3, 1, 1, records);
	look_up(CLIENT);
	show_certificate(shown, result);
	return conclude();
}

Test(judge_certificate, a_validated_record_that_does_not_match_is_dane_unmet)
{
	struct made shown = certificate_for("DNS:" MX);
	struct made recorded = certificate_for("DNS:" MX);

	/* RFC 8461 2: that MTA-STS is satisfied changes nothing. */
	cr_assert_eq(judge_validated(ENFORCED, &shown, CHAIN_TRUSTED,
			 &recorded),
	    VERDICT_INCIDENT);
	expect_evidence(&in, "dane-certificate");
	cr_assert_eq(in.policy_count, 2);
	cr_expect_eq(in.policies[0].mechanism, MECHANISM_STS);
	cr_expect_eq(in.policies[0].result, POLICY_MET);
	cr_expect_eq(in.policies[1].mechanism, MECHANISM_DANE);
	cr_expect_eq(in.policies[1].result, POLICY_UNMET);
	cr_expect_str_eq(in.policies[1].mode, "authenticate");
}

/* DANE-EE needs no CA, and no name. */
Test(judge_certificate, a_validated_record_that_matches_is_enough)
{
	struct made shown = certificate_for("DNS:elsewhere.example.net");

	cr_assert_eq(judge_validated(ENFORCED, &shown, CHAIN_UNTRUSTED, &shown),
	    VERDICT_NOTHING);
}

Test(judge_certificate, what_was_seen_does_not_shadow_what_was_validated)
{
	struct made shown = certificate_for("DNS:" MX);
	struct made recorded = certificate_for("DNS:" MX);
	char validated[1024], seen[1024] = "TLSA ";

	begin_under(NULL);
	world.tlsa = tlsa_text(&recorded, 3, 1, 1, validated);
	look_up(CLIENT);
	tlsa_text(&shown, 3, 1, 1, seen + 5);
	answer(&d, CLIENT, DNS_TLSA, "_25._tcp." MX, 0, seen);
	show_certificate(&shown, CHAIN_TRUSTED);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	expect_evidence(&in, "dane-certificate");
}

/* Usages 0 and 1 are for CAs that SMTP does not know (RFC 7672 3.1.3). */
Test(judge_certificate, records_that_smtp_cannot_use_demand_nothing)
{
	struct made shown = certificate_for("DNS:" MX);
	char records[1024];

	begin_under(NULL);
	world.tlsa = tlsa_text(&shown, 1, 1, 1, records);
	look_up(CLIENT);
	show_certificate(&shown, CHAIN_UNTRUSTED);
	cr_assert_eq(conclude(), VERDICT_NOTHING);
}

/* --- what the server shows at other times -------------------------------- */

/* A session in TLS that showed the same certificate, or (`other`) another. */
static void
showed(bool other, double days, uint64_t sessions)
{
	struct profile *p = offers(NEIGHBOUR, days, sessions);

	p->certificate_hash = d.session.certificate_hash + other;
}

static void
begin_unmet(void)
{
	struct made shown = certificate_for("DNS:other.example.net");

	begin_under(ENFORCE);
	look_up(CLIENT);
	show_certificate(&shown, CHAIN_UNTRUSTED);
}

Test(judge_certificate, a_certificate_unlike_the_others_is_evidence)
{
	begin_unmet();
	showed(true, -1, 3);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	expect_evidence(&in,
	    "certificate-foreign certificate-policy certificate-changed");
	begin_unmet();
	showed(true, -1, 3);
	showed(true, 1, 3);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	expect_evidence(&in,
	    "certificate-foreign certificate-policy certificate-between");
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE, "and no more");
}

Test(judge_certificate, the_same_for_days_speaks_against)
{
	begin_unmet();
	showed(false, -4, 3);
	showed(false, 0, 1);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	expect_evidence(&in,
	    "certificate-foreign certificate-policy certificate-as-always");
}

/* Backends with certificates of their own, a day, sessions that show none. */
Test(judge_certificate, what_certificates_do_says_nothing_otherwise)
{
	begin_unmet();
	showed(true, -1, 3);
	showed(false, -2, 3);
	conclude();
	expect_evidence(&in, "certificate-foreign certificate-policy");
	begin_unmet();
	showed(false, -2, 3);
	showed(false, 0, 1);
	conclude();
	expect_evidence(&in, "certificate-foreign certificate-policy");
	begin_unmet();
	showed(true, -1, 3);
	world.profiles[0].certificate_hash = 0;
	conclude();
	expect_evidence(&in, "certificate-foreign certificate-policy");
	begin_unmet();
	showed(true, -9, 3);
	conclude();
	expect_evidence(&in, "certificate-foreign certificate-policy");
}

/* --- names below a trust anchor (RFC 7672 3.2.2) -------------------------- */

/* The chain leaf, CA; the record is of the CA. `seen`: what DNS on the wire
 * said of the host. */
static enum verdict
judge_anchored(const char *names, const char *seen)
{
	static struct made ca, leaf;
	static char records[1024];

	ca = make_certificate((struct making){ .subject = "CA", .ca = true });
	leaf = make_certificate(
	    (struct making){ .subject = "mail", .names = names, .by = &ca });
	world.tlsa = tlsa_text(&ca, 2, 0, 1, records);
	answer(&d, CLIENT, DNS_MX, "example.org", 0, "MX " MX);
	answer(&d, CLIENT, DNS_A, MX, 0, seen);
	show_chain(&leaf, &ca, CHAIN_UNTRUSTED);
	return conclude();
}

Test(judge_certificate, below_an_anchor_the_name_is_the_hosts_or_the_domains)
{
	static const char plain[] = "A 198.51.100.25";
	static const char alias[] = "CNAME box.example.net\nA 198.51.100.25";
	static const struct {
		const char *names;
		bool mx_insecure;
		const char *canonical, *next_hop, *seen;
		enum verdict verdict;
	} rows[] = {
		{ "DNS:" MX, false, NULL, NULL, plain, VERDICT_NOTHING },
		{ "DNS:" MX, true, NULL, NULL, plain, VERDICT_NOTHING },
		{ "DNS:example.org", false, NULL, NULL, plain,
		    VERDICT_NOTHING },
		{ "DNS:example.org", true, NULL, NULL, plain,
		    VERDICT_INCIDENT },
		{ "DNS:hop.example", false, NULL, "hop.example", plain,
		    VERDICT_NOTHING },
		{ "DNS:hop.example", true, NULL, "hop.example", plain,
		    VERDICT_INCIDENT },
		{ "DNS:box.example.net", true, "box.example.net", NULL, alias,
		    VERDICT_NOTHING },
		{ "DNS:box.example.net", false, "box.example.net", NULL, plain,
		    VERDICT_NOTHING },
		/* An alias that was only seen may be whose certificate it is:
		 * DNS on the wire never acquits (design 4.7). */
		{ "DNS:box.example.net", false, NULL, NULL, alias,
		    VERDICT_INCIDENT },
		{ "DNS:other.example", false, "box.example.net", "hop.example",
		    alias, VERDICT_INCIDENT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		begin_under(NULL);
		world.mx_insecure = rows[i].mx_insecure;
		world.canonical = rows[i].canonical;
		world.next_hop = rows[i].next_hop;
		cr_expect_eq(judge_anchored(rows[i].names, rows[i].seen),
		    rows[i].verdict, "row %zu", i);
	}
}
