"""Ethernet frames put into tunnels, as routers and mirrors do it.

    for name, tunnel in tunnel.TUNNELS.items():
        frames = [tunnel(frame) for frame in frames]

What a tunnel makes is an IP packet that carries the frame, or the IP packet in
it. What it writes was compared with tshark's reading: tests/run/tunnels.
"""
import ipaddress
import struct

from wire import checksum

GRE, UDP, IPV4, IPV6 = 47, 17, 4, 41
MACS = bytes.fromhex("020000000001020000000002")
ENDS = {4: ("203.0.113.1", "203.0.113.2"),
        6: ("2001:db8:f::1", "2001:db8:f::2")}


def ethertype(packet):
    return 0x86dd if packet[0] >> 4 == 6 else 0x0800


def ip_of(frame):
    """The IP packet in an Ethernet frame, without the frame's padding."""
    packet = frame[14:]
    if packet[0] >> 4 == 6:
        return packet[:40 + struct.unpack_from("!H", packet, 4)[0]]
    return packet[:struct.unpack_from("!H", packet, 2)[0]]


def ip(version, protocol, payload, ident=0, offset=0, more=False):
    ends = b"".join(ipaddress.ip_address(end).packed
                    for end in ENDS[version])
    if version == 6:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol,
                           9) + ends + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident,
                       (0x2000 if more else 0) | offset // 8, 9, protocol,
                       0) + ends
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(port, payload):
    return struct.pack("!HHHH", 49153, port, 8 + len(payload), 0) + payload


def ether(packet):
    """For what is no frame of its own any more."""
    return MACS + struct.pack("!H", ethertype(packet)) + packet


# --- what follows the outer IP header: (protocol, payload)


def ip_in_ip(frame):
    packet = ip_of(frame)
    return (IPV6 if packet[0] >> 4 == 6 else IPV4), packet


def gre(fields=0, bridged=False):
    """`fields`: the bits of checksum (0x8000), key and sequence number."""
    def carry(frame):
        inside = frame if bridged else ip_of(frame)
        body = b""
        if fields & 0x2000:
            body += struct.pack("!I", 7)
        if fields & 0x1000:
            body += struct.pack("!I", 1)
        kind = 0x6558 if bridged else ethertype(inside)
        head = struct.pack("!HH", fields, kind)
        if fields & 0x8000:
            total = checksum(head + bytes(4) + body + inside)
            body = struct.pack("!HH", total, 0) + body
        return GRE, head + body + inside
    return carry


def gre_mpls(frame):
    return GRE, struct.pack("!HHI", 0, 0x8847, 1000 << 12 | 0x140) + \
        ip_of(frame)


def pptp(frame):
    packet = ip_of(frame)
    ppp = struct.pack("!HH", 0xff03, 0x0057 if packet[0] >> 4 == 6
                      else 0x0021) + packet
    return GRE, struct.pack("!HHHHI", 0x3001, 0x880b, len(ppp), 7, 1) + ppp


def erspan_1(frame):
    return GRE, struct.pack("!HH", 0, 0x88be) + frame


def erspan_2(frame):
    return GRE, struct.pack("!HHIHHI", 0x1000, 0x88be, 1, 0x1005, 7,
                            3) + frame


def erspan_3(platform=b""):
    def carry(frame):
        return GRE, struct.pack("!HHIHHIHH", 0x1000, 0x22eb, 1, 0x2005, 7, 3,
                                0, bool(platform)) + platform + frame
    return carry


def vxlan(port):
    def carry(frame):
        return UDP, udp(port, struct.pack("!II", 8 << 24, 7 << 8) + frame)
    return carry


def gpe_next(packet):
    return 2 if packet[0] >> 4 == 6 else 1


def vxlan_gpe(frame):
    packet = ip_of(frame)
    return UDP, udp(4790, struct.pack("!BHBI", 0x0c, 0, gpe_next(packet),
                                      7 << 8) + packet)


def nsh(frame):
    packet = ip_of(frame)
    head = struct.pack("!HBBI", 0x0fc2, 2, gpe_next(packet), 7 << 8 | 255)
    return UDP, udp(4790, struct.pack("!BHBI", 0x0c, 0, 4, 7 << 8) + head +
                    packet)


def geneve(bridged, options=b""):
    def carry(frame):
        inside = frame if bridged else ip_of(frame)
        kind = 0x6558 if bridged else ethertype(inside)
        return UDP, udp(6081, struct.pack(
            "!BBHI", len(options) // 4, 0, kind, 7 << 8) + options + inside)
    return carry


CARRIERS = {
    "IP in IP": ip_in_ip,
    "GRE": gre(),
    "GRE with checksum": gre(0x8000),
    "GRE with key": gre(0x2000),
    "GRE with everything": gre(0xb000),
    "GRE, bridged": gre(bridged=True),
    "NVGRE": gre(0x2000, bridged=True),
    "GRE, MPLS": gre_mpls,
    "PPTP": pptp,
    "ERSPAN I": erspan_1,
    "ERSPAN II": erspan_2,
    "ERSPAN III": erspan_3(),
    "ERSPAN III, platform": erspan_3(b"\x0c" + bytes(7)),
    "VXLAN": vxlan(4789),
    "VXLAN on Linux's port": vxlan(8472),
    "VXLAN-GPE": vxlan_gpe,
    "NSH": nsh,
    "GENEVE": geneve(True),
    "GENEVE, IP, options": geneve(
        False, struct.pack("!HBB8s", 0x0102, 0x80, 2, b"12345678")),
}


def around(version, carrier):
    return lambda frame: ether(ip(version, *carrier(frame)))


TUNNELS = {"%s over IPv%d" % (name, version): around(version, carrier)
           for name, carrier in CARRIERS.items() for version in (4, 6)}


def in_fragments(version, carrier, octets, ident):
    """The frames of the datagram's fragments, `octets` of it in each."""
    def fragments(frame):
        protocol, payload = carrier(frame)
        out = []
        for at in range(0, len(payload), octets):
            part = payload[at:at + octets]
            more = at + octets < len(payload)
            if version == 4:
                out.append(ether(ip(4, protocol, part, ident, at, more)))
            else:
                head = struct.pack("!BBHI", protocol, 0, at | more, ident)
                out.append(ether(ip(6, 44, head + part)))
        return out
    return fragments
