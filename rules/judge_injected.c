/*
 * Octets in clear beside STARTTLS (RFC 3207 4.2; Poddebniak et al., USENIX
 * Security 2021, "buffering"): commands between STARTTLS and TLS, or replies
 * between its 220 and TLS, which the other end may take for what came inside.
 */
#include <stdio.h>

#include "trial.h"
#include "wording.h"

static void
describe(struct trial *trial, enum dir dir)
{
	const struct extra_octets *extra = &trial->own->extra[dir];
	struct incident *in = trial->out;

	in->frame = extra->frame;
	in->seen_capture = extra->capture;
	in->capture_ts_ns = extra->capture_ts_ns;
	in->stream_offset = extra->stream_offset;
	snprintf(in->seen, sizeof(in->seen), "%s", extra->text);
	/* What comes to the tap was put in before it. */
	in->side = dir == TO_SERVER ? SIDE_CLIENT_OF_TAP : SIDE_SERVER_OF_TAP;
}

static void
weigh(struct trial *trial, enum dir dir)
{
	const struct session *s = trial->own;
	const struct extra_octets *extra = &s->extra[dir];
	struct evidence *e = trial_evidence(trial,
	    dir == TO_SERVER ? EVIDENCE_COMMANDS_INJECTED :
			       EVIDENCE_REPLIES_INJECTED,
	    extra->frame);

	snprintf(e->detail, sizeof(e->detail), "%llu octets%s",
	    (unsigned long long)extra->octets,
	    s->tls_established ? ", and TLS began behind them" : "");
}

/* RFC 5321 3.8: 421 may come at any time, before the server closes. A client
 * that never began TLS was waited for in vain. */
static bool
says_farewell(const struct session *s)
{
	const struct extra_octets *extra = &s->extra[TO_CLIENT];

	return extra->lines == 1 && strncmp(extra->text, "421", 3) == 0 &&
	    !s->client_hello && !s->tls_established;
}

enum verdict
trial_injected(struct trial *trial)
{
	const struct session *s = trial->own;
	bool from_client = s->extra[TO_SERVER].lines > 0;
	/* Where the client was not seen they may answer what it said, for
	 * nothing shows that TLS was to follow. */
	bool client_seen =
	    !(s->observability & (OBS_ONE_SIDED | OBS_GAP_TO_SERVER));
	bool from_server = s->extra[TO_CLIENT].lines > 0 &&
	    (client_seen || s->tls_established) && !says_farewell(s);
	enum dir dir = from_client ? TO_SERVER : TO_CLIENT;

	if (!from_client && !from_server)
		return VERDICT_NOTHING;
	trial->out->kind = KIND_PLAINTEXT_INJECTED;
	describe(trial, dir);
	weigh(trial, dir);
	if (from_client && from_server)
		trial_evidence(trial, EVIDENCE_ANSWERS_TO_PIPELINED,
		    s->extra[TO_CLIENT].frame);
	wording_injected(s, dir, trial->out);
	return trial_conclude(trial);
}
