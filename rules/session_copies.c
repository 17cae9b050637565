/* What came twice with different contents, and what stands beside STARTTLS. */
#include "ehlo.h"
#include "session_fold.h"
#include "wording.h"

void
session_show(const struct fact *fact, struct slice bytes, char *out,
    size_t room)
{
	uint8_t shown[256];

	bytes = slice_first(bytes, sizeof(shown));
	for (size_t i = 0; i < bytes.len; i++)
		shown[i] = fact->flags & FACT_REDACTED &&
			bytes.ptr[i] == REDACTED_OCTET ?
		    '*' :
		    bytes.ptr[i];
	wording_escape(slice_of(shown, bytes.len), out, room);
}

void
session_keep_line(struct ehlo_line *line, const struct fact *fact,
    struct slice bytes, struct slice text)
{
	struct slice kept = slice_first(text, sizeof(line->text));

	line->frame = fact->frame;
	line->stream_offset = fact->stream_offset;
	line->capture_ts_ns = fact->capture_ts_ns;
	line->capture = fact->capture;
	line->flags = fact->flags;
	line->code = (uint16_t)fact->value;
	line->length = (uint16_t)text.len;
	line->whole_length = (uint16_t)bytes.len;
	if (kept.len > 0)
		memcpy(line->text, kept.ptr, kept.len);
	kept = slice_first(bytes, sizeof(line->lead));
	line->lead_length = (uint8_t)kept.len;
	if (kept.len > 0)
		memcpy(line->lead, kept.ptr, kept.len);
}

struct slice
session_line_text(struct slice bytes)
{
	struct slice text = slice_after(bytes, 4);

	while (text.len > 0 && text.ptr[text.len - 1] == '\r')
		text.len--;
	return text;
}

void
session_fold_extra(struct session *s, const struct fact *fact,
    struct slice bytes)
{
	struct extra_octets *extra = &s->extra[fact->dir];

	extra->octets += fact->extent;
	if (extra->lines++ > 0)
		return;
	extra->frame = fact->frame;
	extra->stream_offset = fact->stream_offset;
	extra->capture_ts_ns = fact->capture_ts_ns;
	extra->capture = fact->capture;
	session_show(fact, bytes, extra->text, sizeof(extra->text));
}

static void
fold_copies(struct session *s, const struct fact *fact, struct slice bytes)
{
	struct session_copies c = { .stream_offset = fact->stream_offset,
		.extent = fact->extent,
		.capture = fact->capture,
		.value = fact->value,
		.dir = fact->dir };

	if (!segment_copy_decode(&bytes, &c.first) ||
	    !segment_copy_decode(&bytes, &c.later))
		return;
	if (s->copy_count < COPIES_MAX)
		s->copies[s->copy_count] = c;
	s->copy_count++;
}

static void
fold_other_ehlo(struct session *s, const struct fact *fact, struct slice bytes)
{
	struct other_reading *other = &s->other;
	struct slice text = session_line_text(bytes);

	if (fact->line <= 1) {
		other->line_count = other->lines_kept = 0;
		other->offered = other->answered = other->complete = false;
	}
	other->line_count++;
	other->offered |= fact->line > 1 && ehlo_line_offers_starttls(text);
	if (other->lines_kept < EHLO_LINES_MAX)
		session_keep_line(&s->other_lines[other->lines_kept++], fact,
		    bytes, text);
	if (fact->flags & FACT_LAST_LINE) {
		other->answered = true;
		other->complete = fact->value == 250;
	}
}

/* Steps of one segment are one. */
static void
fold_step(struct session *s, const struct fact *fact)
{
	uint8_t bit = (uint8_t)(1u << (fact->code - FACT_TTL_STEP));
	struct header_step *last = &s->steps[s->step_count];

	if (fact->code == FACT_RST_OUT_OF_PLACE)
		s->reset_out_of_place_frame = fact->frame;
	if (fact->code == FACT_DATA_BEHIND_RST)
		s->behind_reset_frame = fact->frame;

	if (s->step_count > 0 && last[-1].frame == fact->frame) {
		last[-1].bits |= bit;
		return;
	}
	if (s->step_count == HEADER_STEPS_MAX)
		return;
	*last = (struct header_step){ fact->frame, fact->dir, bit };
	s->step_count++;
}

