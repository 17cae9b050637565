/*
 * Changes a capture as a network or an attacker would: whole records, and
 * what TCP says in them, with lengths and sums put right again. libFuzzer by
 * itself would hardly ever get past the checksum.
 *
 * Understands pcap in little-endian order; what else comes is libFuzzer's.
 */
#include <stdlib.h>

#include "tests/unit/dissect/wire.h"

#define HEADER_BYTES 24
#define RECORD_BYTES 16
#define RECORDS_MAX 1024
#define FRAME_MAX 2048
#define SETUP_AT 8 /* see fuzz_capture.c */
#define LINK_AT 20

size_t LLVMFuzzerMutate(uint8_t *, size_t, size_t);
size_t LLVMFuzzerCustomMutator(uint8_t *, size_t, size_t, unsigned);

struct file {
	uint8_t *bytes;
	size_t size, room;
	size_t at[RECORDS_MAX + 1]; /* of records, and where the last ends */
	size_t count;
	uint32_t state; /* of chance */
};

/* A segment in its record, all of it captured; offsets are of the file. */
struct place {
	struct packet packet;
	size_t ip, tcp, payload, payload_bytes;
};

static uint32_t
chance(struct file *f, uint32_t below)
{
	f->state ^= f->state << 13;
	f->state ^= f->state >> 17;
	f->state ^= f->state << 5;
	return below > 0 ? f->state % below : 0;
}

static uint32_t
get_le(const uint8_t *in)
{
	return in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 |
	    (uint32_t)in[3] << 24;
}

static void
put_le(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> 8 * i);
}

static void
index_records(struct file *f)
{
	size_t at = HEADER_BYTES;

	f->count = 0;
	f->at[0] = at;
	while (f->count < RECORDS_MAX && f->size - at >= RECORD_BYTES) {
		uint32_t captured = get_le(f->bytes + at + 8);

		if (captured > f->size - at - RECORD_BYTES)
			return;
		at += RECORD_BYTES + captured;
		f->at[++f->count] = at;
	}
}

static size_t
record_bytes(const struct file *f, size_t i)
{
	return f->at[i + 1] - f->at[i];
}

/* `with` takes the place of `old` octets. False: there is no room. */
static bool
splice(struct file *f, size_t at, size_t old, const uint8_t *with, size_t len)
{
	if (len > old && len - old > f->room - f->size)
		return false;
	memmove(f->bytes + at + len, f->bytes + at + old, f->size - at - old);
	if (len > 0)
		memmove(f->bytes + at, with, len);
	f->size = f->size - old + len;
	index_records(f);
	return true;
}

/* --- segments ------------------------------------------------------------ */

static bool
find_segment(const struct file *f, size_t i, struct place *p)
{
	const uint8_t *record = f->bytes + f->at[i];
	struct counters counters = { 0 };
	struct frame frame = { .link_type = get_le(f->bytes + LINK_AT) };

	frame.bytes =
	    slice_of(record + RECORD_BYTES, record_bytes(f, i) - RECORD_BYTES);
	frame.wire_bytes = (uint32_t)frame.bytes.len;
	if (packet_decode(&frame, &counters, &p->packet) != PACKET_TCP ||
	    p->packet.header_cut ||
	    p->packet.payload_bytes < p->packet.payload_wire_bytes)
		return false;
	p->tcp = (size_t)(p->packet.tcp - f->bytes);
	p->payload = p->tcp + p->packet.tcp_header_bytes;
	p->payload_bytes = p->packet.payload_bytes;
	/* No IP options, no extension headers: then its place is known. */
	p->ip = p->tcp - (p->packet.src.address.family == 4 ? 20 : 40);
	return p->ip >= f->at[i] + RECORD_BYTES &&
	    (f->bytes[p->ip] == 0x45 || f->bytes[p->ip] >> 4 == 6);
}

/* Lengths and the sum, mostly; that of an IPv4 header nobody looks at. */
static void
put_right(struct file *f, size_t i, const struct place *p)
{
	size_t tcp_bytes = p->payload + p->payload_bytes - p->tcp;
	uint8_t *record = f->bytes + f->at[i], *tcp = f->bytes + p->tcp;

	put_le(record + 8, (uint32_t)(record_bytes(f, i) - RECORD_BYTES));
	put_le(record + 12, (uint32_t)(record_bytes(f, i) - RECORD_BYTES));
	if (p->packet.src.address.family == 4)
		put_be(f->bytes + p->ip + 2, 20 + tcp_bytes, 2);
	else
		put_be(f->bytes + p->ip + 4, tcp_bytes, 2);
	put_be(tcp + 16, 0, 2);
	if (chance(f, 16) != 0)
		put_be(tcp + 16, wire_sum(&p->packet, tcp, tcp_bytes), 2);
}

/* Replaces the payload; the record grows or shrinks with it. */
static bool
put_payload(struct file *f, size_t i, struct place *p, const uint8_t *payload,
    size_t len)
{
	size_t captured =
	    record_bytes(f, i) - RECORD_BYTES - p->payload_bytes + len;

	if (len > p->payload_bytes &&
	    len - p->payload_bytes > f->room - f->size)
		return false;
	put_le(f->bytes + f->at[i] + 8, (uint32_t)captured);
	splice(f, p->payload, p->payload_bytes, payload, len);
	p->payload_bytes = len;
	put_right(f, i, p);
	return true;
}

/* --- what may change ----------------------------------------------------- */

static void
drop(struct file *f, size_t i)
{
	splice(f, f->at[i], record_bytes(f, i), NULL, 0);
}

