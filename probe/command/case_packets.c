#include "case_packets.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/capture/capture.h"
#include "probe/output/account.h"
#include "probe/output/blanking.h"
#include "probe/output/pcapng_out.h"

#define COMMENT_BYTES 8192
#define LINKS_MAX 8 /* types of link in one capture */

/* What is taken from one capture. */
struct taking {
	struct case_packets *out;
	const struct incident *incident;
	struct flow_identity flow;
	struct slice facts;   /* without their version */
	unsigned at;	      /* of the capture */
	uint64_t first, last; /* frames that facts speak of; 0: none */
	uint32_t base[2];     /* sequence numbers of stream offset 0 */
	bool has_base[2];
	struct record_walk walk[2];
	FILE *file, *part; /* all, and of this capture so far */
	char *part_text;
	size_t part_bytes;
	uint64_t part_packets, part_blanked, part_left_out;
	uint32_t links[LINKS_MAX], link_base;
	unsigned link_count;
	bool ended;
};

/* --- comments ------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3)))
say(char comment[COMMENT_BYTES], const char *format, ...)
{
	size_t n = strlen(comment);
	va_list arguments;

	if (n + 2 >= COMMENT_BYTES)
		return;
	if (n > 0)
		comment[n++] = '\n';
	va_start(arguments, format);
	vsnprintf(comment + n, COMMENT_BYTES - n, format, arguments);
	va_end(arguments);
}

/* What the verdict takes from this frame. */
static void
say_evidence(const struct taking *t, uint64_t frame,
    char comment[COMMENT_BYTES])
{
	const struct incident *in = t->incident;

	if (t->at != in->seen_capture)
		return;
	if (frame == in->frame)
		say(comment, "striplight %.8s, %s: %s", in->id,
		    kind_name(in->kind), in->observed);
	if (frame == in->frame && in->expected[0] != '\0')
		say(comment, "arrived: %s  should be: %s", in->seen,
		    in->expected);
	for (unsigned i = 0; i < in->evidence_count; i++)
		if (in->evidence[i].frame == frame)
			say(comment, "evidence %s (%+.1f): %s",
			    evidence_name(in->evidence[i].code),
			    in->evidence[i].weight, in->evidence[i].detail);
}

/* --- blanking ------------------------------------------------------------- */

