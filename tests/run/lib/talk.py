"""Connections that say what a scenario says, as a capture point sees them.

    talk = Talk(place)
    talk.open().say(SERVER, "220 mx.example.org").say(CLIENT, "EHLO a.test")
    frames = TAPS["VLAN"](talk.packets)

A packet is (time in ns, to_server, IP packet), a frame (time in ns, octets,
octets that were on the wire).
"""
import ipaddress
import random
import struct

import tunnel
import wire

CLIENT, SERVER = True, False		# who speaks: is it to the server?
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MS = 1000000
MSS = 1400


class Place:
    """Who talks to whom: a server of its own for each scenario."""

    def __init__(self, number, version=4, port=25):
        self.number, self.version, self.port = number, version, port
        if version == 6:
            self.server = "2001:db8:25:%x::25" % number
        else:
            self.server = "198.18.%d.%d" % (number >> 8 & 255, number & 255)

    def client(self, host=10, network=0):
        if self.version == 6:
            return "2001:db8:c%x::%x" % (network, host)
        return "%s.%d" % (("192.0.2", "203.0.113", "198.51.100")[network],
                          host)


class Talk:
    """One connection. `at` is in seconds; `helo` is who the client says that
    he is."""

    def __init__(self, place, at=0.0, client=None, client_port=None,
                 helo="relay.example.net", mss=MSS):
        self.ends = [ipaddress.ip_address(client or place.client()),
                     ipaddress.ip_address(place.server)]
        # Each connection has numbers of its own.
        self.ports = [client_port or 20000 + (place.number * 7 + int(at) * 13)
                      % 40009, place.port]
        self.seq = [0x1000 + place.number + int(at) * 77,
                    0x9000 + place.number + int(at) * 99]
        self.now = wire.START_NS + place.number * 600 * wire.SECOND + \
            int(at * wire.SECOND)
        self.helo, self.mss = helo, mss
        self.packets = []

    def wait(self, seconds):
        self.now += int(seconds * wire.SECOND)
        return self

    def segment(self, who, flags, payload=b"", seq=None, copy=False):
        """`copy`: it does not count, somebody else sent it."""
        a, b = (0, 1) if who == CLIENT else (1, 0)
        self.now += 10 * MS
        packet = wire.ip(self.ends[a], self.ends[b], wire.tcp(
            self.ends[a], self.ends[b], (self.ports[a], self.ports[b]),
            self.seq[a] if seq is None else seq,
            self.seq[b] if flags & ACK else 0, flags, payload),
            len(self.packets))
        self.packets.append((self.now, who, packet))
        if not copy:
            self.seq[a] += len(payload) + bool(flags & (SYN | FIN))
        return self

    def open(self):
        self.segment(CLIENT, SYN).segment(SERVER, SYN | ACK)
        return self.segment(CLIENT, ACK)

    def raw(self, who, octets):
        for at in range(0, len(octets), self.mss):
            self.segment(who, ACK | PSH, octets[at:at + self.mss])
        return self

    def say(self, who, *lines):
        return self.raw(who, b"".join(octets_of(line) + b"\r\n"
                                      for line in lines))

    def close(self, first=CLIENT):
        self.segment(first, ACK | FIN).segment(not first, ACK | FIN)
        return self.segment(first, ACK)

    def reset(self, who):
        return self.segment(who, RST | ACK)


def octets_of(line):
    return line if isinstance(line, bytes) else line.encode("latin-1")


# --- TLS, as far as it is in the clear

CLOSE_NOTIFY = bytes(24)


def record(kind, body, version=0x0303):
    return struct.pack("!BHH", kind, version, len(body)) + body


def handshake(kind, body):
    return record(22, struct.pack("!B", kind) +
                  struct.pack("!I", len(body))[1:] + body)


def extension(kind, body):
    return struct.pack("!HH", kind, len(body)) + body


def client_hello(versions=(0x0304, 0x0303), chance=b"\x11" * 32):
    ciphers = struct.pack("!4H", 0x1301, 0x1302, 0xc02f, 0xc030)
    extensions = b"".join((
        extension(43, struct.pack("!B%dH" % len(versions), 2 * len(versions),
                                  *versions))
        if 0x0304 in versions else b"",
        extension(10, struct.pack("!HHH", 4, 29, 23)),
        extension(13, struct.pack("!HHH", 4, 0x0403, 0x0804))))
    return handshake(1, struct.pack("!H", min(0x0303, max(versions))) +
                     chance + b"\0" + struct.pack("!H", len(ciphers)) +
                     ciphers + b"\1\0" +
                     struct.pack("!H", len(extensions)) + extensions)


