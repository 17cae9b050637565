/*
 * rules/trial.h - one judgement while it goes on; private to judge*.c.
 */
#ifndef RULES_TRIAL_H
#define RULES_TRIAL_H

#include "chain.h"
#include "dns_seen.h"
#include "history.h"
#include "judge.h"

struct trial {
	const struct session *session; /* or its other reading */
	const struct session *own;     /* without what came after it */
	struct chain chain;
	const struct context *context;
	struct incident *out;
	struct history history;
	struct tls_history tls;
	/* Evidence that stands whatever the kind; NULL: there is none. */
	void (*weigh_first)(struct trial *);
};

/* judge.c. A piece of evidence more; `frame` 0: of no single frame. */
struct evidence *
trial_evidence(struct trial *, enum evidence_code, uint64_t frame);
/* Nothing is said yet, but for what weigh_first() does. */
void trial_start_over(struct trial *);
/* The sum, the confidence and the certainty. */
enum verdict trial_conclude(struct trial *);
/* Was the offer of `session` overwritten or removed? */
enum verdict trial_offer(struct trial *);
/* judge_policy.c: what the recipients' domains demand, and whether they got
 * it. Then as evidence; `content`: something stands in the offer's place. */
void trial_policies(struct trial *);
/* What came of one demand; instead of what was said of the same before. */
void trial_policy(struct trial *, const struct policy_verdict *);
void trial_policy_sts(struct trial *, const char *domain,
    const struct policy_in_force *, enum policy_basis, enum policy_result);
void trial_weigh_policies(struct trial *, bool content);
/* judge_refused.c: offered, and then refused. */
enum verdict trial_refused(struct trial *);
/* How STARTTLS ended with this server at other times, as evidence;
 * `suspicious`: in a way for which few servers are known. */
void trial_tls_history(struct trial *, bool suspicious);
/* Did the headers of a segment of `dir` in these frames differ? */
void trial_headers(struct trial *, uint64_t first_frame, uint64_t last_frame,
    enum dir);
/* judge_broken.c: accepted, and then cut. */
enum verdict trial_broken(struct trial *);
/* judge_downgrade.c: asked for less than the client offered. */
enum verdict trial_downgraded(struct trial *);
/* The ClientHello came to the server otherwise than it left the client. */
enum verdict trial_hello_altered(struct trial *, const struct session_copies *);
/* Does the server say so, and the ClientHello gainsay it? */
bool trial_sentinel(struct trial *);
/* judge_hidden.c: the offer came, but not so that the client sees it. */
enum verdict trial_hidden(struct trial *);
bool hidden_has_a_say(const struct session *);
/* judge_copies.c: octets that came twice with different contents; and where
 * one of the two has a wrong checksum, and went nowhere. */
enum verdict trial_copies(struct trial *);
enum verdict trial_discarded(struct trial *);
/* This line is what the incident is about; of commands the whole line. */
void trial_describe_line(struct trial *, const struct ehlo_line *);
/* judge_command.c: was STARTTLS itself overwritten? */
bool command_has_a_say(const struct session *);
enum verdict trial_command(struct trial *);
/* judge_blocked.c: was EHLO kept from being answered, or said? */
bool blocked_has_a_say(const struct session *);
enum verdict trial_blocked(struct trial *);
/* judge_injected.c: octets beside STARTTLS. */
enum verdict trial_injected(struct trial *);
/* judge_certificate.c: the chain, where it shows, against what is demanded. */
enum verdict trial_certificate(struct trial *);
bool trial_certificate_demanded(const struct session *, const struct context *);
/* What the chain is to the validated TLSA records of `mx`, MX of `domain`. */
enum dns_tlsa
trial_tlsa(const struct trial *, const char *domain, const char *mx);
/* judge_redirected.c: answers of DNS that contradict what is known. */
enum verdict trial_redirected(struct trial *);

#endif
