/*
 * EHLO replies of servers, as they come when TLS is offered: STARTTLS is
 * written as "%s", so that a test can put something else there. Keywords as
 * the servers themselves list them; names and addresses are documentation's.
 */
#ifndef TESTS_UNIT_RULES_REPLIES_H
#define TESTS_UNIT_RULES_REPLIES_H

#include <criterion/criterion.h>
#include <stdio.h>

#include "unit/rules/dialogue.h"

struct reply {
	const char *server;
	const char *greeting;
	const char *lines; /* without "250-", LF between */
};

#define REPLY_POSTFIX 0
#define REPLY_EXIM 1
#define REPLY_AIOSMTPD 8
static const struct reply replies[] = {
	{ "postfix", "220 mx1.example.org ESMTP Postfix (Debian/GNU)",
	    "mx1.example.org\nPIPELINING\nSIZE 10240000\nVRFY\nETRN\n%s\n"
	    "ENHANCEDSTATUSCODES\n8BITMIME\nDSN\nSMTPUTF8\nCHUNKING" },
	{ "exim", "220 mx1.example.org ESMTP Exim 4.96 Sun, 01 Mar 2026",
	    "mx1.example.org Hello relay.example.net [192.0.2.10]\n"
	    "SIZE 52428800\n8BITMIME\nPIPELINING\nPIPECONNECT\nCHUNKING\n%s\n"
	    "PRDR\nHELP" },
	{ "sendmail", "220 mx1.example.org ESMTP Sendmail 8.17.1.9/8.17.1.9",
	    "mx1.example.org Hello relay.example.net, pleased to meet you\n"
	    "ENHANCEDSTATUSCODES\nPIPELINING\nEXPN\nVERB\n8BITMIME\nSIZE\n"
	    "DSN\nETRN\nAUTH DIGEST-MD5 CRAM-MD5\n%s\nDELIVERBY\nHELP" },
	{ "opensmtpd", "220 mx1.example.org ESMTP OpenSMTPD",
	    "mx1.example.org Hello relay.example.net [192.0.2.10], pleased "
	    "to meet you\n8BITMIME\nENHANCEDSTATUSCODES\nSIZE 36700160\n"
	    "DSN\n%s\nHELP" },
	{ "exchange",
	    "220 mx1.example.org Microsoft ESMTP MAIL Service ready at Sun",
	    "mx1.example.org Hello [192.0.2.10]\nSIZE 157286400\nPIPELINING\n"
	    "DSN\nENHANCEDSTATUSCODES\n%s\n8BITMIME\nBINARYMIME\nCHUNKING\n"
	    "SMTPUTF8" },
	{ "gmail", "220 mx.example.org ESMTP d9443c01a7336-2a - gsmtp",
	    "mx.example.org at your service, [192.0.2.10]\nSIZE 157286400\n"
	    "8BITMIME\n%s\nENHANCEDSTATUSCODES\nPIPELINING\nCHUNKING\n"
	    "SMTPUTF8" },
	{ "haraka", "220 mx1.example.org ESMTP Haraka/3.0.3 ready",
	    "mx1.example.org Hello relay.example.net [192.0.2.10]Haraka is "
	    "at your service.\nPIPELINING\n8BITMIME\nSMTPUTF8\nSIZE 0\n%s" },
	{ "nodemailer", "220 mx1.example.org ESMTP",
	    "mx1.example.org Nice to meet you, relay.example.net\n"
	    "PIPELINING\n8BITMIME\nSMTPUTF8\n%s" },
	{ "aiosmtpd", "220 mx1.example.org Python SMTP 1.4.3",
	    "mx1.example.org\nSIZE 33554432\n8BITMIME\nSMTPUTF8\n%s\nHELP" },
	{ "courier", "220 mx1.example.org ESMTP",
	    "mx1.example.org Ok.\n%s\nXVERP=Courier\nXEXDATA\n"
	    "XSECURITY=NONE,STARTTLS\nPIPELINING\n8BITMIME\nSIZE\nDSN" },
	{ "powermta", "220 mx1.example.org (PowerMTA(TM) v4.5) ESMTP service",
	    "mx1.example.org says hello\n%s\nENHANCEDSTATUSCODES\n"
	    "PIPELINING\nCHUNKING\n8BITMIME\nXACK\nXMRG\nSIZE 54525952\n"
	    "VERP\nDSN" },
	{ "dovecot", "220 mx1.example.org Dovecot ready.",
	    "mx1.example.org\n8BITMIME\nAUTH PLAIN LOGIN\nBURL imap\n"
	    "CHUNKING\nENHANCEDSTATUSCODES\nSIZE\n%s\nPIPELINING" },
	{ "chasquid", "220 mx1.example.org ESMTP chasquid",
	    "mx1.example.org - Your hour of destiny has come.\n8BITMIME\n"
	    "PIPELINING\nSMTPUTF8\nENHANCEDSTATUSCODES\nSIZE 52428800\n%s\n"
	    "HELP" },
	{ "stalwart", "220 mx1.example.org Stalwart ESMTP at your service",
	    "mx1.example.org you had me at EHLO\n%s\nSMTPUTF8\n"
	    "SIZE 104857600\nREQUIRETLS\nPIPELINING\nNO-SOLICITING\n"
	    "ENHANCEDSTATUSCODES\nCHUNKING\nBINARYMIME\n8BITMIME" },
	{ "go-smtp", "220 mx1.example.org ESMTP Service Ready",
	    "Hello relay.example.net\nPIPELINING\n8BITMIME\n"
	    "ENHANCEDSTATUSCODES\nCHUNKING\n%s\nSMTPUTF8\nSIZE 33554432" },
};
#define REPLIES (sizeof(replies) / sizeof(*replies))

/* The octets of the reply, with `word` (of `len` octets) for STARTTLS; NULL:
 * without that line. */
static inline size_t
reply_bytes(const struct reply *reply, const char *word, size_t len,
    char out[8192])
{
	const char *line = reply->lines;
	size_t n = 0;

	while (line != NULL) {
		const char *end = strchr(line, '\n');
		size_t have = end ? (size_t)(end - line) : strlen(line);
		bool here = have == 2 && strncmp(line, "%s", 2) == 0;
		bool last = end == NULL ||
		    (word == NULL && strcmp(end + 1, "%s") == 0);

		if (!here || word != NULL) {
			n +=
			    (size_t)sprintf(out + n, "250%c", last ? ' ' : '-');
			memcpy(out + n, here ? word : line, here ? len : have);
			n += here ? len : have;
			n += (size_t)sprintf(out + n, "\r\n");
		}
		line = end ? end + 1 : NULL;
	}
	return n;
}

/* Greeting, EHLO and its answer; `d` has been opened. */
static inline void
dialogue_greet(struct dialogue *d, const struct reply *reply, const char *word,
    size_t len)
{
	char greeting[256], answer[8192];
	struct said said[] = { { TO_CLIENT, greeting, 0, false },
		C("EHLO relay.example.net\r\n"),
		{ TO_CLIENT, answer, 0, false } };

	said[0].len = (size_t)snprintf(greeting, sizeof(greeting), "%s\r\n",
	    reply->greeting);
	said[2].len = reply_bytes(reply, word, len, answer);
	dialogue_say_all(d, said, 3);
}

#endif
