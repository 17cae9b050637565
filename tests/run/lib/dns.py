"""Questions to DNS and their answers, as packets of wire.py.

    dns.ask("example.org", "MX", ["mx1.example.org"])
"""
import ipaddress
import struct

import wire

TYPES = {"A": 1, "MX": 15, "TXT": 16, "AAAA": 28}
NXDOMAIN = 3
RESOLVER = "198.51.100.53"


def name(text):
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in text.split(".")) + b"\0"


def rdata(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "MX":
        return struct.pack("!H", 10) + name(value)
    return bytes([len(value)]) + value.encode()


def messages(asked, kind, values, rcode=0, number=1):
    """The question, and what is answered."""
    question = name(asked) + struct.pack("!HH", TYPES[kind], 1)
    records = b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", TYPES[kind], 1, 300,
                                  len(rdata(kind, value))) +
        rdata(kind, value) for value in values)
    return (struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + question,
            struct.pack("!6H", number, 0x8180 | rcode, 1, len(values), 0,
                        0) + question + records)


def datagram(src, dst, ports, payload, number):
    a, b = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    udp = struct.pack("!4H", *ports, 8 + len(payload), 0) + payload
    packet = bytearray(wire.ip(a, b, udp, number))
    packet[9] = 17  # UDP, and the sum of the header with it
    packet[10:12] = b"\0\0"
    packet[10:12] = struct.pack("!H", wire.checksum(bytes(packet[:20])))
    return bytes(packet)


def ask(asked, kind, values, rcode=0, client="192.0.2.10", resolver=RESOLVER,
        start_ns=wire.START_NS - wire.SECOND, number=1, over_tcp=False):
    """As packets, IPv4; `number` tells one question from another."""
    query, answer = messages(asked, kind, values, rcode, number)
    port = 20000 + number
    if over_tcp:
        return wire.exchange(
            [(True, struct.pack("!H", len(query)) + query),
             (False, struct.pack("!H", len(answer)) + answer)],
            client=client, server=resolver, client_port=port, server_port=53,
            start_ns=start_ns)
    return [(start_ns, True, datagram(client, resolver, (port, 53), query,
                                      number)),
            (start_ns + wire.SECOND // 100, False,
             datagram(resolver, client, (53, port), answer, number))]
