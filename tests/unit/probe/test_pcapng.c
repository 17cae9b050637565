#include "capture_file.h"

static struct file file, *f = &file;

static void
begin(enum order order)
{
	f->len = 0;
	section(f, order);
}

Test(pcapng, both_byte_orders_are_read)
{
	for (int order = 0; order < 2; order++) {
		struct capture_info info;
		struct reading r;

		begin((enum order)order);
		interface(f, 1, 0, -1, 0);
		enhanced(f, 0, 1772360102123456, "first", 1500);
		enhanced(f, 0, UINT64_C(1) << 32, "", 0);
		r = read_file_whole(f);
		expect_frame(&r, "first", 1772360102123456000, 1500, 1);
		expect_frame(&r, "", 4294967296000, 0, 1);
		capture_describe(r.capture, &info);
		cr_expect_str_eq(info.format, "pcapng");
		expect_end(&r);
	}
}

Test(pcapng, interfaces_have_link_types_and_resolutions_of_their_own)
{
	static const struct {
		uint16_t link_type;
		int resolution;
		uint64_t ticks;
		int64_t ts_ns;
	} rows[] = {
		{ 1, -1, 1500000, 1500000000 },
		{ 113, 6, 1500000, 1500000000 },
		{ 276, 9, 1500000000, 1500000000 },
		{ 101, 0, 7, 7000000000 },
		{ 0, 12, 1500000000000, 1500000000 },
		{ 12, 0x80, 7, 7000000000 },
		{ 108, 0x80 | 10, 1536, 1500000000 },
		{ 1, 0x80 | 32, UINT64_C(3) << 31, 1500000000 },
		{ 1, 0x80 | 62, UINT64_C(1) << 61, 500000000 },
		{ 1, 19, UINT64_C(15000000000000000000), 1500000000 },
	};
	size_t count = sizeof(rows) / sizeof(*rows);
	struct reading r;

	begin(BIG_ENDIAN_FILE);
	for (size_t i = 0; i < count; i++)
		interface(f, rows[i].link_type, 0, rows[i].resolution, 0);
	for (size_t i = 0; i < count; i++)
		enhanced(f, (uint32_t)i, rows[i].ticks, "frame", 5);
	r = read_file_whole(f);
	for (size_t i = 0; i < count; i++)
		expect_frame(&r, "frame", rows[i].ts_ns, 5, rows[i].link_type);
	expect_end(&r);
}

Test(pcapng, an_offset_is_added)
{
	for (int order = 0; order < 2; order++) {
		struct reading r;

		begin((enum order)order);
		interface(f, 1, 0, 9, 1772360102);
		interface(f, 1, 0, 9, -1);
		enhanced(f, 0, 5, "first", 5);
		enhanced(f, 1, 5, "second", 6);
		r = read_file_whole(f);
		expect_frame(&r, "first", 1772360102000000005, 5, 1);
		expect_frame(&r, "second", -999999995, 6, 1);
		expect_end(&r);
	}
}

/* Interfaces are numbered anew, and the byte order may change. */
Test(pcapng, sections_follow_each_other)
{
	struct capture_info info;
	struct reading r;

	begin(BIG_ENDIAN_FILE);
	interface(f, 1, 0, -1, 0);
	enhanced(f, 0, 1, "first", 5);
	section(f, LITTLE_ENDIAN_FILE);
	interface(f, 113, 0, 9, 0);
	enhanced(f, 0, 2, "second", 6);
	section(f, BIG_ENDIAN_FILE);
	enhanced(f, 0, 3, "third", 5);
	r = read_file_whole(f);
	expect_frame(&r, "first", 1000, 5, 1);
	expect_frame(&r, "second", 2, 6, 113);
	capture_describe(r.capture, &info);
	cr_expect_str_eq(info.link_types, "1 113");
	expect_fault(&r, "an interface that was not described");
}

Test(pcapng, simple_packets_are_of_the_first_interface_without_a_time)
{
	struct reading r;

	begin(LITTLE_ENDIAN_FILE);
	interface(f, 101, 8, -1, 0);
	interface(f, 1, 0, -1, 0);
	simple(f, "first", 5);
	simple(f, "in eight", 1500);
	r = read_file_whole(f);
	expect_frame(&r, "first", 0, 5, 101);
	expect_frame(&r, "in eight", 0, 1500, 101);
	expect_end(&r);
}

/* The block is as long as the captured octets and their padding: how many
 * are padding only the snaplen tells. */
Test(pcapng, a_simple_packet_ends_at_the_snaplen)
{
	struct reading r;

	begin(LITTLE_ENDIAN_FILE);
	interface(f, 1, 5, -1, 0);
	simple(f, "first", 1500);
	r = read_file_whole(f);
	expect_frame(&r, "first", 0, 1500, 1);
	expect_end(&r);
}

Test(pcapng, the_packet_block_of_old_is_read)
{
	struct reading r;

	begin(BIG_ENDIAN_FILE);
	interface(f, 1, 0, -1, 0);
	interface(f, 113, 0, -1, 0);
	obsolete(f, 1, 2000001, "first");
	r = read_file_whole(f);
	expect_frame(&r, "first", 2000001000, 5, 113);
	expect_end(&r);
}

Test(pcapng, blocks_that_nobody_knows_are_passed_over)
{
	struct reading r;

	begin(LITTLE_ENDIAN_FILE);
	other(f, 0x80000001, "");
	interface(f, 1, 0, -1, 0);
	other(f, 5, "interface statistics");
	enhanced(f, 0, 1, "first", 5);
	other(f, 10, "CLIENT_RANDOM secrets");
	other(f, 0xbad, "custom");
	enhanced(f, 0, 2, "second", 6);
	r = read_file_whole(f);
	expect_frame(&r, "first", 1000, 5, 1);
	expect_frame(&r, "second", 2000, 6, 1);
	expect_end(&r);
}

