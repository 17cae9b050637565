"""The router in the middle, and what an attacker on it does.

Forwarder hands packets on, one hop further, and lets a tamper change them;
Proxy ends each connection and makes its own to the server, under the client's
address, which changes lengths without a trace in sequence numbers.
"""
import select
import socket
import ssl
import struct
import threading

import world

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TLS_HANDSHAKE, TLS_DATA = 22, 23
DNS_OCTETS = socket.inet_aton(world.DNS)


def total(octets):
    if len(octets) % 2:
        octets += b"\0"
    n = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return n ^ 0xffff


class Packet:
    """A frame with IP in it. Of TCP the parts, of others only `rest`."""

    def __init__(self, frame):
        self.head = frame[:14]
        v6 = frame[12:14] == b"\x86\xdd"
        self.v6 = v6
        self.ip_bytes = 40 if v6 else (frame[14] & 15) * 4
        self.ip = bytearray(frame[14:14 + self.ip_bytes])
        end = 14 + (40 + struct.unpack("!H", self.ip[4:6])[0] if v6 else
                    struct.unpack("!H", self.ip[2:4])[0])
        self.rest = bytes(frame[14 + self.ip_bytes:end])
        self.is_tcp = self.ip[6 if v6 else 9] == 6
        self.payload = b""
        if not self.is_tcp:
            return
        self.tcp = bytearray(self.rest[:(self.rest[12] >> 4) * 4])
        self.payload = self.rest[len(self.tcp):]
        self.sport, self.dport, self.seq, self.ack = struct.unpack(
            "!HHII", self.tcp[:12])
        self.flags = self.tcp[13]

    @property
    def to_server(self):
        return self.is_tcp and self.dport == 25

    def one_hop(self):
        self.ip[7 if self.v6 else 8] -= 1

    def frame(self):
        if self.is_tcp:
            struct.pack_into("!II", self.tcp, 4, self.seq & 0xffffffff,
                             self.ack & 0xffffffff)
            self.tcp[13] = self.flags
            self.tcp[16:18] = b"\0\0"
            body = bytes(self.tcp) + self.payload
            ends = self.ip[8:40] if self.v6 else self.ip[12:20]
            sum_ = total(bytes(ends) + struct.pack("!II", len(body), 6) + body)
            body = body[:16] + struct.pack("!H", sum_) + body[18:]
        else:
            body = self.rest
        if self.v6:
            struct.pack_into("!H", self.ip, 4, len(body))
        else:
            struct.pack_into("!H", self.ip, 2, self.ip_bytes + len(body))
            self.ip[10:12] = b"\0\0"
            struct.pack_into("!H", self.ip, 10, total(bytes(self.ip)))
        return self.head + bytes(self.ip) + body

    def copy(self):
        return Packet(self.frame())

    def reset(self, ttl=None):
        """The RST that its sender would send in its stead."""
        p = self.copy()
        p.tcp = bytearray(p.tcp[:20])
        p.tcp[12] = 5 << 4
        p.payload = b""
        p.flags = RST
        p.ack = 0
        if ttl:
            p.ip[7 if p.v6 else 8] = ttl
        return p

    def answer(self):
        """From its receiver's end: the same flow, the other way."""
        p = self.reset()
        p.head = self.head[6:12] + self.head[:6] + self.head[12:]
        a, b, n = (8, 24, 16) if p.v6 else (12, 16, 4)
        p.ip[a:a + n], p.ip[b:b + n] = self.ip[b:b + n], self.ip[a:a + n]
        p.tcp[0:4] = struct.pack("!HH", self.dport, self.sport)
        p.sport, p.dport = self.dport, self.sport
        p.seq, p.ack = self.ack, 0
        return p


def udp(packet, payload):
    """The datagram of `packet` with another payload."""
    head = packet.rest[:4] + struct.pack("!HH", 8 + len(payload), 0)
    sum_ = total(bytes(packet.ip[12:20]) +
                 struct.pack("!BBH", 0, 17, 8 + len(payload)) + head + payload)
    return head[:6] + struct.pack("!H", sum_ or 0xffff) + payload


