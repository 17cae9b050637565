/* Blanked octets are written `~` here. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "dissect/redact.h"
#include "unit/guarded.h"

struct row {
	enum verb verb;
	const char *line, *wanted;
};

/* A `~` is what stands for REDACTED_OCTET; no line here has one itself. */
static const char *
readable(const uint8_t *line, size_t len)
{
	static char text[256];

	for (size_t i = 0; i < len; i++)
		text[i] = line[i] == REDACTED_OCTET ? '~' : (char)line[i];
	text[len] = '\0';
	return text;
}

typedef bool redact_fn(uint8_t *, size_t, enum verb, unsigned);

/* Also: what is said to be changed is, and doing it again changes nothing. */
static void
check(redact_fn *redact, const struct row *row, unsigned how)
{
	size_t len = strlen(row->line);
	struct guarded g = guarded_copy(row->line, len);
	uint8_t *line = g.pages + (g.bytes.ptr - g.pages);
	bool changed = redact(line, len, row->verb, how);

	cr_assert_str_eq(readable(line, len), row->wanted, "%s gives %s",
	    row->line, readable(line, len));
	cr_assert_eq(changed, strcmp(row->line, row->wanted) != 0, "%s",
	    row->line);
	redact(line, len, row->verb, how);
	cr_assert_str_eq(readable(line, len), row->wanted, "twice %s",
	    row->line);
	guarded_free(&g);
}

#define CHECK(redact, rows, how)                                    \
	for (size_t i = 0; i < sizeof(rows) / sizeof(*(rows)); i++) \
	check(redact, &(rows)[i], how)

Test(redact, paths_lose_their_local_part_and_keep_the_domain)
{
	static const struct row rows[] = {
		{ VERB_MAIL, "MAIL FROM:<user@example.org>",
		    "MAIL FROM:<~~~~@example.org>" },
		{ VERB_MAIL, "mail from: <user@example.org> SIZE=5",
		    "mail from: <~~~~@example.org> SIZE=5" },
		{ VERB_MAIL, "MAIL FROM:<>", "MAIL FROM:<>" },
		{ VERB_RCPT, "RCPT TO:user@example.org",
		    "RCPT TO:~~~~@example.org" },
		{ VERB_RCPT, "RCPT TO:<postmaster>", "RCPT TO:<~~~~~~~~~~>" },
		{ VERB_RCPT, "RCPT TO:<@relay,@b:user@c>",
		    "RCPT TO:<~~~~~~~~~~~~~~@c>" },
		{ VERB_RCPT, "RCPT TO:<\"a b> @c\"@d>",
		    "RCPT TO:<~~~~~~~~~@d>" },
		{ VERB_RCPT, "RCPT TO:<\"a\\\"> b\"@d>",
		    "RCPT TO:<~~~~~~~~@d>" },
		{ VERB_RCPT, "RCPT TO:<user@[192.0.2.1]>",
		    "RCPT TO:<~~~~@[192.0.2.1]>" },
		/* VERP and SRS: addresses inside local parts */
		{ VERB_MAIL, "MAIL FROM:<list-user=example.net@example.org>",
		    "MAIL FROM:<~~~~~~~~~~~~~~~~~~~~~@example.org>" },
		{ VERB_MAIL, "MAIL FROM:<SRS0=x=y=a.org=user@b.org>",
		    "MAIL FROM:<~~~~~~~~~~~~~~~~~~~@b.org>" },
	};

	CHECK(redact_command, rows, 0);
}

/* Servers take all of these, so clients send them. */
Test(redact, paths_out_of_shape_are_found_all_the_same)
{
	static const struct row rows[] = {
		{ VERB_MAIL, "MAIL FROM <user@example.org>",
		    "MAIL FROM <~~~~@example.org>" },
		{ VERB_MAIL, "MAIL <user@example.org>",
		    "MAIL <~~~~@example.org>" },
		{ VERB_RCPT, "RCPT user@example.org", "RCPT ~~~~@example.org" },
		{ VERB_RCPT, "RCPT user", "RCPT ~~~~" },
		{ VERB_RCPT, "RCPT TO<user@example.org>",
		    "RCPT TO<~~~~@example.org>" },
		{ VERB_RCPT, "RCPT\tTO\t:\t<user@example.org>",
		    "RCPT\tTO\t:\t<~~~~@example.org>" },
		{ VERB_RCPT, "RCPT TOuser@example.org",
		    "RCPT ~~~~~~@example.org" },
		{ VERB_MAIL, "MAIL FROM <user@a.org> X:y",
		    "MAIL FROM <~~~~@a.org> X:y" },
		{ VERB_MAIL, "MAIL FROM:<user@a.org", "MAIL FROM:<~~~~@a.org" },
		{ VERB_MAIL, "MAIL FROM:first last@a.org",
		    "MAIL FROM:~~~~~ ~~~~@a.org" },
		{ VERB_MAIL, "MAIL", "MAIL" },
		{ VERB_MAIL, "MAIL ", "MAIL " },
	};

	CHECK(redact_command, rows, 0);
}

