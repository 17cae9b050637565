"""An SMTP dialogue as packets, and packets as capture files.

    packets = wire.converse(wire.GARBLED)
    open("case.pcap", "wb").write(wire.pcap(packets, wire.ETHERNET))

A packet is (time in ns, to_server, IP packet). A link is (link type, function
that puts its header before an IP packet). Only what tests need is here; what
it writes was compared with tshark's reading.
"""
import ipaddress
import struct

START_NS = 1772360102123456000  # 2026-03-01T10:15:02.123456Z
SECOND = 10 ** 9
SYN, ACK, PSH, FIN = 0x02, 0x10, 0x08, 0x01

# --- dialogues: who says it, and the line without CR LF


def dialogue(keyword, domain="example.org"):
    """A mail in clear; `keyword` stands where Postfix puts STARTTLS, None
    leaves the line out."""
    reply = ["250-mx1.example.org", "250-PIPELINING", "250-SIZE 10240000",
             "250-ETRN", "250-" + str(keyword), "250-ENHANCEDSTATUSCODES",
             "250-8BITMIME", "250-DSN", "250-SMTPUTF8", "250 CHUNKING"]
    if keyword is None:
        del reply[4]
    return (["S: 220 mx1.example.org ESMTP Postfix",
             "C: EHLO relay.example.net"] + ["S: " + r for r in reply] +
            ["C: MAIL FROM:<a@example.net>", "S: 250 2.1.0 Ok",
             "C: RCPT TO:<b@%s>" % domain, "S: 250 2.1.5 Ok",
             "C: DATA", "S: 354 End data with <CR><LF>.<CR><LF>",
             "C: Subject: greetings", "C: ", "C: Hello.", "C: .",
             "S: 250 2.0.0 Ok: queued as 4F1A2B3C4D",
             "C: QUIT", "S: 221 2.0.0 Bye"])


GARBLED = dialogue("XXXXXXXX")
CLEAN = dialogue("STARTTLS")


def turns(lines):
    """Consecutive lines of one side go together: (to_server, bytes)."""
    joined = []
    for line in lines:
        to_server = line.startswith("C: ")
        octets = line[3:].encode("latin-1") + b"\r\n"
        if joined and joined[-1][0] == to_server:
            joined[-1] = (to_server, joined[-1][1] + octets)
        else:
            joined.append((to_server, octets))
    return joined


# --- TCP over IP


def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def tcp(src, dst, ports, seq, ack, flags, payload=b""):
    head = struct.pack("!HHIIBBHHH", *ports, seq & 0xffffffff,
                       ack & 0xffffffff, 5 << 4, flags, 64240, 0, 0)
    pseudo = src.packed + dst.packed + struct.pack(
        "!II", len(head) + len(payload), 6)
    total = checksum(pseudo + head + payload)
    return head[:16] + struct.pack("!H", total) + head[18:] + payload


def ip(src, dst, segment, number):
    if src.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(segment), 6, 64) + \
            src.packed + dst.packed + segment
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment),
                       number & 0xffff, 0x4000, 64, 6, 0)
    head += src.packed + dst.packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + segment


def exchange(said, client="192.0.2.10", server="198.51.100.25",
             client_port=40112, server_port=25, start_ns=START_NS,
             isn=(1000, 5000)):
    """The whole connection, one packet a turn, 10 ms apart. `said` are turns:
    (to_server, octets)."""
    ends = [ipaddress.ip_address(client), ipaddress.ip_address(server)]
    ports = [client_port, server_port]
    seq = list(isn)
    packets = []

    def send(to_server, flags, payload=b""):
        a, b = (0, 1) if to_server else (1, 0)
        ack = seq[b] if flags & ACK else 0
        segment = tcp(ends[a], ends[b], (ports[a], ports[b]), seq[a], ack,
                      flags, payload)
        packets.append((start_ns + len(packets) * SECOND // 100, to_server,
                        ip(ends[a], ends[b], segment, len(packets))))
        seq[a] += len(payload) + bool(flags & (SYN | FIN))

    send(True, SYN)
    send(False, SYN | ACK)
    send(True, ACK)
    for to_server, octets in said:
        send(to_server, PSH | ACK, octets)
    send(True, FIN | ACK)
    send(False, FIN | ACK)
    send(True, ACK)
    return packets


def converse(lines, **more):
    """The same of lines, each with who says it."""
    return exchange(turns(lines), **more)


# --- links: (link type, header(to_server, IP packet) -> frame)


def ethertype(packet):
    return 0x86dd if packet[0] >> 4 == 6 else 0x0800


def macs(to_server):
    ends = [bytes.fromhex("02000000000a"), bytes.fromhex("020000000019")]
    return ends[1] + ends[0] if to_server else ends[0] + ends[1]


def tagged(*tags):
    """Ethernet with (TPID, VLAN) tags, outermost first."""
    def frame(to_server, packet):
        head = macs(to_server)
        for tpid, vlan in tags:
            head += struct.pack("!HH", tpid, vlan)
        return head + struct.pack("!H", ethertype(packet)) + packet
    return 1, frame