static void
duplicate(struct file *f, size_t i)
{
	size_t len = record_bytes(f, i);
	uint8_t copy[FRAME_MAX];

	if (len > sizeof(copy))
		return;
	memcpy(copy, f->bytes + f->at[i], len);
	/* Mostly close by, as a retransmission is. */
	i = chance(f, 2) ? i + chance(f, 8) : chance(f, (uint32_t)f->count);
	splice(f, f->at[i < f->count ? i : f->count], 0, copy, len);
}

static void
move(struct file *f, size_t i)
{
	size_t len = record_bytes(f, i);
	uint8_t copy[FRAME_MAX];

	if (len > sizeof(copy))
		return;
	memcpy(copy, f->bytes + f->at[i], len);
	drop(f, i);
	i = chance(f, 2) ? i + chance(f, 4) : chance(f, (uint32_t)f->count);
	splice(f, f->at[i < f->count ? i : f->count], 0, copy, len);
}

/* Cut by the capture's snaplen: the length on the wire stays. */
static void
snap(struct file *f, size_t i)
{
	uint32_t captured = (uint32_t)record_bytes(f, i) - RECORD_BYTES;
	uint32_t kept = chance(f, captured + 1);
	size_t end = f->at[i + 1];

	put_le(f->bytes + f->at[i] + 8, kept);
	splice(f, end - (captured - kept), captured - kept, NULL, 0);
}

/* One record, or all from it on. */
static void
shift_time(struct file *f, size_t i)
{
	static const int32_t seconds[] = { 1, -1, 4, -4, 61, 901, 3601, -7200,
		0x40000000 };
	uint32_t by =
	    (uint32_t)seconds[chance(f, sizeof(seconds) / sizeof(*seconds))];
	size_t end = chance(f, 2) ? f->count : i + 1;

	for (; i < end; i++) {
		uint8_t *at = f->bytes + f->at[i];

		put_le(at, get_le(at) + by);
	}
}

static void
change_header(struct file *f, size_t i)
{
	static const int32_t steps[] = { 1, -1, 2, 7, -7, 100, -100, 1460,
		-1460, 65536, 1 << 20, INT32_MIN };
	uint32_t by =
	    (uint32_t)steps[chance(f, sizeof(steps) / sizeof(*steps))];
	struct place p;
	uint8_t *tcp;

	if (!find_segment(f, i, &p))
		return;
	tcp = f->bytes + p.tcp;
	switch (chance(f, 5)) {
	case 0:
		put_be(tcp + 4, p.packet.seq + by, 4);
		break;
	case 1:
		put_be(tcp + 8, p.packet.ack + by, 4);
		break;
	case 2:
		tcp[13] ^= (uint8_t)(1u << chance(f, 5));
		break;
	case 3: /* another connection, or another port of the server */
		tcp[1 + 2 * chance(f, 2)] ^= (uint8_t)(1u << chance(f, 4));
		break;
	default: /* beside what was captured last of the direction */
		put_be(tcp + 4, p.packet.seq + p.payload_bytes, 4);
	}
	put_right(f, i, &p);
}

static void
change_payload(struct file *f, size_t i)
{
	uint8_t payload[FRAME_MAX];
	struct place p;

	if (!find_segment(f, i, &p) || p.payload_bytes > sizeof(payload))
		return;
	memcpy(payload, f->bytes + p.payload, p.payload_bytes);
	put_payload(f, i, &p, payload,
	    LLVMFuzzerMutate(payload, p.payload_bytes, sizeof(payload)));
}

/* Cut in two segments, which may overlap and may change places. */
static void
cut_segment(struct file *f, size_t i)
{
	uint8_t copy[FRAME_MAX];
	size_t len = record_bytes(f, i), end, begin, which;
	struct place p;

	if (!find_segment(f, i, &p) || p.payload_bytes < 2 ||
	    len > sizeof(copy))
		return;
	memcpy(copy, f->bytes + f->at[i], len);
	if (!splice(f, f->at[i], 0, copy, len))
		return;
	end = 1 + chance(f, (uint32_t)p.payload_bytes - 1);
	begin = end - chance(f, (uint32_t)end) * chance(f, 2);
	which = i + chance(f, 2);
	if (find_segment(f, which, &p))
		put_payload(f, which, &p, f->bytes + p.payload, end);
	which = i + (which == i);
	if (find_segment(f, which, &p)) {
		put_be(f->bytes + p.tcp + 4, p.packet.seq + begin, 4);
		memcpy(copy, f->bytes + p.payload + begin,
		    p.payload_bytes - begin);
		put_payload(f, which, &p, copy, p.payload_bytes - begin);
	}
}

static void
change_setup(struct file *f, size_t i)
{
	(void)i;
	f->bytes[SETUP_AT] ^= (uint8_t)(1u << chance(f, 8));
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
    unsigned seed)
{
	static void (*const changes[])(struct file *, size_t) = { drop,
		duplicate, move, move, snap, shift_time, change_header,
		change_header, change_payload, change_payload, cut_segment,
		change_setup };
	struct file f = { data, size, max_size, { 0 }, 0, seed | 1 };

	if (size < HEADER_BYTES || get_le(data) != 0xa1b2c3d4 ||
	    chance(&f, 16) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	index_records(&f);
	for (uint32_t times = 1 + chance(&f, 3); times > 0 && f.count > 0;
	     times--)
		changes[chance(&f, sizeof(changes) / sizeof(*changes))](&f,
		    chance(&f, (uint32_t)f.count));
	return f.size;
}
