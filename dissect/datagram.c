#include "datagram.h"

/* RFC 1071, over a header of whole words. */
static uint16_t
header_sum(const uint8_t *header, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(header[i] << 8 | header[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

size_t
datagram_copy(const struct packet *p, uint8_t *room)
{
	size_t before = (size_t)(p->payload - p->ip);
	size_t captured = before + p->payload_bytes;
	size_t total = before + p->payload_wire_bytes;
	uint16_t sum;

	if (total > DATAGRAM_MAX_BYTES)
		return 0;
	memcpy(room, p->ip, captured);
	if (room[2] == 0 && room[3] == 0) {
		room[2] = (uint8_t)(total >> 8);
		room[3] = (uint8_t)total;
	}
	room[10] = room[11] = 0;
	sum = header_sum(room, (room[0] & 15u) * 4u);
	room[10] = (uint8_t)(sum >> 8);
	room[11] = (uint8_t)sum;
	return captured;
}
