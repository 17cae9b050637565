/*
 * dissect/datagram.h - the IPv4 packet that a segment or fragment came in, for
 * a reader that insists on its header.
 */
#ifndef DISSECT_DATAGRAM_H
#define DISSECT_DATAGRAM_H

#include "packet.h"

/*
 * Copies it into room for DATAGRAM_MAX_BYTES, with a header that is as the
 * native engine takes it: a total length of 0 (segmentation offload) becomes
 * the real one, and the header's sum is right. Returns how much of it was
 * captured; 0: it is longer than a datagram can be.
 */
size_t datagram_copy(const struct packet *, uint8_t *room);

#endif
