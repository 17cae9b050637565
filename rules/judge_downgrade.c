/*
 * Asked for less than the client offered (RFC 8446 4.1.3): a server that has
 * TLS 1.3 and is asked for less marks its random, and nobody on the way can
 * take the mark away without breaking the handshake.
 */
#include <stdio.h>

#include "trial.h"
#include "wording.h"

#define TLS_1_2 0x0303

static bool
is_marked(const struct session *s)
{
	/* By who offers no more himself it is meant for nobody. */
	switch (s->sentinel) {
	case SENTINEL_TLS11:
		return s->tls_version < TLS_1_2 && s->tls_offered >= TLS_1_2;
	case SENTINEL_TLS12:
		return s->tls_version == TLS_1_2 && s->tls_offered > TLS_1_2;
	case SENTINEL_NONE:
		break;
	}
	return false;
}

bool
trial_sentinel(struct trial *trial)
{
	const struct session *s = trial->session;
	struct evidence *e;

	if (!s->client_hello || !s->server_hello || !is_marked(s))
		return false;
	e = trial_evidence(trial, EVIDENCE_SENTINEL,
	    s->server_hello_place.frame);
	snprintf(e->detail, sizeof(e->detail),
	    "the client offers up to %s, the server takes %s and has more",
	    wording_tls_version(s->tls_offered),
	    wording_tls_version(s->tls_version));
	return true;
}

enum verdict
trial_downgraded(struct trial *trial)
{
	const struct session *s = trial->session;
	struct incident *in = trial->out;

	if (!trial_sentinel(trial))
		return VERDICT_NOTHING;
	in->kind = KIND_TLS_VERSION_DOWNGRADED;
	/* The ClientHello is whole where it passed the tap. */
	in->side = SIDE_SERVER_OF_TAP;
	in->frame = s->server_hello_place.frame;
	in->seen_capture = s->server_hello_place.capture;
	in->capture_ts_ns = s->server_hello_place.capture_ts_ns;
	in->stream_offset = s->server_hello_place.stream_offset;
	wording_downgraded(s, in);
	return trial_conclude(trial);
}

enum verdict
trial_hello_altered(struct trial *trial, const struct session_copies *c)
{
	struct incident *in = trial->out;

	in->kind = KIND_TLS_VERSION_DOWNGRADED;
	in->frame = c->later.frame;
	in->seen_capture = c->capture;
	in->capture_ts_ns = c->later.capture_ts_ns;
	in->stream_offset = c->stream_offset;
	trial_evidence(trial, EVIDENCE_HELLO_ALTERED, c->later.frame);
	trial_sentinel(trial);
	wording_hello_altered(trial->session, in);
	return trial_conclude(trial);
}
