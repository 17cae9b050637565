#include "health.h"

#include <stdio.h>
#include <string.h>

#include "style.h"

static const char *const states[HEALTH_STATES] = { "watching", "quiet",
	"blind" };

static const struct {
	const char *name, *text;
} reasons[BLIND_REASONS] = {
	[BLIND_INTERFACE_DOWN] = { "interface-down", "an interface is down" },
	[BLIND_LINK_SILENT] = { "link-silent",
	    "nothing at all arrives: is the mirror port connected?" },
	[BLIND_KERNEL_LOSS] = { "kernel-loss",
	    "the kernel has no room for what arrives" },
	[BLIND_CAPTURE_LOSS] = { "capture-loss",
	    "octets are acknowledged that never came by here" },
	[BLIND_ONE_SIDED] = { "one-sided",
	    "of most sessions only one direction comes by here" },
	[BLIND_ENGINE_SILENT] = { "engine-silent",
	    "the engine gives no sign of life" },
};

const char *
health_state_name(enum health_state state)
{
	return states[state];
}

const char *
health_reason_name(enum health_reason reason)
{
	return reasons[reason].name;
}

const char *
health_reason_text(enum health_reason reason)
{
	return reasons[reason].text;
}

/* What came on top; 0 where the counter began anew. */
static uint64_t
gain(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0;
}

static double
share(uint64_t part, uint64_t all)
{
	if (all == 0)
		return part > 0;
	return part < all ? (double)part / (double)all : 1;
}

/* Interfaces keep their places. */
static const struct health_interface *
same_interface(const struct health *h, unsigned i)
{
	static const struct health_interface none;

	return i < h->interface_count ? &h->interfaces[i] : &none;
}

static void
assess_interfaces(const struct health *before, const struct health *now,
    struct health_signs *s)
{
	uint64_t received = 0, lost = 0;
	bool span = now->now_ns > before->now_ns;

	for (unsigned i = 0; i < now->interface_count; i++) {
		const struct health_interface *is = &now->interfaces[i];
		const struct health_interface *was = same_interface(before, i);

		received += gain(was->received, is->received);
		lost += gain(was->lost, is->lost) +
		    gain(was->interface_lost, is->interface_lost);
		if (!is->up)
			s->reasons |= 1u << BLIND_INTERFACE_DOWN;
		else if (span && is->link_known && was->link_known &&
		    is->link_packets == was->link_packets)
			s->reasons |= 1u << BLIND_LINK_SILENT;
	}
	s->kernel_loss = share(lost, received);
	if (s->kernel_loss > HEALTH_LOSS_MAX)
		s->reasons |= 1u << BLIND_KERNEL_LOSS;
}

static void
assess_sessions(const struct health *before, const struct health *now,
    struct health_signs *s)
{
	const uint64_t *was = before->totals.counters.of;
	const uint64_t *is = now->totals.counters.of;
	const struct tally *then = &before->totals.tally;
	uint64_t unseen = gain(was[COUNTER_ACK_UNSEEN], is[COUNTER_ACK_UNSEEN]);
	uint64_t bytes = gain(was[COUNTER_BYTES], is[COUNTER_BYTES]);
	uint64_t sessions = gain(then->sessions, now->totals.tally.sessions);

	s->capture_loss = share(unseen, bytes + unseen);
	s->one_sided = sessions == 0 ?
	    0 :
	    share(gain(then->unjudged[UNJUDGED_ONE_SIDED],
		      now->totals.tally.unjudged[UNJUDGED_ONE_SIDED]),
		sessions);
	if (s->capture_loss > HEALTH_LOSS_MAX)
		s->reasons |= 1u << BLIND_CAPTURE_LOSS;
	if (sessions >= HEALTH_SESSIONS_MIN &&
	    s->one_sided > HEALTH_ONE_SIDED_MAX)
		s->reasons |= 1u << BLIND_ONE_SIDED;
}

void
health_assess(const struct health *before, const struct health *now,
    struct health_signs *s)
{
	uint64_t packets = gain(before->totals.counters.of[COUNTER_PACKETS],
	    now->totals.counters.of[COUNTER_PACKETS]);

	memset(s, 0, sizeof(*s));
	assess_interfaces(before, now, s);
	assess_sessions(before, now, s);
	if (now->engine_silent)
		s->reasons |= 1u << BLIND_ENGINE_SILENT;
	s->packet_age_s = now->last_packet_ns == 0 ?
	    -1 :
	    (double)(now->now_ns - now->last_packet_ns) / 1e9;
	/* A clock that was set back makes no packet of the future. */
	if (now->last_packet_ns != 0 && s->packet_age_s < 0)
		s->packet_age_s = 0;
	if (s->reasons != 0)
		s->state = HEALTH_BLIND;
	else
		s->state = packets > 0 ? HEALTH_WATCHING : HEALTH_QUIET;
}

static uint64_t
incidents(const struct totals *t)
{
	uint64_t sum = 0;

	for (int k = 0; k < KINDS; k++)
		for (int c = CERTAINTY_POSSIBLE; c <= CERTAINTY_DEMONSTRATED;
		     c++)
			sum += t->incidents[k][c];
	return sum;
}

const char *
health_line(const struct health *h, const struct health_signs *s,
    char out[HEALTH_LINE_BYTES])
{
	char sessions[32], found[32], waiting[32];
	size_t n = (size_t)snprintf(out, HEALTH_LINE_BYTES, "%s",
	    health_state_name(s->state));

	for (unsigned i = 0; i < h->interface_count && i < 4; i++)
		n += (size_t)snprintf(out + n, HEALTH_LINE_BYTES - n, "%s%s",
		    i > 0 ? ", " : " ", h->interfaces[i].name);
	n += (size_t)snprintf(out + n, HEALTH_LINE_BYTES - n,
	    ": %s sessions, %s incidents",
	    style_count(h->totals.tally.sessions, sessions),
	    style_count(incidents(&h->totals), found));
	if (h->store_failing)
		n += (size_t)snprintf(out + n, HEALTH_LINE_BYTES - n,
		    "; the database fails, %s batches wait",
		    style_count(h->outbox, waiting));
	for (int r = 0; r < BLIND_REASONS && n < HEALTH_LINE_BYTES; r++)
		if (s->reasons >> r & 1)
			n += (size_t)snprintf(out + n, HEALTH_LINE_BYTES - n,
			    "; %s", reasons[r].text);
	return out;
}