def mpls(*labels):
    def frame(to_server, packet):
        head = macs(to_server) + struct.pack("!H", 0x8847)
        for i, label in enumerate(labels):
            bottom = i == len(labels) - 1
            head += struct.pack("!I", label << 12 | bottom << 8 | 64)
        return head + packet
    return 1, frame


def pppoe(to_server, packet):
    protocol = 0x0057 if packet[0] >> 4 == 6 else 0x0021
    return macs(to_server) + struct.pack(
        "!HBBHHH", 0x8864, 0x11, 0, 7, len(packet) + 2, protocol) + packet


def cooked_v1(to_server, packet):
    return struct.pack("!HHH8sH", 4 if to_server else 0, 1, 6,
                       macs(to_server)[6:] + b"\0\0",
                       ethertype(packet)) + packet


def cooked_v2(to_server, packet):
    return struct.pack("!HHIHBB8s", ethertype(packet), 0, 2, 1,
                       4 if to_server else 0, 6,
                       macs(to_server)[6:] + b"\0\0") + packet


def raw(to_server, packet):
    return packet


def loopback(order, inet6=30):
    """BSD loopback: the address family in its writer's byte order."""
    def frame(to_server, packet):
        family = inet6 if packet[0] >> 4 == 6 else 2
        return struct.pack(order + "I", family) + packet
    return frame


ETHERNET = tagged()
AS_THEY_ARE = (1, raw)  # frames, not IP packets
LINKS = {
    "Ethernet": ETHERNET,
    "802.1Q": tagged((0x8100, 7)),
    "QinQ": tagged((0x88a8, 7), (0x8100, 9)),
    "QinQ by 0x8100 twice": tagged((0x8100, 7), (0x8100, 9)),
    "MPLS": mpls(1000),
    "MPLS, three labels": mpls(1000, 2000, 16),
    "PPPoE": (1, pppoe),
    "Linux cooked v1": (113, cooked_v1),
    "Linux cooked v2": (276, cooked_v2),
    "raw IP": (101, raw),
    "raw IP as 12": (12, raw),
    "BSD loopback, little-endian": (0, loopback("<")),
    "BSD loopback, big-endian": (0, loopback(">")),
    "OpenBSD loopback": (108, loopback(">", 24)),
}

# --- files


def attack(number, **more):
    """A session that no other number has: its client's address and port, and
    its frames."""
    client = ("192.0.2.%d" % (1 + number % 250),
              1024 + number // 250 % 60000)
    packets = converse(GARBLED, client=client[0], client_port=client[1],
                       isn=(number * 7 + 1, number * 11 + 5), **more)
    return client, [ETHERNET[1](to_server, packet)
                    for _, to_server, packet in packets]


def pcap(packets, link=ETHERNET, order="<", nanoseconds=False,
         snaplen=262144):
    unit = 1 if nanoseconds else 1000
    out = bytearray(struct.pack(
        order + "IHHIIII", 0xa1b23c4d if nanoseconds else 0xa1b2c3d4, 2, 4, 0,
        0, snaplen, link[0]))
    for time_ns, to_server, packet in packets:
        frame = link[1](to_server, packet)
        cut = frame[:snaplen]
        out += struct.pack(order + "IIII", time_ns // SECOND,
                           time_ns % SECOND // unit, len(cut), len(frame))
        out += cut
    return bytes(out)


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    total = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + total + body + total


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + \
        b"\0" * (-len(value) % 4)


def section(order="<"):
    return block(order, 0x0a0d0d0a, struct.pack(
        order + "IHHq", 0x1a2b3c4d, 1, 0, -1))


def interface(order="<", link_type=1, resolution=None, snaplen=0):
    """`resolution` as if_tsresol writes it: 9, or 0x80 | n for 2^-n."""
    body = struct.pack(order + "HHI", link_type, 0, snaplen)
    if resolution is not None:
        body += option(order, 9, bytes([resolution]))
        body += option(order, 0, b"")
    return block(order, 1, body)


def enhanced(order, number, ticks, frame):
    return block(order, 6, struct.pack(
        order + "IIIII", number, ticks >> 32, ticks & 0xffffffff, len(frame),
        len(frame)) + frame)


def simple(order, frame):
    return block(order, 3, struct.pack(order + "I", len(frame)) + frame)


def units(resolution):
    if resolution is None:
        return 10 ** 6
    if resolution & 0x80:
        return 1 << (resolution & 0x7f)
    return 10 ** resolution


def pcapng(packets, link=ETHERNET, order="<", resolution=None):
    out = bytearray(section(order) + interface(order, link[0], resolution))
    for time_ns, to_server, packet in packets:
        ticks = -(-time_ns * units(resolution) // SECOND)
        out += enhanced(order, 0, ticks, link[1](to_server, packet))
    return bytes(out)