Test(pcapng, options_behind_a_packet_are_no_part_of_it)
{
	struct reading r;
	size_t at;

	begin(BIG_ENDIAN_FILE);
	interface(f, 1, 0, -1, 0);
	at = block_begin(f, 6);
	P32(0);
	P32(0);
	P32(1);
	P32(5);
	P32(5);
	put_octets(f, "first\0\0\0", 8);
	P16(1);
	P16(4);
	put_octets(f, "note", 4);
	P32(0);
	block_end(f, at);
	enhanced(f, 0, 2, "second", 6);
	r = read_file_whole(f);
	expect_frame(&r, "first", 1000, 5, 1);
	expect_frame(&r, "second", 2000, 6, 1);
	expect_end(&r);
}

Test(pcapng, cut_at_any_octet_it_is_read_up_to_there)
{
	size_t ends[3];

	begin(LITTLE_ENDIAN_FILE);
	interface(f, 1, 0, 9, 0);
	enhanced(f, 0, 1, "first", 5);
	ends[0] = f->len;
	other(f, 0xbad, "custom");
	simple(f, "second", 6);
	ends[1] = f->len;
	obsolete(f, 0, 3, "third");
	ends[2] = f->len;
	expect_cut_anywhere(f, 4, ends, 3);
}

Test(pcapng, the_fault_says_where_the_cut_block_begins)
{
	struct reading r;

	begin(LITTLE_ENDIAN_FILE);
	interface(f, 1, 0, -1, 0);
	enhanced(f, 0, 1, "first", 5);
	enhanced(f, 0, 2, "second", 6);
	r = read_octets(f->bytes, f->len - 1);
	expect_frame(&r, "first", 1000, 5, 1);
	expect_fault(&r, "cut at byte 104 (frame 2): read up to there");
}

Test(pcapng, hostile_block_lengths_are_damage)
{
	static const uint32_t lengths[] = { 0, 4, 8, 13, 31, (16 << 20) + 4,
		0x7ffffffc, 0xfffffffc, 0xffffffff };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct reading r;

		begin(LITTLE_ENDIAN_FILE);
		interface(f, 1, 0, -1, 0);
		P32(6);
		P32(lengths[i]);
		put_octets(f, "0123456789abcdef0123456789abcdef", 32);
		r = read_file_whole(f);
		expect_fault(&r, "damaged at byte 64: ");
	}
}

Test(pcapng, packets_longer_than_their_block_are_damage)
{
	static const uint32_t lengths[] = { 9, 262145, 0x7fffffff, 0xffffffe4,
		0xffffffff };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct reading r;
		size_t at;

		begin(LITTLE_ENDIAN_FILE);
		interface(f, 1, 0, -1, 0);
		at = block_begin(f, 6);
		P32(0);
		P32(0);
		P32(0);
		P32(lengths[i]);
		P32(lengths[i]);
		put_octets(f, "8 octets", 8);
		block_end(f, at);
		r = read_file_whole(f);
		expect_fault(&r, "a packet is longer than its block");
	}
}

Test(pcapng, an_interface_that_was_not_described_is_damage)
{
	static const uint32_t ids[] = { 1, 0x7fffffff, 0xffffffff };

	for (size_t i = 0; i < 3; i++) {
		struct reading r;

		begin(LITTLE_ENDIAN_FILE);
		interface(f, 1, 0, -1, 0);
		enhanced(f, ids[i], 1, "first", 5);
		r = read_file_whole(f);
		expect_fault(&r, "not described");
	}
}

/* Resolutions that do not fit, options without an end, stamps that no clock
 * has: the frames are there all the same. */
Test(pcapng, odd_options_and_stamps_do_no_harm)
{
	static const int resolutions[] = { 0x7f, 20, 0xff, 0x80 | 63 };
	struct reading r;
	struct frame frame;
	size_t at;

	begin(LITTLE_ENDIAN_FILE);
	for (int i = 0; i < 4; i++)
		interface(f, 1, 0, resolutions[i], INT64_MIN);
	interface(f, 1, 0, 0, INT64_MAX);
	at = block_begin(f, 1);
	P16(1);
	P16(0);
	P32(0);
	P16(9);
	P16(0xffff);
	block_end(f, at);
	for (uint32_t id = 0; id < 6; id++)
		enhanced(f, id, UINT64_MAX, "frame", 5);
	r = read_file_whole(f);
	for (int i = 0; i < 6; i++)
		cr_expect_eq(capture_next(r.capture, &frame), CAPTURE_FRAME);
	expect_end(&r);
}

Test(pcapng, a_section_without_a_byte_order_is_damage)
{
	struct reading r;

	begin(LITTLE_ENDIAN_FILE);
	f->bytes[8] ^= 1;
	r = read_file_whole(f);
	expect_fault(&r, "a section without byte order");
}

Test(pcapng, a_merged_file_may_have_an_interface_for_each_of_its_parts)
{
	struct reading r;

	begin(LITTLE_ENDIAN_FILE);
	for (int i = 0; i < 1500; i++)
		interface(f, 1, 0, -1, 0);
	enhanced(f, 1499, 1, "first", 5);
	r = read_file_whole(f);
	expect_frame(&r, "first", 1000, 5, 1);
	expect_end(&r);
}
