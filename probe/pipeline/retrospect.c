#include "retrospect.h"

#include <stdio.h>
#include <stdlib.h>

#include "identity.h"
#include "rules/judge.h"

/* The sightings of one session come in a row, the earliest deciding first. */
struct round {
	struct retrospect *retrospect;
	struct session session; /* that is being folded */
	struct incident incident;
	uint8_t identity[16];
	bool any, decided; /* a session at hand; with an incident */
	int status;
	char provenance[256];
	/* Captures are looked up once each. */
	char hash[CAPTURE_HASH_BYTES];
	char path[1024];
};

static int
on_capture(void *context, const struct capture_row *row)
{
	struct round *r = context;

	if (strcmp(row->hash, r->hash) != 0)
		return 0;
	snprintf(r->path, sizeof(r->path), "%s", row->path);
	return 1;
}

static const char *
path_of(struct round *r, const char *hash)
{
	if (strcmp(r->hash, hash) == 0)
		return r->path;
	snprintf(r->hash, sizeof(r->hash), "%s", hash);
	r->path[0] = '\0';
	store_each_capture(r->retrospect->store, on_capture, r);
	return r->path;
}

static void
put(struct round *r, struct incident *in)
{
	bool written = false;

	if (store_put_incident(r->retrospect->store, in, &written) != 0)
		r->status = -1;
	r->retrospect->written += written;
	if (written && r->retrospect->revised != NULL &&
	    r->retrospect->revised(r->retrospect->context, in) != 0)
		r->status = -1;
}

/* An incident that does not stand any more is withdrawn, not deleted. */
static int
on_standing(void *context, const struct incident *standing)
{
	struct round *r = context;

	if (standing->state != STATE_WITHDRAWN) {
		r->incident = *standing;
		r->decided = true;
	}
	return 1;
}

static void
withdraw(struct round *r)
{
	struct incident_filter filter = { .all = true, .session = r->identity };

	if (store_each_incident(r->retrospect->store, &filter, on_standing, r) <
	    0)
		r->status = -1;
	if (!r->decided)
		return;
	r->incident.state = STATE_WITHDRAWN;
	memcpy(r->incident.provenance, r->provenance, sizeof(r->provenance));
	put(r, &r->incident);
}

static void
end_session(struct round *r)
{
	if (r->any && !r->decided)
		withdraw(r);
	r->any = r->decided = false;
}

/* Its other sightings, whose clocks may be far from this one's. */
static void
leave_out_itself(struct incident *in)
{
	unsigned n = 1;

	for (unsigned i = 1; i < in->session_count; i++)
		if (memcmp(in->sessions[i].session, in->session, 16) != 0)
			in->sessions[n++] = in->sessions[i];
	in->session_count = n;
}

/* Judges one sighting with all that is known; true: it is an incident. */
static bool
judge(struct round *r, const struct sighting *sighting)
{
	struct incident *in = &r->incident;
	enum unjudged why;
	uint32_t capture;

	session_fold_stored(&r->session, sighting->facts);
	if (rules_judge(&r->session, world_context(r->retrospect->world), in,
		&why) != VERDICT_INCIDENT)
		return false;
	incident_identity(sighting->session, 0, in->id);
	memcpy(in->session, sighting->session, 16);
	capture =
	    in->seen_capture < sighting->capture_count ? in->seen_capture : 0;
	snprintf(in->capture_hash, sizeof(in->capture_hash), "%s",
	    sighting->captures[capture]);
	snprintf(in->capture_path, sizeof(in->capture_path), "%s",
	    path_of(r, sighting->captures[capture]));
	memcpy(in->sessions[0].session, sighting->session, 16);
	leave_out_itself(in);
	memcpy(in->provenance, r->provenance, sizeof(in->provenance));
	if (r->session.trust[0] != '\0')
		snprintf(in->provenance + strlen(in->provenance),
		    sizeof(in->provenance) - strlen(in->provenance),
		    ", trust %s", r->session.trust);
	return true;
}

static int
on_sighting(void *context, const struct sighting *sighting)
{
	struct round *r = context;

	if (!r->any || memcmp(r->identity, sighting->session, 16) != 0) {
		end_session(r);
		memcpy(r->identity, sighting->session, 16);
		r->any = true;
		r->retrospect->judged++;
	}
	if (r->decided || !judge(r, sighting))
		return 0;
	r->decided = true;
	put(r, &r->incident);
	return r->status;
}

static struct round *
begin(struct retrospect *retrospect)
{
	const struct context *context = world_context(retrospect->world);
	struct round *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->retrospect = retrospect;
	if (retrospect->policies[0] == '\0' &&
	    store_policies_version(retrospect->store, retrospect->policies) !=
		0) {
		free(r);
		return NULL;
	}
	snprintf(r->provenance, sizeof(r->provenance),
	    "striplight %s, rules %s, policies %s, prior %g",
	    STRIPLIGHT_VERSION, registry_version(context->registry),
	    retrospect->policies, context->prior);
	return r;
}

static int
run(struct retrospect *retrospect, const struct sighting_filter *filter)
{
	struct round *r = begin(retrospect);
	int status = -1;

	if (r == NULL)
		return -1;
	if (store_each_sighting(retrospect->store, filter, on_sighting, r) >=
	    0) {
		end_session(r);
		status = r->status;
	}
	free(r);
	return status;
}

bool
retrospect_unstored(struct retrospect *retrospect,
    const struct sighting *sighting, struct incident *out)
{
	struct round *r = begin(retrospect);
	bool is_incident = r != NULL && judge(r, sighting);

	if (is_incident)
		*out = r->incident;
	free(r);
	return is_incident;
}

int
retrospect_session(struct retrospect *retrospect, const uint8_t session[16])
{
	struct sighting_filter filter = { .session = session };

	return run(retrospect, &filter);
}

int
retrospect_server(struct retrospect *retrospect, const struct endpoint *server)
{
	struct sighting_filter filter = { .server = server };

	return run(retrospect, &filter);
}

int
retrospect_domain(struct retrospect *retrospect, const char *domain)
{
	struct sighting_filter filter = { .domain = domain };

	return run(retrospect, &filter);
}