static uint16_t
sum_of(struct slice s, uint32_t sum)
{
	for (size_t i = 0; i < s.len; i++)
		sum += (uint32_t)s.ptr[i] << (i % 2 == 0 ? 8 : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* A sum that was right is made right again; the old one would tell of what
 * was blanked. `tcp` is in our copy of the frame. */
static void
renew_sum(const struct packet *p, uint8_t *tcp, bool was_right)
{
	size_t addresses = p->src.address.family == 6 ? 16 : 4;
	uint32_t length = p->tcp_header_bytes + p->payload_wire_bytes;
	uint32_t sum = length + 6;

	tcp[16] = tcp[17] = 0;
	if (!was_right)
		return;
	sum += sum_of(slice_of(p->src.address.octets, addresses), 0);
	sum += sum_of(slice_of(p->dst.address.octets, addresses), 0);
	sum = (uint16_t)~sum_of(slice_of(tcp, length), sum);
	tcp[16] = (uint8_t)(sum >> 8);
	tcp[17] = (uint8_t)sum;
}

/* Blanks our copy of a frame; false: nothing of its payload is left. */
static bool
blank(struct taking *t, const struct packet *p, uint8_t *copy,
    const struct frame *frame, enum dir dir, char comment[COMMENT_BYTES])
{
	uint8_t *payload = copy + (p->payload - frame->bytes.ptr);
	struct stretch stretch = { .dir = dir,
		.payload = slice_of(p->payload, p->payload_bytes) };
	size_t hidden = 0, n = p->payload_bytes;
	bool *shown = calloc(n + 1, sizeof(*shown));
	uint8_t *secret = malloc(n + 1);
	char ranges[512] = "", hash[DIGEST_TEXT_BYTES];
	bool was_right = packet_sum(p) == SUM_RIGHT;

	if (shown == NULL || secret == NULL) {
		memset(payload, BLANK_OCTET, n);
		hidden = n;
		goto out;
	}
	if (t->has_base[dir]) {
		stretch.stream_offset = (uint32_t)(p->seq - t->base[dir]);
		blanking_shown(&stretch, t->facts, &t->walk[dir], shown);
	}
	for (size_t i = 0; i < n; i++) {
		size_t from = i, length = strlen(ranges);

		if (shown[i])
			continue;
		while (i < n && !shown[i])
			secret[hidden++] = payload[i++];
		memset(payload + from, BLANK_OCTET, i - from);
		snprintf(ranges + length, sizeof(ranges) - length, "%s%zu-%zu",
		    length > 0 ? ", " : "", from, i - 1);
	}
	if (hidden > 0) {
		t->part_blanked++;
		renew_sum(p, copy + (p->tcp - frame->bytes.ptr), was_right);
		say(comment,
		    "blanked with '%c': octets %s of the TCP payload; "
		    "HMAC-SHA-256 of what stood there: %s; TCP checksum %s",
		    BLANK_OCTET, ranges,
		    digest_keyed_text(t->out->key, slice_of(secret, hidden),
			hash),
		    was_right ? "made anew, it was right" :
				"set to 0, it was wrong or not all captured");
	}
out:
	free(shown);
	free(secret);
	return hidden < n || n == 0;
}

/* --- one capture ---------------------------------------------------------- */

static bool
same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port &&
	    address_compare(&a->address, &b->address) == 0;
}

static bool
is_of_flow(const struct taking *t, const struct packet *p, enum dir *dir)
{
	*dir = same_endpoint(&p->src, &t->flow.client) ? TO_SERVER : TO_CLIENT;
	return *dir == TO_SERVER ? same_endpoint(&p->dst, &t->flow.server) :
				   same_endpoint(&p->src, &t->flow.server) &&
		same_endpoint(&p->dst, &t->flow.client);
}

/* Everything so far was of an earlier flow with the same ports. */
static void
start_anew(struct taking *t)
{
	rewind(t->part);
	fflush(t->part);
	t->part_packets = t->part_blanked = t->part_left_out = 0;
	memset(t->walk, 0, sizeof(t->walk));
}

static uint32_t
interface_of(struct taking *t, uint32_t link_type)
{
	unsigned i = 0;

	while (i < t->link_count && t->links[i] != link_type)
		i++;
	if (i == t->link_count && i < LINKS_MAX)
		t->links[t->link_count++] = link_type;
	return t->link_base + (i < LINKS_MAX ? i : LINKS_MAX - 1);
}

static bool
has_facts(const struct taking *t, uint64_t number)
{
	struct slice facts = t->facts, bytes;
	struct fact fact;

	while (fact_decode(&facts, &fact, &bytes))
		if (fact.capture == t->at && fact.frame == number)
			return true;
	return false;
}

static void
take(struct taking *t, const struct frame *frame, const struct packet *p,
    enum dir dir)
{
	struct pcapng_packet packet = { .capture_ts_ns = frame->capture_ts_ns,
		.wire_bytes = frame->wire_bytes };
	uint8_t *copy = malloc(frame->bytes.len + 1);
	char comment[COMMENT_BYTES] = "";

	if (copy == NULL)
		return;
	memcpy(copy, frame->bytes.ptr, frame->bytes.len);
	say_evidence(t, frame->number, comment);
	if (!t->has_base[dir] && p->payload_bytes > 0) {
		t->base[dir] = p->seq;
		t->has_base[dir] = true;
	}
	if (!t->out->raw && !blank(t, p, copy, frame, dir, comment) &&
	    !has_facts(t, frame->number)) {
		t->part_left_out++;
		t->part_blanked--;
	} else {
		say(comment, "frame %llu of the capture",
		    (unsigned long long)frame->number);
		packet.interface = interface_of(t, frame->link_type);
		packet.bytes = slice_of(copy, frame->bytes.len);
		packet.comment = comment;
		pcapng_out_packet(t->part, &packet);
		t->part_packets++;
	}
	free(copy);
}

static void
see(struct taking *t, const struct frame *frame)
{
	struct counters counters = { 0 };
	struct packet p = { 0 };
	enum dir dir;

	switch (packet_decode(frame, &counters, &p)) {
	case PACKET_FRAGMENT:
	case PACKET_OUTER_FRAGMENT:
		t->out->fragments++;
		return;
	case PACKET_TCP:
		break;
	default:
		return;
	}
	if (!is_of_flow(t, &p, &dir))
		return;
	if (dir == TO_SERVER && (p.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		if (frame->number <= t->first &&
		    (!t->flow.has_client_isn || p.seq == t->flow.client_isn))
			start_anew(t);
		else if (frame->number > t->last &&
		    !(t->flow.has_client_isn && p.seq == t->flow.client_isn))
			t->ended = true;
	}
	if (!t->ended)
		take(t, frame, &p, dir);
}

/* All of the file is read, for its hash to be seen. */
static int
read_capture(struct taking *t, struct case_capture *c)
{
	char errbuf[CAPTURE_ERRBUF];
	bool is_capture;
	struct capture *capture =
	    capture_open(c->row.path, &is_capture, errbuf);
	struct capture_info info;
	struct frame frame = { 0 };
	int64_t highest = INT64_MIN;

	if (capture == NULL) {
		snprintf(c->fault, sizeof(c->fault), "%s", errbuf);
		return 0;
	}
	while (capture_next(capture, &frame) == CAPTURE_FRAME) {
		frame.run_number = frame.number;
		if (frame.capture_ts_ns > highest)
			highest = frame.capture_ts_ns;
		else if (highest - frame.capture_ts_ns > c->back_ns)
			c->back_ns = highest - frame.capture_ts_ns;
		if (t->last > 0)
			see(t, &frame);
	}
	capture_describe(capture, &info);
	capture_close(capture);
	if (strcmp(info.hash, c->row.hash) != 0)
		snprintf(c->fault, sizeof(c->fault),
		    "what lies there now is not what was read");
	else if (digest_file(c->row.path, c->sha256) != 0)
		snprintf(c->fault, sizeof(c->fault), "cannot be read again");
	return 0;
}

static void
find_frames(struct taking *t)
{
	struct slice facts = t->facts, bytes;
	struct fact fact;

	t->first = t->last = 0;
	while (fact_decode(&facts, &fact, &bytes)) {
		if (fact.code == FACT_SESSION_OPENED &&
		    flow_identity_decode(bytes, &t->flow)) {
			t->base[TO_SERVER] = t->flow.client_isn + 1;
			t->base[TO_CLIENT] = t->flow.server_isn + 1;
			t->has_base[TO_SERVER] = t->flow.has_client_isn;
			t->has_base[TO_CLIENT] = t->flow.has_server_isn;
		}
		/* DNS came before it. */
		if (fact.capture != t->at || fact.frame == 0 ||
		    fact.code == FACT_DNS_ANSWER)
			continue;
		if (t->first == 0 || fact.frame < t->first)
			t->first = fact.frame;
		if (fact.frame > t->last)
			t->last = fact.frame;
	}
}

static void
add_part(struct taking *t, const struct case_capture *c)
{
	char comment[1200];

	snprintf(comment, sizeof(comment), "%s, SHA-256 %s", c->row.path,
	    c->sha256);
	for (unsigned i = 0; i < t->link_count; i++)
		pcapng_out_interface(t->file, t->links[i], comment);
	fwrite(t->part_text, 1, t->part_bytes, t->file);
	t->link_base += t->link_count;
	t->out->packets += t->part_packets;
	t->out->blanked += t->part_blanked;
	t->out->left_out += t->part_left_out;
}

static int
take_capture(struct taking *t, struct case_capture *c)
{
	find_frames(t);
	memset(t->walk, 0, sizeof(t->walk));
	t->ended = false;
	t->link_count = 0;
	t->part_packets = t->part_blanked = t->part_left_out = 0;
	t->part = open_memstream(&t->part_text, &t->part_bytes);
	if (t->part == NULL)
		return -1;
	read_capture(t, c);
	fclose(t->part);
	if (c->fault[0] == '\0' && t->part_packets == 0)
		snprintf(c->fault, sizeof(c->fault),
		    "the session's packets could not be taken out of it");
	if (c->fault[0] == '\0')
		add_part(t, c);
	free(t->part_text);
	t->part_text = NULL;
	return 0;
}

/* --- all of them ---------------------------------------------------------- */

struct finding {
	struct case_packets *out;
	const struct sighting_facts *facts;
	const char *hash; /* of an incident whose facts were shed */
};

static int
on_capture(void *context, const struct capture_row *row)
{
	struct finding *f = context;

	for (unsigned i = 0; i < f->out->capture_count; i++)
		if (strcmp(f->facts->capture_count > 0 ? f->facts->captures[i] :
							 f->hash,
			row->hash) == 0)
			f->out->captures[i].row = *row;
	return 0;
}

int
case_packets_load(struct case_packets *out, struct store *store,
    const struct incident *in, const struct sighting_facts *facts)
{
	struct finding finding = { out, facts, in->capture_hash };
	struct taking t = { .out = out,
		.incident = in,
		.facts = slice_after(facts->facts, 1) };
	int status = 0;

	out->capture_count = facts->capture_count > 0 ? facts->capture_count :
							1;
	if (store_each_capture(store, on_capture, &finding) != 0)
		return -1;
	t.file = open_memstream(&out->pcapng, &out->pcapng_bytes);
	if (t.file == NULL)
		return -1;
	pcapng_out_begin(t.file, "striplight " STRIPLIGHT_VERSION,
	    out->raw ? "packets as they were captured" :
		       "packets as they were captured, but for octets that are "
		       "blanked: their comments say which");
	for (t.at = 0; t.at < out->capture_count && status == 0; t.at++)
		status = take_capture(&t, &out->captures[t.at]);
	fclose(t.file);
	if (out->packets == 0) {
		free(out->pcapng);
		out->pcapng = NULL;
	}
	return status;
}

void
case_packets_free(struct case_packets *p)
{
	free(p->pcapng);
	p->pcapng = NULL;
}
