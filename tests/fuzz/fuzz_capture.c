/*
 * The whole way: octets of a capture file in, facts out, as `read` goes it.
 * Octet 8 of the file, which no reader of pcap looks at, chooses how.
 *
 * Whatever the file holds: publications come in order; every fact can be
 * taken apart and stands in a frame that there was, at that frame's time; a
 * session is opened and closed once; no octet of a direction is told twice;
 * counters add up; and all is the same when packets are worked on one at a
 * time, or by two threads.
 */
#include <stdio.h>
#include <stdlib.h>

#include "probe/capture/capture.h"
#include "probe/pipeline/dissection.h"

/* Of the octet that chooses; none of them is how `read` does it. */
enum {
	SETUP_MAIL_PORTS_ONLY = 1 << 0,
	SETUP_FEW_FLOWS = 1 << 1,
	SETUP_LITTLE_ROOM = 1 << 2,
	SETUP_ADDRESSES = 1 << 3,
	SETUP_THREADS = 1 << 4, /* the second time */
};
#define SETUP_AT 8

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must_hold(bool condition, const char *what, int line)
{
	if (condition)
		return;
	fprintf(stderr, "line %d: %s\n", line, what);
	abort();
}
#define must(condition) must_hold(condition, #condition, __LINE__)

static void *
more(void *bytes, size_t count, size_t size)
{
	bytes = realloc(bytes, count * size);
	must(bytes != NULL);
	return bytes;
}

/* What is known of a session; they are numbered from 1 in each shard. */
struct session {
	bool published, told_closed, closed;
	/* Stream offsets behind the last line or body, and the last gap; a
	 * body may have gaps in it. */
	uint64_t told[2], missed[2];
};

/* A way through the program, and what came out. */
struct way {
	struct shard_config config;
	size_t flows_max; /* in all shards together */
	int64_t *times;	  /* of frames */
	size_t frames, frames_room;
	struct session *sessions[SHARD_COUNT];
	size_t sessions_room[SHARD_COUNT];
	struct publication last;
	size_t open;
	uint8_t *out;
	size_t out_len, out_room;
	struct counters counters;
};

/* --- what must hold ------------------------------------------------------ */

static struct session *
session_of(struct way *w, uint64_t id)
{
	size_t shard = id >> 56, serial = id & 0xffffffff;

	must(shard < SHARD_COUNT && serial > 0);
	if (serial >= w->sessions_room[shard]) {
		size_t old = w->sessions_room[shard], room = serial * 2;

		w->sessions[shard] =
		    more(w->sessions[shard], room, sizeof(struct session));
		memset(w->sessions[shard] + old, 0,
		    (room - old) * sizeof(struct session));
		w->sessions_room[shard] = room;
	}
	return &w->sessions[shard][serial];
}

/* How packets carried it, and what it says with copies that came later: may
 * become known when the session is over. */
static bool
is_second_thought(const struct fact *fact)
{
	return fact->code > FACT_CLOSED || fact->flags & FACT_OTHER_READING;
}

/* Codes whose extents are octets of the dialogue, one behind the other. */
static bool
is_dialogue(const struct fact *fact)
{
	return fact->code == FACT_GREETING || fact->code == FACT_COMMAND ||
	    fact->code == FACT_REPLY || fact->code == FACT_EHLO_REPLY ||
	    fact->code == FACT_AUTH_EXCHANGE || fact->code == FACT_BODY ||
	    fact->code == FACT_EXTRA_BYTES;
}

static void
check_fact(struct way *w, struct session *s, const struct fact *fact,
    struct slice bytes, bool is_first)
{
	struct flow_identity id;

	must(fact->frame >= 1 && fact->frame <= w->frames);
	/* The end of a flow is on the clock that never goes back. */
	must(fact->capture_ts_ns == w->times[fact->frame - 1] ||
	    w->last.decision >= DECISION_CLOSED);
	must(fact->reserved == 0 && fact->capture == 0);
	must(bytes.len <= FACT_LINE_MAX_BYTES ||
	    fact->code == FACT_TLS_CERTIFICATE);
	if (fact->code == FACT_SESSION_OPENED) {
		must(is_first && !s->published);
		must(flow_identity_decode(bytes, &id));
	}
	if (is_second_thought(fact))
		return;
	/* There may be no room for what is told last. */
	must(!s->told_closed || fact->code == FACT_OVER_LIMIT);
	s->told_closed |= fact->code == FACT_CLOSED;
	if (fact->code == FACT_GAP) {
		must(fact->stream_offset >= s->missed[fact->dir]);
		s->missed[fact->dir] = fact->stream_offset + fact->extent;
	}
	if (!is_dialogue(fact))
		return;
	must(fact->stream_offset >= s->told[fact->dir]);
	s->told[fact->dir] = fact->stream_offset + fact->extent;
	must(fact->flags & FACT_CUT || fact->extent >= bytes.len);
}

static void
check_facts(struct way *w, struct session *s, struct slice facts)
{
	struct slice bytes;
	struct fact fact;

	for (bool is_first = true; facts.len > 0; is_first = false) {
		must(fact_decode(&facts, &fact, &bytes));
		check_fact(w, s, &fact, bytes, is_first);
	}
}

static bool
comes_before(const struct publication *a, const struct publication *b)
{
	if (a->batch != b->batch)
		return a->batch < b->batch;
	if (a->capture_frame != b->capture_frame)
		return a->capture_frame < b->capture_frame;
	if (a->shard != b->shard)
		return a->shard < b->shard;
	return a->ordinal < b->ordinal;
}