def of_dns(frame):
    """To or from the DNS server, which no proxy stands in for; its ARP too."""
    at = 28 if frame[12:14] == b"\x08\x06" else 26
    return frame[12:13] == b"\x08" and \
        DNS_OCTETS in (frame[at:at + 4], frame[at + 4:at + 8],
                       frame[at + 10:at + 14])


class Forwarder:
    """tamper(packet) returns the packets to send in its stead, in order.
    Paused, it hands on nothing but DNS: a Proxy stands in its place."""

    def __init__(self):
        self.tamper = None
        self.ends = {world.packet_socket("near", "near0"): None,
                     world.packet_socket("far", "far0"): None}
        a, b = self.ends
        self.ends = {a: b, b: a}
        self.ended = threading.Event()
        self.paused = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.ended.is_set():
            for s in select.select(list(self.ends), [], [], 0.1)[0]:
                frame, where = s.recvfrom(65536)
                if where[2] != world.PACKET_OUTGOING and \
                        (not self.paused.is_set() or of_dns(frame)):
                    self._forward(frame, s)

    def _forward(self, frame, came):
        out = self.ends[came]
        if frame[12:14] not in (b"\x08\0", b"\x86\xdd") or \
                (frame[12] == 0x86 and frame[20] == 58):
            out.send(frame)
            return
        packet = Packet(frame)
        packet.one_hop()
        tampered = self.tamper(packet) if self.tamper else [packet]
        for p in tampered:
            back = packet.is_tcp and p.sport != packet.sport
            (came if back else out).send(p.frame())

    def close(self):
        self.ended.set()
        self.thread.join()
        for s in self.ends:
            s.close()


# --- tampers: functions of a packet ------------------------------------------


def honest(packet):
    return [packet]


def overwrite(old, new, to_server=False, once=False):
    """In place. Equal lengths."""
    assert len(old) == len(new), (old, new)
    done = []

    def tamper(p):
        if p.to_server == to_server and old in p.payload and \
                not (once and done):
            done.append(1)
            p.payload = p.payload.replace(old, new)
        return [p]
    return tamper


def both(*tampers):
    def tamper(p):
        out = [p]
        for t in tampers:
            out = [r for q in out for r in t(q)]
        return out
    return tamper


def race(old, new):
    """A forged copy first, then the genuine one."""
    def tamper(p):
        if p.to_server or old not in p.payload:
            return [p]
        forged = p.copy()
        forged.payload = p.payload.replace(old, new)
        return [forged, p]
    return tamper


def starts_tls(p):
    return p.to_server and p.payload[:1] == bytes([TLS_HANDSHAKE])


def cut(when, ttl=None, to_both=True):
    """A reset in the name of the sender, and one in its peer's."""
    def tamper(p):
        if not when(p):
            return [p]
        back = p.answer()
        return ([p.reset(ttl)] if to_both else []) + [back]
    return tamper


def finish(when):
    """Both sides are told that the other one closes."""
    def tamper(p):
        if not when(p):
            return [p]
        back = p.answer()
        back.flags = FIN | ACK
        back.ack = p.seq
        return [back]
    return tamper


def swallow(when):
    """From the first packet for which `when` holds, nothing of its flow
    passes."""
    gone = set()

    def tamper(p):
        flow = p.sport if p.to_server else p.dport
        if when(p):
            gone.add(flow)
        return [] if flow in gone else [p]
    return tamper


def older_hello(extension=b"\x00\x2b"):
    """supported_versions becomes an extension that nobody knows, and a client
    of TLS 1.3 looks like one of 1.2."""
    def tamper(p):
        if starts_tls(p):
            at = p.payload.find(extension + b"\x00")
            while at >= 0 and p.payload[at + 5:at + 6] != b"\x03":
                at = p.payload.find(extension + b"\x00", at + 1)
            if at >= 0:
                p.payload = p.payload[:at] + b"\x7a\x7a" + p.payload[at + 2:]
        return [p]
    return tamper


# --- the proxy ----------------------------------------------------------------


