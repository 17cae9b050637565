/*
 * Prints the TCP streams on mail ports as the native engine delivers them:
 *
 *	streams CAPTURE ...
 *
 * A line a direction that carried something, tabs between: the capture's
 * place among the arguments, the session's in the capture, who sends and who
 * receives (address port), and the octets in hex, with "gap N" where N are
 * missing, or "cut N" where the capture's snaplen cut them, commas between.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "dissect/fragment.h"
#include "dissect/native.h"
#include "probe/capture/capture.h"

#define FLOWS_MAX 65536
#define ROOM_BYTES (256 << 20)

static const uint16_t mail_ports[] = { 25, 587, 2525 };

/* What a session said in each direction, as it is to be printed. */
struct session {
	struct session *next;
	struct flow_identity identity;
	char *text[2];
	size_t len[2];
};

struct capture_streams {
	struct session *first, **last;
};

static void
add(struct session *s, enum dir dir, const char *text, size_t len)
{
	s->text[dir] = realloc(s->text[dir], s->len[dir] + len + 1);
	if (s->text[dir] == NULL)
		abort();
	memcpy(s->text[dir] + s->len[dir], text, len);
	s->len[dir] += len;
	s->text[dir][s->len[dir]] = '\0';
}

static void *
on_opened(void *context, const struct flow_start *start,
    const struct origin *at)
{
	struct capture_streams *streams = context;
	struct session *s = calloc(1, sizeof(*s));

	(void)at;
	if (s == NULL)
		abort();
	s->identity = start->identity;
	*streams->last = s;
	streams->last = &s->next;
	return s;
}

static enum interest
on_bytes(void *context, void *session, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	char *hex = malloc(2 * bytes.len + 1);

	(void)context;
	(void)at;
	if (hex == NULL)
		abort();
	for (size_t i = 0; i < bytes.len; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes.ptr[i]);
	add(session, dir, hex, 2 * bytes.len);
	free(hex);
	return INTEREST_NEGOTIATION;
}

static enum interest
on_gap(void *context, void *session, enum dir dir, uint64_t missing,
    bool snapped, const struct origin *at)
{
	char text[40];

	(void)context;
	(void)at;
	snprintf(text, sizeof(text), ",%s %llu,", snapped ? "cut" : "gap",
	    (unsigned long long)missing);
	add(session, dir, text, strlen(text));
	return INTEREST_NEGOTIATION;
}

static void
on_closed(void *context, void *session, enum ending ending, enum dir who,
    const uint64_t acked[2], const struct origin *at)
{
	(void)context;
	(void)session;
	(void)ending;
	(void)who;
	(void)acked;
	(void)at;
}

static enum worth
worth_of(void *context, void *session)
{
	(void)context;
	(void)session;
	return WORTH_NEGOTIATING;
}

static const char *
endpoint_text(const struct endpoint *e, char out[64])
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(e->address.family == 4 ? AF_INET : AF_INET6,
	    e->address.octets, address, sizeof(address));
	snprintf(out, 64, "%s %u", address, e->port);
	return out;
}

static void
print_and_free(struct capture_streams *streams, int capture)
{
	struct session *s, *next;
	int number = 0;

	for (s = streams->first; s != NULL; s = next, number++) {
		const struct endpoint *ends[2] = { &s->identity.server,
			&s->identity.client };
		char to[64], from[64];

		for (int dir = 0; dir < 2; dir++) {
			if (s->text[dir] != NULL)
				printf("%d\t%d\t%s\t%s\t%s\n", capture, number,
				    endpoint_text(ends[!dir], from),
				    endpoint_text(ends[dir], to), s->text[dir]);
			free(s->text[dir]);
		}
		next = s->next;
		free(s);
	}
}

static void
work(struct native *native, struct fragments *fragments,
    struct counters *counters, const struct frame *frame)
{
	struct packet p;
	struct slice whole;

	packet_decode(frame, counters, &p);
	if (p.kind == PACKET_FRAGMENT && fragments_add(fragments, &p, &whole))
		packet_decode_tcp(whole, (uint32_t)whole.len, counters, &p);
	if (p.kind == PACKET_TCP)
		native_segment(native, &p);
}

/* Damaged captures are read as far as they go. */
static int
read_capture(const char *path, int number)
{
	static uint8_t ports[8192];
	static const uint8_t key[16];
	struct capture_streams streams = { NULL, &streams.first };
	struct stream_listener listener = { .context = &streams,
		.opened = on_opened,
		.bytes = on_bytes,
		.gap = on_gap,
		.closed = on_closed,
		.worth = worth_of };
	struct native_config config = { .flows_max = FLOWS_MAX,
		.out_of_order_bytes_max = ROOM_BYTES,
		.mail_ports = ports,
		.key = key };
	struct counters counters = { 0 };
	struct fragments *fragments =
	    fragments_create(ROOM_BYTES, key, &counters);
	struct native *native;
	char errbuf[CAPTURE_ERRBUF];
	bool is_capture;
	struct capture *capture = capture_open(path, &is_capture, errbuf);
	struct frame frame = { 0 };

	for (size_t i = 0; i < sizeof(mail_ports) / sizeof(*mail_ports); i++)
		ports[mail_ports[i] / 8] |= (uint8_t)(1 << mail_ports[i] % 8);
	native = native_create(&config, &listener, &counters);
	if (native == NULL || fragments == NULL)
		return -1;
	while (
	    capture != NULL && capture_next(capture, &frame) == CAPTURE_FRAME) {
		frame.run_number = frame.number;
		work(native, fragments, &counters, &frame);
	}
	native_finish(native);
	print_and_free(&streams, number);
	native_destroy(native);
	fragments_destroy(fragments);
	capture_close(capture);
	return 0;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (read_capture(argv[i], i - 1) != 0)
			return 1;
	return 0;
}