static void
keep(struct way *w, const void *bytes, size_t len)
{
	if (w->out_len + len > w->out_room) {
		w->out_room = (w->out_len + len) * 2;
		w->out = more(w->out, w->out_room, 1);
	}
	if (len > 0)
		memcpy(w->out + w->out_len, bytes, len);
	w->out_len += len;
}

/* An answer from DNS is one fact, and of no session. */
static void
check_answer(const struct way *w, struct slice facts)
{
	struct slice bytes;
	struct fact fact;

	must(fact_decode(&facts, &fact, &bytes) && facts.len == 0);
	must(fact.code == FACT_DNS_ANSWER);
	must(fact.frame >= 1 && fact.frame <= w->frames);
}

static void
on_publish(void *context, const struct publication *p, struct slice facts)
{
	struct way *w = context;
	struct session *s;

	must(w->out_len == 0 || comes_before(&w->last, p));
	must(p->decision < DECISIONS && p->facts_bytes == facts.len);
	w->last = *p;
	keep(w, p, sizeof(*p));
	keep(w, facts.ptr, facts.len);
	if (p->decision == DECISION_DNS_ANSWERED) {
		check_answer(w, facts);
		return;
	}
	must(p->shard == p->session >> 56);
	s = session_of(w, p->session);
	must(!s->closed);
	check_facts(w, s, facts);
	if (!s->published)
		must(++w->open <= w->flows_max);
	s->published = true;
	if (p->decision >= DECISION_CLOSED) {
		s->closed = true;
		w->open--;
	}
}

/* Every frame gives a segment, a fragment, or one reason why not. */
static void
check_counters(const struct way *w)
{
	static const enum counter reasons[] = { COUNTER_NOT_IP,
		COUNTER_UNKNOWN_LINK, COUNTER_CUT_HEADER, COUNTER_BAD_LINK,
		COUNTER_BAD_IP, COUNTER_BAD_TUNNEL, COUNTER_BAD_TCP,
		COUNTER_NOT_TCP, COUNTER_DNS_DATAGRAMS, COUNTER_SEGMENTS,
		COUNTER_FRAGMENTS };
	const uint64_t *of = w->counters.of;
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		sum += of[reasons[i]];
	must(of[COUNTER_PACKETS] == w->frames);
	/* A fragment may be counted a second time, for what it is part of. */
	must(sum >= w->frames && sum <= w->frames + of[COUNTER_FRAGMENTS]);
}

/* --- the way ------------------------------------------------------------- */

static void
set_up(struct way *w, uint8_t setup)
{
	bool few = setup & SETUP_FEW_FLOWS, little = setup & SETUP_LITTLE_ROOM;

	*w = (struct way){
		.config = { .mail_ports = { 25, 587, 2525 },
		    .mail_port_count = 3,
		    .any_port = !(setup & SETUP_MAIL_PORTS_ONLY),
		    .smtp.keep_addresses = setup & SETUP_ADDRESSES,
		    .budgets = { .flows = few ? 1 : 64 * SHARD_COUNT,
			.out_of_order_bytes = little ? 1 : 1 << 22,
			.fragment_bytes = little ? 1 : 1 << 22,
			.negotiation_bytes = little ? 1 : 1 << 24 } }
	};
	w->flows_max = (few ? 1 : 64) * SHARD_COUNT;
}

static void
note_time(struct way *w, int64_t ts_ns)
{
	if (w->frames == w->frames_room) {
		w->frames_room = w->frames_room * 2 + 64;
		w->times = more(w->times, w->frames_room, sizeof(*w->times));
	}
	w->times[w->frames++] = ts_ns;
}

static bool
go(struct way *w, struct slice file, unsigned threads, bool one_at_a_time)
{
	static const struct frame_holder holder = { block_hold, block_release };
	char errbuf[CAPTURE_ERRBUF];
	bool is_capture;
	struct stream *stream = stream_over(file.ptr, file.len, errbuf);
	struct capture *capture = capture_over(stream, &is_capture, errbuf);
	struct dissection *d;
	struct frame frame = { 0 };

	if (capture == NULL)
		return false;
	d = dissection_create(&w->config, threads,
	    one_at_a_time ? NULL : &holder, on_publish, w);
	must(d != NULL);
	while (capture_next(capture, &frame) == CAPTURE_FRAME) {
		must(frame.number == w->frames + 1);
		must(frame.bytes.len <= frame.wire_bytes);
		note_time(w, frame.capture_ts_ns);
		frame.run_number = frame.number;
		dissection_frame(d, &frame, capture_block(capture));
		if (one_at_a_time)
			dissection_work(d);
	}
	dissection_end_capture(d, false);
	dissection_counters(d, &w->counters);
	dissection_destroy(d);
	capture_close(capture);
	must(w->open == 0);
	check_counters(w);
	return true;
}

static void
clean_up(struct way *w)
{
	for (size_t i = 0; i < SHARD_COUNT; i++)
		free(w->sessions[i]);
	free(w->times);
	free(w->out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t setup = size > SETUP_AT ? data[SETUP_AT] : 0;
	struct slice file = slice_of(data, size);
	struct way first, second;

	set_up(&first, setup);
	if (go(&first, file, 1, false)) {
		set_up(&second, setup);
		must(go(&second, file, setup & SETUP_THREADS ? 2 : 1,
		    !(setup & SETUP_THREADS)));
		must(second.out_len == first.out_len);
		must(first.out_len == 0 ||
		    memcmp(first.out, second.out, first.out_len) == 0);
		must(memcmp(&first.counters, &second.counters,
			 sizeof(first.counters)) == 0);
		clean_up(&second);
	}
	clean_up(&first);
	return 0;
}
