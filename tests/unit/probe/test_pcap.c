#include "capture_file.h"

static struct file file, *f = &file;

/* Magic numbers as their writer's byte order puts them. */
static const struct {
	enum order order;
	uint32_t magic;
	int64_t unit_ns;
	const char *format;
} rows[] = {
	{ BIG_ENDIAN_FILE, 0xa1b2c3d4, 1000, "pcap" },
	{ LITTLE_ENDIAN_FILE, 0xa1b2c3d4, 1000, "pcap" },
	{ BIG_ENDIAN_FILE, 0xa1b23c4d, 1, "pcap (nanoseconds)" },
	{ LITTLE_ENDIAN_FILE, 0xa1b23c4d, 1, "pcap (nanoseconds)" },
};

static void
begin(enum order order, uint32_t magic, uint32_t link_type)
{
	f->order = order;
	f->len = 0;
	pcap_header(f, magic, link_type);
}

Test(pcap, both_byte_orders_and_both_resolutions_are_read)
{
	for (size_t i = 0; i < 4; i++) {
		struct capture_info info;
		struct reading r;

		begin(rows[i].order, rows[i].magic, 1);
		pcap_record(f, 1, 999999, "first", 5);
		pcap_record(f, 2, 0, "", 0);
		pcap_record(f, UINT32_MAX, 5, "cut", 1500);
		r = read_file_whole(f);
		expect_frame(&r, "first", 1000000000 + 999999 * rows[i].unit_ns,
		    5, 1);
		expect_frame(&r, "", 2000000000, 0, 1);
		expect_frame(&r, "cut",
		    (int64_t)UINT32_MAX * 1000000000 + 5 * rows[i].unit_ns,
		    1500, 1);
		capture_describe(r.capture, &info);
		cr_expect_str_eq(info.format, rows[i].format);
		cr_expect_str_eq(info.link_types, "1");
		cr_expect_eq(info.frames, 3);
		cr_expect_eq(info.bytes, f->len);
		expect_end(&r);
	}
}

/* Some distributions' libpcap of 1999: eight octets more in a record. */
Test(pcap, kuznetsovs_records_are_read)
{
	for (int i = 0; i < 2; i++) {
		struct reading r;

		begin(i ? BIG_ENDIAN_FILE : LITTLE_ENDIAN_FILE, 0xa1b2cd34, 1);
		P32(7);
		P32(8);
		P32(5);
		P32(60);
		P32(3); /* interface */
		P16(0x0800);
		P16(0);
		put_octets(f, "first", 5);
		r = read_file_whole(f);
		expect_frame(&r, "first", 7000008000, 60, 1);
		expect_end(&r);
	}
}

Test(pcap, the_link_type_is_the_lower_part_of_its_field)
{
	struct reading r;

	/* Frame check sequences of two octets, as f and FCS bits say. */
	begin(LITTLE_ENDIAN_FILE, 0xa1b2c3d4, 0x14000001);
	pcap_record(f, 1, 0, "first", 5);
	r = read_file_whole(f);
	expect_frame(&r, "first", 1000000000, 5, 1);
	expect_end(&r);
}

Test(pcap, a_file_without_frames_is_at_its_end)
{
	struct reading r;

	begin(LITTLE_ENDIAN_FILE, 0xa1b2c3d4, 1);
	r = read_file_whole(f);
	expect_end(&r);
}

Test(pcap, cut_at_any_octet_it_is_read_up_to_there)
{
	size_t ends[3];

	begin(LITTLE_ENDIAN_FILE, 0xa1b2c3d4, 1);
	for (int i = 0; i < 3; i++) {
		pcap_record(f, 1, 0, "some octets", 11);
		ends[i] = f->len;
	}
	expect_cut_anywhere(f, 24, ends, 3);
}

Test(pcap, the_fault_says_where_the_cut_record_begins)
{
	struct reading r;

	begin(LITTLE_ENDIAN_FILE, 0xa1b2c3d4, 1);
	pcap_record(f, 1, 0, "some octets", 11);
	pcap_record(f, 1, 0, "some octets", 11);
	r = read_octets(f->bytes, f->len - 1);
	expect_frame(&r, "some octets", 1000000000, 11, 1);
	expect_fault(&r, "cut at byte 51 (frame 2): read up to there");
}

Test(pcap, a_cut_file_header_is_no_capture_yet_and_says_so)
{
	begin(LITTLE_ENDIAN_FILE, 0xa1b2c3d4, 1);
	for (size_t len = 4; len < 24; len++) {
		struct reading r = read_octets(f->bytes, len);

		cr_expect_null(r.capture);
		cr_expect(r.is_capture, "skipped in folders");
		cr_expect_not_null(
		    strstr(errbuf, "cut inside the file header"));
		end_reading(&r);
	}
}

Test(pcap, hostile_lengths_are_damage_and_cost_nothing)
{
	static const uint32_t lengths[] = { 262145, 0x7fffffff, 0x80000000,
		0xfffffff0, 0xffffffff };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct reading r;

		begin(LITTLE_ENDIAN_FILE, 0xa1b2c3d4, 1);
		pcap_record(f, 1, 0, "first", 5);
		P32(1);
		P32(0);
		P32(lengths[i]);
		P32(lengths[i]);
		put_octets(f, "not so many", 11);
		r = read_file_whole(f);
		expect_frame(&r, "first", 1000000000, 5, 1);
		expect_fault(&r, "damaged at byte 45: frame 2 claims");
	}
}

Test(pcap, the_longest_frame_is_read)
{
	static uint8_t whole[24 + 16 + 262144];
	struct reading r;
	struct frame frame;

	begin(LITTLE_ENDIAN_FILE, 0xa1b2c3d4, 1);
	P32(1);
	P32(0);
	P32(262144);
	P32(262144);
	memcpy(whole, f->bytes, f->len);
	memset(whole + f->len, 0x5a, 262144);
	r = read_octets(whole, sizeof(whole));
	cr_assert_eq(capture_next(r.capture, &frame), CAPTURE_FRAME);
	cr_expect_eq(frame.bytes.len, 262144);
	cr_expect_eq(frame.bytes.ptr[262143], 0x5a);
	expect_end(&r);
}

/* What a wire length below the captured one means is that it is wrong. */
Test(pcap, the_wire_has_at_least_what_was_captured)
{
	struct reading r;

	begin(LITTLE_ENDIAN_FILE, 0xa1b2c3d4, 1);
	pcap_record(f, 1, 0, "first", 2);
	r = read_file_whole(f);
	expect_frame(&r, "first", 1000000000, 5, 1);
	expect_end(&r);
}
