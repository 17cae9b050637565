/*
 * probe/capture/fanout.h - the kernel shares an interface's packets out among
 * several sockets (packet(7), PACKET_FANOUT).
 *
 * By the outermost pair of IP addresses, whichever of the two is the sender:
 * both directions of a connection, its fragments, other connections of the
 * same two hosts, and all that passes through a tunnel between two gateways
 * reach one socket, with and without VLAN tags. PACKET_FANOUT_HASH would part
 * connections, and fragments from their first. What is no IP (MPLS, PPPoE)
 * all goes to the first socket.
 */
#ifndef PROBE_CAPTURE_FANOUT_H
#define PROBE_CAPTURE_FANOUT_H

#include <stdint.h>

/* Sockets that are bound to one interface, in order. `key`: which pairs meet
 * is not for outsiders to choose. -1: errno says why not. */
int fanout_join(const int *sockets, unsigned count, uint32_t key);

#endif