static struct ehlo_line *
place_other(struct session *s, enum place where, const struct fact *fact,
    struct slice bytes, struct slice text)
{
	session_keep_line(&s->other_placed[where], fact, bytes, text);
	s->other.places |= (uint8_t)(1u << where);
	return &s->other_placed[where];
}

/* What reads otherwise where EHLO or STARTTLS stands; its answer is the one
 * that came. */
static void
fold_other_command(struct session *s, const struct fact *fact,
    struct slice bytes)
{
	uint64_t at = fact->stream_offset;

	if (fact->about != VERB_OTHER && fact->about != VERB_NOOP)
		return;
	if (s->starttls_sent && at == s->starttls_offset)
		place_other(s, PLACE_COMMAND, fact, bytes, bytes)->code =
		    s->starttls_code;
	else if (s->ehlo_sent && at == s->ehlo_offset)
		place_other(s, PLACE_HELLO, fact, bytes, bytes)->code =
		    s->lines_kept > 0 ? s->lines[0].code : 0;
}

static void
fold_other_answer(struct session *s, const struct fact *fact,
    struct slice bytes)
{
	s->other.starttls_code = (uint16_t)fact->value;
	session_place(&s->other_answer, fact, bytes);
	if (fact->value >= 400)
		place_other(s, PLACE_REFUSAL, fact, bytes,
		    session_line_text(bytes));
}

/* The other reading stands beside the first and changes nothing in it. */
static void
fold_other(struct session *s, const struct fact *fact, struct slice bytes)
{
	if (s->other.text[0] == '\0' && fact->code != FACT_EHLO_REPLY)
		session_show(fact, bytes, s->other.text, sizeof(s->other.text));
	if (fact->code == FACT_EHLO_REPLY)
		fold_other_ehlo(s, fact, bytes);
	else if (fact->code == FACT_COMMAND)
		fold_other_command(s, fact, bytes);
	else if (fact->code == FACT_REPLY && fact->about == VERB_STARTTLS &&
	    fact->flags & FACT_LAST_LINE)
		fold_other_answer(s, fact, bytes);
}

bool
session_fold_copies(struct session *s, const struct fact *fact,
    struct slice bytes)
{
	if (fact->flags & FACT_OTHER_READING)
		fold_other(s, fact, bytes);
	else if (fact->code == FACT_COPIES_DIFFER)
		fold_copies(s, fact, bytes);
	else if (fact->code >= FACT_TTL_STEP &&
	    fact->code <= FACT_DATA_BEHIND_RST)
		fold_step(s, fact);
	else if (fact->code == FACT_SERVER_TTL)
		s->server_ttl = (uint8_t)fact->value;
	else
		return false;
	return true;
}

static void
take_other_places(const struct session *s, struct session *out)
{
	for (int i = 0; i < PLACES; i++)
		if (s->other.places >> i & 1)
			out->placed[i] = s->other_placed[i];
	out->places |= s->other.places;
	if (s->other.places >> PLACE_HELLO & 1)
		out->ehlo_sent = false;
	if (s->other.places >> PLACE_COMMAND & 1) {
		out->starttls_sent = false;
		out->command_follows_hello = true; /* as STARTTLS did */
	}
	if (s->other.starttls_code == 0)
		return;
	out->starttls_code = s->other.starttls_code;
	out->starttls_frame = s->other_answer.frame;
	out->starttls_answer = s->other_answer;
}

void
session_other_reading(const struct session *s, struct session *out)
{
	*out = *s;
	take_other_places(s, out);
	if (!s->other.answered)
		return;
	out->offered = s->other.offered;
	out->ehlo_answered = true;
	out->ehlo_complete = s->other.complete;
	out->line_count = s->other.line_count;
	out->lines_kept = s->other.lines_kept;
	memcpy(out->lines, s->other_lines,
	    s->other.lines_kept * sizeof(*out->lines));
}
