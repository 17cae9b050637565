"""SMTP dialogues as captures: what was said goes in, frames come out.

Ethernet, IPv4, right sums, one segment a saying. Enough for a test that is
about dialogues; what packets may do to one is other tests' business.
"""
import ipaddress
import struct

import wire
from wire import ACK, FIN, PSH, SYN

MTU_PAYLOAD = 1400
CLIENT, SERVER = 0, 1
START = 1767225600.0		# 2026-01-01


def ip_frame(src, dst, payload, ident, offset=0, more=False, ttl=64):
    """An IPv4 packet of protocol TCP, or a fragment of one, on Ethernet."""
    flags = (0x2000 if more else 0) | offset // 8
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident,
                         flags, ttl, 6, 0, src, dst)
    header = header[:10] + struct.pack("!H", wire.checksum(header)) + \
        header[12:]
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0" + header + payload


class Dialogue:
    """One connection; `frames` are (time, octets)."""

    def __init__(self, number, client=b"\xc0\0\2\x0a", server=None, start=None,
                 step=0.01):
        self.ends = (client, server or
                     b"\xc6\x12" + struct.pack("!H", number))
        self.ports = (10000 + number % 50000, 25)
        self.seq = [1000 + number, 9000 + number]
        self.time = START + number if start is None else start
        self.step = step
        self.spoiled = False	# payloads get a wrong sum from here on
        self.payload = MTU_PAYLOAD	# octets of a segment
        self.ttl = 64		# of the server's packets
        self.frames = []

    def segment(self, who, flags, data=b""):
        ends = [ipaddress.ip_address(self.ends[side])
                for side in (who, 1 - who)]
        octets = wire.tcp(*ends, (self.ports[who], self.ports[1 - who]),
                          self.seq[who],
                          self.seq[1 - who] if flags & ACK else 0, flags, data)
        if self.spoiled and data:
            octets = octets[:16] + bytes(o ^ 0x55 for o in octets[16:18]) + \
                octets[18:]
        self.time += self.step
        self.frames.append((self.time, ip_frame(
            self.ends[who], self.ends[1 - who], octets, len(self.frames),
            ttl=self.ttl if who == SERVER else 64)))
        self.seq[who] += len(data) + bool(flags & (SYN | FIN))

    def open(self):
        self.segment(CLIENT, SYN)
        self.segment(SERVER, SYN | ACK)
        self.segment(CLIENT, ACK)
        return self

    def say(self, who, *lines):
        data = b"".join(line + b"\r\n" for line in lines)
        for at in range(0, len(data), self.payload):
            self.segment(who, ACK | PSH, data[at:at + self.payload])
        return self

    def raw(self, who, octets):
        self.segment(who, ACK | PSH, octets)
        return self

    def mail(self, body=b"Subject: test\r\n\r\ntest"):
        for command, answer in ((b"MAIL FROM:<a@example.net>", b"250 ok"),
                                (b"RCPT TO:<b@example.test>", b"250 ok"),
                                (b"DATA", b"354 go on"),
                                (body + b"\r\n.", b"250 ok"),
                                (b"QUIT", b"221 bye")):
            self.say(CLIENT, command).say(SERVER, answer)
        return self

    def starttls(self):
        """STARTTLS, accepted; then the first records of a handshake."""
        self.say(CLIENT, b"STARTTLS").say(SERVER, b"220 go ahead")
        self.raw(CLIENT, bytes.fromhex("16030100050100000100"))
        self.raw(SERVER, bytes.fromhex("16030300050200000100"))
        return self

    def close(self):
        self.segment(CLIENT, ACK | FIN)
        self.segment(SERVER, ACK | FIN)
        self.segment(CLIENT, ACK)
        return self


def write_pcap(path, frames, snaplen=262144):
    """`frames` in the order of their times."""
    packets = [(round(time * 10 ** 6) * 1000, None, octets)
               for time, octets in sorted(frames, key=lambda frame: frame[0])]
    with open(path, "wb") as out:
        out.write(wire.pcap(packets, wire.AS_THEY_ARE, snaplen=snaplen))