/* RFC 3461 4, RFC 4954 5: xtext hides the `@` as +40. */
Test(redact, parameters_that_name_mailboxes_are_blanked)
{
	static const struct row rows[] = {
		{ VERB_RCPT, "RCPT TO:<a@b> ORCPT=rfc822;a+40b NOTIFY=NEVER",
		    "RCPT TO:<~@b> ORCPT=~~~~~~~~~~~~ NOTIFY=NEVER" },
		{ VERB_MAIL, "MAIL FROM:<a@b> AUTH=user@c ENVID=QQ314159",
		    "MAIL FROM:<~@b> AUTH=~~~~~~ ENVID=~~~~~~~~" },
		{ VERB_MAIL, "MAIL FROM:<> auth=<> envid=x size=3",
		    "MAIL FROM:<> auth=~~ envid=~ size=3" },
		{ VERB_RCPT, "RCPT TO:<a@b>\tORCPT=rfc822;u\tORCPT=v",
		    "RCPT TO:<~@b>\tORCPT=~~~~~~~~\tORCPT=~" },
		{ VERB_MAIL, "MAIL FROM:<a@b>ENVID=x",
		    "MAIL FROM:<~@b>ENVID=~" },
		{ VERB_MAIL, "MAIL FROM:<a@b> X-TO=user@c",
		    "MAIL FROM:<~@b> ~~~~~~~~~@c" },
	};

	CHECK(redact_command, rows, 0);
}

