/* The sentences about another server than the one that was meant. */
#include "wording.h"

#include <stdio.h>

#include "trust.h"

static const char *
fault_of_chain(const struct session *s)
{
	return s->chain_result == CHAIN_EXPIRED ?
	    "and is out of date" :
	    "but leads to no CA that is trusted here";
}

void
wording_certificate(const struct session *s, const char *mx, bool named,
    bool tlsa, struct incident *in)
{
	wording_add(in->observed, sizeof(in->observed),
	    "the certificate that came is for \"%.120s\"", in->seen);
	if (tlsa)
		wording_add(in->observed, sizeof(in->observed),
		    ", and of no TLSA record of %.100s", mx);
	else if (!named)
		wording_add(in->observed, sizeof(in->observed),
		    ", the client looked for %.100s", mx);
	else
		wording_add(in->observed, sizeof(in->observed), ", %s",
		    fault_of_chain(s));
	wording_add(in->observed, sizeof(in->observed), "; %s",
	    s->tls_established ? "the client went on, inside TLS" :
				 "the client broke off");
	snprintf(in->benign, sizeof(in->benign), "%s",
	    tlsa ? "a certificate that was renewed before its TLSA record" :
		   "a server whose operator never set up its certificate, or "
		   "let it run out");
	snprintf(in->next_step, sizeof(in->next_step),
	    "Fetch the certificate of %.100s from another network (openssl "
	    "s_client -starttls smtp): another one there was replaced on the "
	    "way here",
	    mx);
}

void
wording_redirected(const struct session *s, const char *domain, const char *mx,
    bool answers, struct incident *in)
{
	char server[ADDRESS_TEXT_BYTES];

	address_format(&s->flow.server.address, server);
	if (answers)
		wording_add(in->observed, sizeof(in->observed),
		    "DNS led the client to %s for %.100s, and gives no such "
		    "address in another answer",
		    server, mx);
	else
		wording_add(in->observed, sizeof(in->observed),
		    "DNS gave %.100s as the MX of %.100s, whose MTA-STS "
		    "policy does not list it",
		    mx, domain);
	wording_add(in->observed, sizeof(in->observed), "; the server there %s",
	    s->offered		     ? "offers STARTTLS" :
		s->ehlo_answers == 0 ? "was not asked what it offers" :
				       "does not offer STARTTLS");
	snprintf(in->benign, sizeof(in->benign), "%s",
	    answers ? "a content network, servers that take turns, a split "
		      "horizon, or a change between the two answers" :
		      "a planned change of MX that came to DNS before it came "
		      "to the policy");
	snprintf(in->next_step, sizeof(in->next_step),
	    "Ask DNS for %.100s from another network, with validation where "
	    "its zone is signed, and ask the domain's operator whether %s is "
	    "theirs",
	    mx, server);
}

void
wording_another(const struct session *s, const struct history *h,
    struct incident *in)
{
	char server[ADDRESS_TEXT_BYTES];

	address_format(&s->flow.server.address, server);
	wording_add(in->observed, sizeof(in->observed),
	    "the server at %s answers EHLO with \"%.100s\" and offers no "
	    "STARTTLS. In %llu other session%s the one there was of another "
	    "domain, had other keywords, and offered it; its packets came with "
	    "TTL %u, these with %u",
	    server, in->seen, (unsigned long long)h->with_home,
	    h->with_home == 1 ? "" : "s", h->usual_ttl, s->server_ttl);
	wording_what_followed(s, in);
	snprintf(in->benign, sizeof(in->benign), "%s",
	    h->before && h->after ?
		"another backend behind the same address, without TLS" :
		"the server was replaced by another one, without TLS");
	snprintf(in->next_step, sizeof(in->next_step),
	    "Connect to %s from another network and compare greeting, EHLO "
	    "reply and certificate; ask the server's operator whether both are "
	    "theirs, and look for a rule that redirects port 25 on the way",
	    server);
}