def server_hello(version=0x0304, end=b"\x22" * 8):
    """`end`: the last octets of its random (RFC 8446 4.1.3)."""
    extensions = extension(43, struct.pack("!H", version)) \
        if version == 0x0304 else b""
    return handshake(2, struct.pack("!H", min(version, 0x0303)) +
                     b"\x22" * 24 + end + b"\0" +
                     struct.pack("!HB", 0x1301 if version == 0x0304 else
                                 0xc02f, 0) +
                     struct.pack("!H", len(extensions)) + extensions)


def alert(description):
    return record(21, bytes((2, description)))


def data(octets):
    return record(23, b"\x5a" * octets)


def begin_tls(talk):
    """To the end of the handshake, TLS 1.3."""
    talk.raw(CLIENT, client_hello())
    talk.raw(SERVER, server_hello() + record(20, b"\1") + data(900))
    return talk.raw(CLIENT, record(20, b"\1") + data(52))


def mail_in_tls(talk):
    begin_tls(talk)
    for asks, answers in ((60, 250), (90, 40), (60, 60), (900, 60), (24, 30)):
        talk.raw(CLIENT, data(asks)).raw(SERVER, data(answers))
    return talk.raw(CLIENT, data(19)).close()


# --- what a capture point does

def ethernet(packets, link=wire.ETHERNET):
    return [(ns, frame, len(frame)) for ns, frame in
            ((ns, link[1](who, packet)) for ns, who, packet in packets)]


def through(link):
    return lambda packets: ethernet(packets, link)


def tunnelled(name):
    return lambda packets: [
        (ns, octets, len(octets)) for ns, octets in
        ((ns, tunnel.TUNNELS[name](frame))
         for ns, frame, _ in ethernet(packets))]


def header_of(packet):
    """Where TCP begins in it, and where its payload does."""
    at = 40 if packet[0] >> 4 == 6 else 20
    return at, at + (packet[at + 12] >> 4) * 4


def has_payload(packet):
    return len(packet) > header_of(packet)[1]


def flags_of(packet):
    return packet[header_of(packet)[0] + 13]


def pieces(packet, sizes):
    """The segment in several, with right sums."""
    at, begin = header_of(packet)
    addresses = (packet[8:40], packet[12:20])[packet[0] >> 4 == 4]
    half = len(addresses) // 2
    src, dst = (ipaddress.ip_address(a) for a in (addresses[:half],
                                                  addresses[half:]))
    ports = struct.unpack_from("!HH", packet, at)
    seq, ack = struct.unpack_from("!II", packet, at + 4)
    payload, flags = packet[begin:], flags_of(packet)
    while payload:
        size = next(sizes)
        yield wire.ip(src, dst, wire.tcp(
            src, dst, ports, seq, ack, flags, payload[:size]), seq & 0xffff)
        seq, payload = seq + size, payload[size:]


def small(packets):
    chance, out = random.Random(1), []

    def sizes():
        while True:
            yield chance.randint(1, 9)
    for ns, who, packet in packets:
        if has_payload(packet):
            out += [(ns + 1000 * n, who, piece)
                    for n, piece in enumerate(pieces(packet, sizes()))]
        else:
            out.append((ns, who, packet))
    return ethernet(out)


def sent_twice(packets):
    """Each with octets comes again 200 ms later: its acknowledgement was
    lost behind the capture point."""
    again = [(ns + 200 * MS, who, packet) for ns, who, packet in packets
             if has_payload(packet)]
    return ethernet(sorted(packets + again, key=lambda p: p[0]))


def swapped(packets):
    """Segments of a few octets, of which each second one overtakes the one
    before it."""
    frames = small(packets)
    out = list(frames)
    for i in range(0, len(out) - 1, 2):
        near = out[i + 1][0] - out[i][0] < MS
        if near:
            out[i], out[i + 1] = (out[i][0],) + out[i + 1][1:], \
                (out[i + 1][0],) + out[i][1:]
    return out


def sent_whole_again(packets):
    """In pieces first, and then, as no acknowledgement came, all at once."""
    out = []
    for ns, who, packet in packets:
        if has_payload(packet):
            out += [(ns + 1000 * n, who, piece) for n, piece in enumerate(
                pieces(packet, iter([1, 30] + [700] * 99)))]
            ns += 5 * MS
        out.append((ns, who, packet))
    return ethernet(out)