class Proxy:
    """`script(client, server)`: two Line objects, in a thread a connection.
    `backend(address)`: the server to ask in its stead. Ends with the `with`."""

    def __init__(self, forwarder, script, ttl=63, backend=None):
        self.forwarder = forwarder
        self.script = script
        self.ttl = ttl
        self.backend = backend or (lambda server: server)
        self.servers = [a for a in world.SERVERS if a != world.DNS]

    def __enter__(self):
        self.forwarder.paused.set()
        world.give("near", "near0", self.servers, ())
        world.give("far", "far0", world.CLIENTS, ())
        self.ended = threading.Event()
        self.listeners = [world.listen("near", a) for a in self.servers]
        for s in self.listeners:
            world.set_ttl(s, self.ttl)
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()
        return self

    def __exit__(self, *ignored):
        self.ended.set()
        for t in self.threads:
            t.join()
        for s in self.listeners:
            s.close()
        world.take("near", "near0", self.servers)
        world.take("far", "far0", world.CLIENTS)
        self.forwarder.paused.clear()

    def _accept(self):
        while not self.ended.is_set():
            for s in select.select(self.listeners, [], [], 0.1)[0]:
                client, address = s.accept()
                client.settimeout(15)
                thread = threading.Thread(target=self._serve,
                                          args=(client, address[0]))
                self.threads.append(thread)
                thread.start()

    def _serve(self, client, address):
        server = None
        try:
            server = world.connect("far", address,
                                   self.backend(client.getsockname()[0]),
                                   ttl=self.ttl, timeout=15)
            self.script(Line(client), Line(server))
        except (OSError, EOFError):
            pass
        finally:
            for s in (client, server):
                if s is not None:
                    s.close()


class Line:
    """One end of a connection, line by line."""

    def __init__(self, s):
        self.socket = s
        self.buffer = b""

    def read(self):
        while b"\n" not in self.buffer:
            octets = self.socket.recv(65536)
            if not octets:
                raise EOFError
            self.buffer += octets
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line + b"\n"

    def reply(self):
        """A whole reply, all lines in one."""
        lines = [self.read()]
        while lines[-1][3:4] == b"-":
            lines.append(self.read())
        return b"".join(lines)

    def send(self, octets):
        self.socket.sendall(octets)

    def tls(self, context, server_side):
        self.socket = context.wrap_socket(self.socket,
                                          server_side=server_side)
        self.buffer = b""


def pump(client, server):
    """Everything, both ways, until both have closed: Exim closes its side as
    soon as it has said QUIT, ahead of the replies."""
    for a, b in ((client, server), (server, client)):
        if a.buffer:
            b.send(a.buffer)
            a.buffer = b""
    ends = {client.socket: server.socket, server.socket: client.socket}
    talking = list(ends)
    while talking:
        ready = [s for s in talking if isinstance(s, ssl.SSLSocket) and
                 s.pending()] or select.select(talking, [], [], 20)[0]
        if not ready:
            return
        for s in ready:
            octets = s.recv(65536)
            if octets:
                ends[s].sendall(octets)
                continue
            talking.remove(s)
            if isinstance(ends[s], ssl.SSLSocket):
                return
            ends[s].shutdown(socket.SHUT_WR)


def scripted(reply=None, command=None):
    """The negotiation passes line by line. reply(verb, text) returns the reply
    to hand on; command(verb, line) what the server gets instead, or a reply
    for the client (a `str`), and the server gets nothing. Either may raise
    EOFError: both ends are closed."""
    def script(client, server):
        text = server.reply()
        client.send(reply(b"", text) if reply else text)
        while True:
            line = client.read()
            verb = line.split()[0].upper() if line.split() else b""
            sent = command(verb, line) if command else line
            if isinstance(sent, str):
                client.send(sent.encode())
                continue
            server.send(sent)
            if verb in (b"MAIL", b"QUIT"):
                return pump(client, server)
            text = server.reply()
            client.send(reply(verb, text) if reply else text)
            if verb == b"STARTTLS" and text[:3] == b"220":
                return pump(client, server)
    return script


def strip(verb, text):
    """The reply without STARTTLS."""
    lines = [l for l in text.splitlines(True) if b"STARTTLS" not in l.upper()]
    lines[-1] = lines[-1][:3] + b" " + lines[-1][4:]
    return b"".join(lines)