Test(redact, auth_keeps_its_mechanism_only)
{
	static const struct row rows[] = {
		{ VERB_AUTH, "AUTH PLAIN AHVzZXIAcGFzcw==",
		    "AUTH PLAIN ~~~~~~~~~~~~~~~~" },
		{ VERB_AUTH, "auth\tplain\tAHVz", "auth\tplain\t~~~~" },
		{ VERB_AUTH, "AUTH  LOGIN  dXNlcg==", "AUTH  LOGIN  ~~~~~~~~" },
		{ VERB_AUTH, "AUTH LOGIN user pass", "AUTH LOGIN ~~~~~~~~~" },
		{ VERB_AUTH, "AUTH CRAM-MD5", "AUTH CRAM-MD5" },
		{ VERB_AUTH, "AUTH SCRAM-SHA-256-PLUS x",
		    "AUTH SCRAM-SHA-256-PLUS ~" },
		{ VERB_AUTH, "AUTH AHVzZXIAcGFzcw==", "AUTH ~~~~~~~~~~~~~~~~" },
		{ VERB_AUTH, "AUTH XXXXX", "AUTH XXXXX" },
		{ VERB_AUTH, "AUTH", "AUTH" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (unsigned how = 0; how < 8; how++)
			check(redact_command, &rows[i], how);
}

Test(redact, vrfy_and_expn_lose_whom_they_ask_for)
{
	static const struct row rows[] = {
		{ VERB_VRFY, "VRFY user", "VRFY ~~~~" },
		{ VERB_VRFY, "VRFY\tuser name", "VRFY\t~~~~~~~~~" },
		{ VERB_EXPN, "EXPN list@example.org", "EXPN ~~~~@example.org" },
		{ VERB_EXPN, "EXPN a@b c@d", "EXPN ~~~~~@d" },
	};

	CHECK(redact_command, rows, 0);
}

Test(redact, proxies_that_pass_a_login_on_lose_it)
{
	static const struct row rows[] = {
		{ VERB_XCLIENT, "XCLIENT ADDR=192.0.2.1 LOGIN=user NAME=a",
		    "XCLIENT ADDR=192.0.2.1 LOGIN=~~~~ NAME=a" },
		{ VERB_XCLIENT, "XCLIENT\tLOGIN=user\tlogin=b",
		    "XCLIENT\tLOGIN=~~~~\tlogin=~" },
	};

	CHECK(redact_command, rows, 0);
	CHECK(redact_command, rows, REDACT_KEEP_ADDRESSES);
}

/* What shows how a command was overwritten stays. */
Test(redact, masks_stay_and_credentials_out_of_place_go)
{
	static const struct row rows[] = {
		{ VERB_OTHER, "XXXXXXXX", "XXXXXXXX" },
		{ VERB_OTHER, "STARTTLX", "STARTTLX" },
		{ VERB_OTHER, "********", "********" },
		{ VERB_OTHER, "xxxxxxxx", "xxxxxxxx" },
		{ VERB_OTHER, "XXXX client.example", "XXXX ~~~~~~~~~~~~~~" },
		{ VERB_OTHER, "XXXX\tclient", "XXXX\t~~~~~~" },
		{ VERB_OTHER, "AHVzZXIAcGFzcw==", "~~~~~~~~~~~~~~~~" },
		{ VERB_OTHER, "Subject: hello", "~~~~~~~~~~~~~~" },
		{ VERB_OTHER, "XXXXXXXXXXXXXXXXXXXX", "XXXXXXXXXXXXXXXXXXXX" },
		{ VERB_OTHER, "StarTTLx", "StarTTLx" },
		{ VERB_OTHER, "StarWXYz", "~~~~~~~~" },
		{ VERB_OTHER, "EHL0 client.example", "EHL0 ~~~~~~~~~~~~~~" },
		{ VERB_OTHER, "EH10 client.example", "~~~~~~~~~~~~~~~~~~~" },
		{ VERB_OTHER, "", "" },
	};

	CHECK(redact_command, rows, 0);
	CHECK(redact_command, rows, REDACT_KEEP_ADDRESSES);
}

/* After a mishap a line of a message may look like a command. */
Test(redact, words_of_messages_never_stay)
{
	static const struct row rows[] = {
		{ VERB_HELP, "Help me, I hid it", "Help ~~~~~~~~~~~~" },
		{ VERB_DATA, "Data shows", "Data ~~~~~" },
		{ VERB_NOOP, "noop x", "noop ~" },
		{ VERB_QUIT, "quit it", "quit ~~" },
		{ VERB_RSET, "rset it", "rset ~~" },
		{ VERB_OTHER, "PLEASE READ", "~~~~~~~~~~~" },
		{ VERB_OTHER, "I", "~" },
		{ VERB_BDAT, "BDAT 5 LAST", "BDAT 5 LAST" },
		{ VERB_BDAT, "bdat is a word", "bdat ~~~~~~~~~" },
	};

	CHECK(redact_command, rows, REDACT_WORDS);
	CHECK(redact_command, rows, REDACT_WORDS | REDACT_KEEP_ADDRESSES);
}

Test(redact, what_decides_about_starttls_stays_readable)
{
	static const struct row commands[] = {
		{ VERB_STARTTLS, "STARTTLS", "STARTTLS" },
		{ VERB_STARTTLS, "starttls now", "starttls now" },
		{ VERB_EHLO, "EHLO client.example.org",
		    "EHLO client.example.org" },
		{ VERB_EHLO, "EHLO [IPv6:2001:db8::1]",
		    "EHLO [IPv6:2001:db8::1]" },
		{ VERB_NOOP, "NOOP injected", "NOOP injected" },
	};
	static const struct row replies[] = {
		{ VERB_EHLO, "250-STARTTLS", "250-STARTTLS" },
		{ VERB_EHLO, "250-XXXXXXXA", "250-XXXXXXXA" },
		{ VERB_EHLO, "250-ABCD@FGH", "250-ABCD@FGH" },
		{ VERB_EHLO, "250-J.ygy|P@", "250-J.ygy|P@" },
		{ VERB_EHLO, "250-AUTH=LOGIN PLAIN", "250-AUTH=LOGIN PLAIN" },
		{ VERB_STARTTLS, "454 4.7.0 TLS not available",
		    "454 4.7.0 TLS not available" },
		{ VERB_BODY, "250 2.0.0 Ok: queued as 4Fzz",
		    "250 2.0.0 Ok: queued as 4Fzz" },
		{ VERB_NONE, "354 End data with <CR><LF>.<CR><LF>",
		    "354 End data with <CR><LF>.<CR><LF>" },
	};

	CHECK(redact_command, commands, 0);
	CHECK(redact_reply, replies, 0);
}

Test(redact, replies_that_quote_addresses_are_blanked)
{
	static const struct row rows[] = {
		{ VERB_EHLO, "250-a@b.test", "250-~@b.test" },
		{ VERB_EHLO, "user@b.test", "~~~~@b.test" },
		{ VERB_RCPT, "550 5.1.1 <user@example.org>: unknown",
		    "550 5.1.1 <~~~~@example.org>: unknown" },
		{ VERB_RCPT, "550 5.1.1 <user>... User unknown",
		    "550 5.1.1 <~~~~>... User unknown" },
		{ VERB_RCPT, "550 5.1.1 user... User unknown",
		    "550 5.1.1 ~~~~... User unknown" },
		{ VERB_MAIL, "250 2.1.0 user@a.org... Sender ok",
		    "250 2.1.0 ~~~~@a.org... Sender ok" },
		{ VERB_RCPT, "450 a=b=c@d: try (u@e) later",
		    "450 ~~~~~@d: try (~@e) later" },
		{ VERB_RCPT, "550 \"first last\"@a.org no",
		    "550 ~~~~~~~~~~~~@a.org no" },
		{ VERB_RCPT, "550 \"a b\\\"c d\"@e no", "550 ~~~~~~~~~~@e no" },
		{ VERB_NONE, "421 user@example.org is blocked",
		    "421 ~~~~@example.org is blocked" },
		{ VERB_VRFY, "252 2.0.0 user", "252 2.0.0 ~~~~" },
		{ VERB_VRFY, "250 First Last <user@example.org>",
		    "250 ~~~~~~~~~~~~~~~~@example.org>" },
		{ VERB_VRFY, "550 5.1.1 user... User unknown",
		    "550 5.1.1 ~~~~~~~~~~~~~~~~~~~~" },
		{ VERB_EXPN, "250-<user@example.org>",
		    "250-~~~~~@example.org>" },
		{ VERB_VRFY, "550", "550" },
		{ VERB_VRFY, "5", "5" },
	};

	CHECK(redact_reply, rows, 0);
}

Test(redact, challenges_and_names_in_auth_replies_go_whatever_is_kept)
{
	static const struct row rows[] = {
		{ VERB_AUTH, "334 VXNlcm5hbWU6", "334 ~~~~~~~~~~~~" },
		{ VERB_NONE, "334 PDE4OTY+", "334 ~~~~~~~~" },
		{ VERB_AUTH, "235 2.7.0 hello user", "235 2.7.0 ~~~~~~~~~~" },
		{ VERB_NONE, "535 user: wrong", "535 ~~~~~~~~~~~" },
		{ VERB_AUTH, "334", "334" },
	};

	CHECK(redact_reply, rows, 0);
	CHECK(redact_reply, rows, REDACT_KEEP_ADDRESSES);
}

/* Its `@` may be behind the cut. */
Test(redact, the_last_word_of_a_cut_line_may_be_a_local_part)
{
	static const struct row replies[] = {
		{ VERB_RCPT, "550 5.1.1 user", "550 5.1.1 ~~~~" },
		{ VERB_NONE, "421 no <us", "421 no <~~" },
		{ VERB_EHLO, "250-STARTT", "250-STARTT" },
		{ VERB_EHLO, "250-mx greets us", "250-mx greets ~~" },
	};
	static const struct row commands[] = {
		{ VERB_MAIL, "MAIL FROM:<us", "MAIL FROM:<~~" },
		{ VERB_STARTTLS, "STARTTLS", "STARTTLS" },
		{ VERB_EHLO, "EHLO us", "EHLO ~~" },
		{ VERB_NOOP, "NOOP a us", "NOOP a ~~" },
	};

	CHECK(redact_reply, replies, REDACT_OPEN_END);
	CHECK(redact_command, commands, REDACT_OPEN_END);
}

Test(redact, addresses_stay_where_they_are_wanted)
{
	static const struct row commands[] = {
		{ VERB_MAIL, "MAIL FROM:<user@example.org>",
		    "MAIL FROM:<user@example.org>" },
		{ VERB_VRFY, "VRFY user", "VRFY user" },
	};
	static const struct row replies[] = {
		{ VERB_RCPT, "550 <user@example.org>",
		    "550 <user@example.org>" },
	};

	CHECK(redact_command, commands, REDACT_KEEP_ADDRESSES);
	CHECK(redact_reply, replies, REDACT_KEEP_ADDRESSES);
}

Test(redact, an_auth_line_goes_whole)
{
	uint8_t line[] = "AHVzZXI=";

	cr_assert(redact_all(line, 8));
	cr_assert_str_eq(readable(line, 8), "~~~~~~~~");
	cr_assert_not(redact_all(line, 0));
}
