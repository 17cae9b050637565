"""What a capture file holds, by its own structure: an opinion beside the
program's."""
import gzip
import struct

# Kinds of link that the program promises to read: Ethernet, Linux cooked, raw
# IP, BSD loopback, PPP (LINKTYPE_ values).
LINKS_READ = {0, 1, 9, 12, 14, 50, 101, 104, 108, 113, 228, 229, 276}
SECTION, INTERFACE, OLD_PACKET, SIMPLE, PACKET = 0x0a0d0d0a, 1, 2, 3, 6


class Opinion:
    def __init__(self):
        self.is_capture = False
        self.whole = False		# to the last octet
        self.links = set()		# of frames

    @property
    def readable(self):
        """Can it be read to its end, and is there anything to understand?"""
        return self.is_capture and self.whole and \
            (not self.links or bool(self.links & LINKS_READ))


def order_of(head, magics):
    """'<' or '>', and which of the magic numbers; None: none of them."""
    for order in "<>":
        value = struct.unpack(order + "I", head)[0]
        if value in magics:
            return order, value
    return None


def walk_pcap(octets, order, magic, opinion):
    header = 24 if magic == 0xa1b2cd34 else 16
    if len(octets) < 24:
        return
    link = struct.unpack_from(order + "I", octets, 20)[0] & 0xffff
    at = 24
    while at < len(octets):
        if len(octets) - at < header:
            return
        at += header + struct.unpack_from(order + "I", octets, at + 8)[0]
        if at > len(octets):
            return
        opinion.links.add(link)
    opinion.whole = True


def walk_pcapng(octets, opinion):
    at, order, links = 0, "<", []
    while at < len(octets):
        if len(octets) - at < 12:
            return
        kind = struct.unpack_from(order + "I", octets, at)[0]
        if kind == SECTION:
            order = order_of(octets[at + 8:at + 12], {0x1a2b3c4d})
            if order is None:
                return
            order, links = order[0], []
        size = struct.unpack_from(order + "I", octets, at + 4)[0]
        if size < 12 or size % 4 or at + size > len(octets) or \
                struct.unpack_from(order + "I", octets, at + size - 4)[0] \
                != size:
            return
        if kind == INTERFACE:
            links.append(struct.unpack_from(order + "H", octets, at + 8)[0])
        elif kind in (OLD_PACKET, SIMPLE, PACKET):
            which = 0 if kind == SIMPLE else struct.unpack_from(
                order + ("I" if kind == PACKET else "H"), octets, at + 8)[0]
            if which >= len(links):
                return
            opinion.links.add(links[which])
        at += size
    opinion.whole = True


def opinion_of(path):
    opinion = Opinion()
    with open(path, "rb") as f:
        octets = f.read()
    if octets[:2] == b"\x1f\x8b":
        octets = gzip.decompress(octets)
    if len(octets) < 4:
        return opinion
    pcap = order_of(octets[:4], {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34})
    opinion.is_capture = pcap is not None or octets[:4] == b"\n\r\r\n"
    if pcap is not None:
        walk_pcap(octets, *pcap, opinion)
    elif opinion.is_capture:
        walk_pcapng(octets, opinion)
    return opinion
