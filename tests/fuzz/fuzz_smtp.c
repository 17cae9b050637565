/*
 * The dialogue of SMTP. The first octet says how it was captured; the rest
 * are turns: an octet of kind and length, then what was said.
 *
 * Whatever was said: the facts are the same however it is cut into segments,
 * and a secret that is planted before and behind it, where clients and
 * servers have theirs, stands in no fact.
 */
#include <stdlib.h>

#include "tests/unit/dissect/dialogue.h"

#define TURNS_MAX 64
#define SECRET "zq7kx9jw"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

/* Kinds of a turn: who speaks, or what is missing; bits 6 and 7. The lower
 * six are its length, 63 takes the next octet as well. */
static size_t
read_turns(struct slice in, struct turn turns[TURNS_MAX])
{
	struct cursor c = cursor_over(in);
	size_t count = 0;

	while (c.rest.len > 0 && count < TURNS_MAX) {
		uint8_t head = cursor_u8(&c);
		size_t len = head & 63;
		struct slice said;

		if (len == 63)
			len += cursor_u8(&c) * 8u;
		turns[count] =
		    (struct turn){ .dir = head & 64 ? TO_CLIENT : TO_SERVER };
		if (head & 128) {
			turns[count++].missing = len + 1;
			continue;
		}
		said = cursor_take(&c, len < c.rest.len ? len : c.rest.len);
		turns[count].bytes = (const char *)said.ptr;
		turns[count++].len = said.len;
	}
	return count;
}

static void
same(const struct dialogue *how, const struct dialogue *first,
    const struct turn *turns, size_t count, enum cutting cutting, size_t at)
{
	struct dialogue d = *how;

	d.cutting = cutting;
	d.cut_at = at;
	dialogue_run(&d, turns, count);
	must(d.facts_len == first->facts_len);
	must(d.facts_len == 0 ||
	    memcmp(d.facts, first->facts, d.facts_len) == 0);
	must(strcmp(d.text, first->text) == 0);
	dialogue_free(&d);
}

/* Every fact can be taken apart again, and is what it says to be. */
static void
check_facts(const struct dialogue *d)
{
	struct slice in = slice_of(d->facts, d->facts_len), bytes;
	struct fact fact;

	while (fact_decode(&in, &fact, &bytes)) {
		bool blanked = bytes.len > 0 &&
		    memchr(bytes.ptr, REDACTED_OCTET, bytes.len) != NULL;

		must(
		    !(fact.flags & FACT_REDACTED) || bytes.len == 0 || blanked);
		must(fact.code != FACT_CLOSED || in.len == 0);
		must(fact.session == 0 && fact.reserved == 0);
	}
	must(in.len == 0);
}

/* Puts the secret where clients and servers have one, in front of the rest of
 * the dialogue, and looks for it in every fact. */
static void
plant(const struct dialogue *how, const struct turn *turns, size_t count)
{
	static const struct turn secrets[] = {
		C("\r\n"),
		S("\r\n"), /* a line of its own */
		C("EHLO a\r\n"),
		C("MAIL FROM:<" SECRET "@a> AUTH=" SECRET " ENVID=" SECRET
		  "\r\n"),
		C("RCPT TO:<\"" SECRET "\"@a>\tORCPT=rfc822;" SECRET "\r\n"),
		C("RCPT " SECRET "\r\n"),
		C("VRFY\t" SECRET "\r\n"),
		S("550 5.1.1 <" SECRET "@a>: unknown\r\n"),
		C("AUTH PLAIN " SECRET "\r\n"),
		C("AUTH\tPLAIN\t" SECRET "\r\n"),
		C("AUTH " SECRET "=\r\n"),
		C("\"" SECRET "\"\r\n"),
		C(SECRET "\r\n"),
	};
	enum { SECRETS = sizeof(secrets) / sizeof(*secrets) };
	struct turn all[TURNS_MAX + 2 * SECRETS];
	size_t n = 0;

	/* Before and after what the fuzzer says, and all of it twice. */
	memcpy(all, secrets, sizeof(secrets));
	n = SECRETS;
	if (count > 0)
		memcpy(all + n, turns, count * sizeof(*turns));
	n += count;
	memcpy(all + n, secrets, sizeof(secrets));
	n += SECRETS;
	for (size_t skip = 0; skip <= SECRETS; skip += SECRETS) {
		struct dialogue d = *how;

		dialogue_run(&d, all + skip, n - skip);
		must(d.facts_len == 0 ||
		    memmem(d.facts, d.facts_len, SECRET, sizeof(SECRET) - 1) ==
			NULL);
		dialogue_free(&d);
	}
}

/* The fuzzer finds the secret, too, and may say it in two turns. */
static bool
says_secret(const struct turn *turns, size_t count)
{
	static char said[1 << 20];
	bool found = false;

	for (int dir = 0; dir < 2; dir++) {
		size_t n = 0;

		for (size_t i = 0; i < count; i++) {
			if (turns[i].dir != (enum dir)dir ||
			    turns[i].len == 0 ||
			    turns[i].len > sizeof(said) - n)
				continue;
			memcpy(said + n, turns[i].bytes, turns[i].len);
			n += turns[i].len;
		}
		found |= memmem(said, n, SECRET, sizeof(SECRET) - 1) != NULL;
	}
	return found;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct turn turns[TURNS_MAX];
	struct dialogue how = { 0 }, first;
	size_t count;

	if (size == 0)
		return 0;
	/* Off the mail ports a flow is followed from its SYN or not at all. */
	how.midstream = (data[0] & 3) == 1;
	how.off_port = data[0] & 2;
	how.one_sided = data[0] & 4;
	count = read_turns(slice_of(data + 1, size - 1), turns);
	first = how;
	dialogue_run(&first, turns, count);
	check_facts(&first);
	same(&how, &first, turns, count, CUT_OCTETS, 0);
	same(&how, &first, turns, count, CUT_EVERY, 2 + data[0] / 64);
	same(&how, &first, turns, count, CUT_ONCE, 1 + data[0] / 8);
	dialogue_free(&first);
	if (!says_secret(turns, count))
		plant(&how, turns, count);
	/* Without room nothing breaks, and nothing more is kept. */
	how.budget_bytes = 1 + 512u * (data[0] / 16);
	dialogue_run(&how, turns, count);
	check_facts(&how);
	dialogue_free(&how);
	return 0;
}