def with_options(packets):
    """TCP timestamps, as most hosts send them."""
    out = []
    for ns, who, packet in packets:
        at, begin = header_of(packet)
        tcp = bytearray(packet[at:begin])
        tcp[12] = 8 << 4
        tcp += struct.pack("!BBBBII", 1, 1, 8, 10, ns // MS & 0xffffffff, 7)
        out.append((ns, who, resummed(longer(packet[:at], 12) + bytes(tcp) +
                                      packet[begin:])))
    return ethernet(out)


def longer(header, octets):
    """An IP header, of a packet that is so much longer."""
    head = bytearray(header)
    at = 4 if head[0] >> 4 == 6 else 2
    struct.pack_into("!H", head, at,
                     struct.unpack_from("!H", head, at)[0] + octets)
    if head[0] >> 4 == 4:
        head[10:12] = b"\0\0"
        head[10:12] = struct.pack("!H", wire.checksum(bytes(head)))
    return bytes(head)


def mirrored(packets):
    return [(ns + late, octets, length) for ns, octets, length in
            ethernet(packets) for late in (0, 3000)]


def cut_at(octets):
    return lambda packets: [(ns, frame[:octets], length)
                            for ns, frame, length in ethernet(packets)]


def only(side):
    return lambda packets: ethernet([p for p in packets if p[1] == side])


def without_handshake(packets):
    return ethernet([p for p in packets if not flags_of(p[2]) & SYN])


def without(number, side=None):
    """The capture lost the `number`th packet with octets (of a side)."""
    def tap(packets):
        seen, out = 0, []
        for p in packets:
            if has_payload(p[2]) and side in (None, p[1]):
                seen += 1
                if seen == number:
                    continue
            out.append(p)
        return ethernet(out)
    return tap


def short_of(count):
    """The capture begins with the `count`th packet that has octets."""
    def tap(packets):
        seen = 0
        for i, p in enumerate(packets):
            seen += has_payload(p[2])
            if seen == count:
                return ethernet(packets[i:])
        return []
    return tap


def offloaded(packets):
    """The capture point is the client, whose card makes the sums."""
    out = []
    for ns, who, packet in packets:
        at = header_of(packet)[0] + 16
        if who == CLIENT:
            packet = packet[:at] + b"\x12\x34" + packet[at + 2:]
        out.append((ns, who, packet))
    return ethernet(out)


def coarse(packets):
    """A clock that ticks once a second."""
    return [(ns // wire.SECOND * wire.SECOND, octets, length)
            for ns, octets, length in ethernet(packets)]


def kept_alive(packets):
    """Before each segment but the first its sender repeats one octet that was
    acknowledged, another one than it was (RFC 9293 3.8.4: garbage)."""
    out, last = [], {}
    for ns, who, packet in packets:
        at, begin = header_of(packet)
        if who in last and has_payload(packet):
            probe = bytearray(last[who])
            at = header_of(bytes(probe))[0]
            seq, = struct.unpack_from("!I", probe, at + 4)
            end = seq + len(probe) - header_of(bytes(probe))[1]
            whole = bytes(probe)
            one = next(pieces(whole[:header_of(whole)[1]] + b"\0",
                              iter([1])))
            one = bytearray(one)
            struct.pack_into("!I", one, at + 4, (end - 1) & 0xffffffff)
            out.append((ns - MS, who, resummed(bytes(one))))
        if has_payload(packet):
            last[who] = packet
        out.append((ns, who, packet))
    return ethernet(out)


def resummed(packet):
    at = header_of(packet)[0]
    ends = packet[8:40] if packet[0] >> 4 == 6 else packet[12:20]
    segment = packet[at:at + 16] + b"\0\0" + packet[at + 18:]
    pseudo = ends + struct.pack("!II", len(segment), 6)
    return packet[:at] + segment[:16] + struct.pack(
        "!H", wire.checksum(pseudo + segment)) + segment[18:]


# All is there, in one way or another: what must be found must be.
WHOLE = {
    "plain": ethernet,
    "VLAN": through(wire.LINKS["802.1Q"]),
    "QinQ": through(wire.LINKS["QinQ"]),
    "MPLS": through(wire.LINKS["MPLS"]),
    "PPPoE": through(wire.LINKS["PPPoE"]),
    "small": small,
    "sent-twice": sent_twice,
    "swapped": swapped,
    "sent-whole-again": sent_whole_again,
    "with-options": with_options,
    "mirrored": mirrored,
    "offloaded": offloaded,
    "coarse-clock": coarse,
    "kept-alive": kept_alive,
    "no-handshake": without_handshake,
    "lost-mail": without(5, CLIENT),
}
WHOLE.update((name, tunnelled(name)) for name in tunnel.TUNNELS
             if name.endswith("IPv4"))
# Something is missing that may decide: nothing honest may be called an attack.
PARTIAL = {
    "server-only": only(SERVER),
    "client-only": only(CLIENT),
    "snaplen-54": cut_at(54),
    "snaplen-68": cut_at(68),
    "snaplen-96": cut_at(96),
    "snaplen-128": cut_at(128),
    "from-2": short_of(2), "from-3": short_of(3), "from-4": short_of(4),
    "from-5": short_of(5),
}
PARTIAL.update(("without-%d" % n, without(n)) for n in range(1, 13))
# Of those: the reply to EHLO, the third packet with octets, is all there.
WITH_REPLY = {"server-only", "from-2"} | {
    "without-%d" % n for n in range(1, 13) if n != 3}
