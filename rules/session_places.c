/* Lines in the place of the greeting, EHLO, STARTTLS and its answer. */
#include <ctype.h>

#include "ehlo.h"
#include "garble.h"
#include "session_fold.h"

#define VERB_BYTES 4

static void
place(struct session *s, enum place where, const struct fact *fact,
    struct slice bytes, struct slice text)
{
	session_keep_line(&s->placed[where], fact, bytes, text);
	s->places |= (uint8_t)(1u << where);
}

/* A whole token: "ESMTP", "ESMTP;", and not "NOESMTPHERE". */
static bool
says_esmtp(struct slice text)
{
	static const char word[] = "ESMTP";
	size_t n = sizeof(word) - 1;

	for (size_t i = 0; i + n <= text.len; i++)
		if (slice_equal_nocase(slice_of(text.ptr + i, n),
			slice_str(word)) &&
		    (i == 0 || !isalnum(text.ptr[i - 1])) &&
		    (i + n == text.len || !isalnum(text.ptr[i + n])))
			return true;
	return false;
}

void
session_keep_greeting(struct session *s, const struct fact *fact,
    struct slice bytes)
{
	struct slice text = session_line_text(bytes);

	s->greets_esmtp |= says_esmtp(text);
	s->greeting_masked = (fact->line <= 1 || s->greeting_masked) &&
	    garble_is_masked_greeting(text);
	if (fact->line <= 1)
		place(s, PLACE_GREETING, fact, bytes, text);
}

/* Cisco's fixup writes NOOP over a command that it does not let through, and
 * keeps the line's length. */
static bool
is_no_command(const struct fact *fact, struct slice bytes)
{
	return fact->about == VERB_OTHER ||
	    (fact->about == VERB_NOOP && bytes.len > VERB_BYTES);
}

void
session_keep_command(struct session *s, const struct fact *fact,
    struct slice bytes)
{
	bool odd = is_no_command(fact, bytes) &&
	    !(fact->flags & FACT_UNFINISHED);

	if (fact->about == VERB_EHLO || fact->about == VERB_HELO) {
		s->commands_since_hello = 0;
		return;
	}
	if (odd && !s->ehlo_sent && !s->helo_sent && bytes.len > 0 &&
	    session_line_in(s, PLACE_HELLO) == NULL)
		place(s, PLACE_HELLO, fact, bytes, bytes);
	if (odd && s->ehlo_complete && s->offered && !s->starttls_sent &&
	    !s->mail_tried_clear && !s->auth_clear &&
	    bytes.len == STARTTLS_BYTES &&
	    session_line_in(s, PLACE_COMMAND) == NULL) {
		place(s, PLACE_COMMAND, fact, bytes, bytes);
		s->command_follows_hello = s->commands_since_hello == 0;
	}
	s->commands_since_hello++;
}

/* Answers come in order: the first line that has none yet gets this one. */
void
session_keep_reply(struct session *s, const struct fact *fact,
    struct slice bytes)
{
	if (fact->about == VERB_STARTTLS && fact->value >= 400)
		place(s, PLACE_REFUSAL, fact, bytes, session_line_text(bytes));
	if (fact->about != VERB_OTHER && fact->about != VERB_NOOP)
		return;
	for (int i = PLACE_HELLO; i <= PLACE_COMMAND; i++) {
		struct ehlo_line *line = &s->placed[i];

		if (s->places >> i & 1 && line->code == 0) {
			line->code = (uint16_t)fact->value;
			return;
		}
	}
}
