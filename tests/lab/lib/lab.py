"""What a scenario does its work with: clients, servers of a few lines, and
time that passes."""
import contextlib
import glob
import os
import select
import smtplib
import socket
import ssl
import struct
import threading
import time

import daemons
import router
import world
from world import DNS

POLICIES = {
    "example.org": "version: STSv1\r\nmode: enforce\r\n"
                   "mx: mx1.example.org\r\nmax_age: 604800\r\n",
    "promise.example.org": "version: STSv1\r\nmode: enforce\r\n"
                           "mx: mx1.example.org\r\nmax_age: 604800\r\n",
}
MESSAGE = "From: <a@example.net>\r\nTo: <b@%s>\r\nSubject: greetings\r\n" \
    "\r\n%s\r\n"
DAY_NS = 86400 * 10 ** 9


A, MX = 1, 15


def name_of(name):
    return b"".join(bytes([len(l)]) + l.encode()
                    for l in name.split(".")) + b"\0"


def query(name, kind):
    return os.urandom(2) + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0) + \
        name_of(name) + struct.pack("!HH", kind, 1)


def answer(asked, records):
    """RFC 1035 4.1, the question's name pointed to."""
    at, labels = 12, []
    while asked[at]:
        labels.append(asked[at + 1:at + 1 + asked[at]].decode())
        at += 1 + asked[at]
    kind = struct.unpack("!H", asked[at + 1:at + 3])[0]
    found = records(".".join(labels), kind)
    return asked[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0) + \
        asked[12:at + 5] + b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", k, 1, 300, len(d)) + d
            for k, d in found)


def zone(addresses, mx="mx1.example.org"):
    """Records of example.org: its MX and that one's addresses, of which each
    query gets the next."""
    turn = [0]

    def records(name, kind):
        if kind == MX:
            return [(MX, struct.pack("!H", 10) + name_of(mx))]
        turn[0] += 1
        return [(A, socket.inet_aton(
            addresses[(turn[0] - 1) % len(addresses)]))] if kind == A else []
    return records


class Client(smtplib.SMTP):
    """Python's, from an address of namespace `client`."""

    def __init__(self, server, source, helo="relay.example.net", timeout=10):
        self.from_address = source
        super().__init__(server, 25, local_hostname=helo, timeout=timeout)

    def _get_socket(self, host, port, timeout):
        return world.connect("client", self.from_address, host, port,
                             timeout=timeout)


class Lab:
    def __init__(self, forwarder, recorder):
        self.forwarder = forwarder
        self.recorder = recorder

    # --- time and tampering

    def later(self, days=0, seconds=0):
        self.recorder.settle(0.2)
        self.recorder.later_ns += days * DAY_NS + seconds * 10 ** 9

    @contextlib.contextmanager
    def tampered(self, tamper):
        self.forwarder.tamper = tamper
        try:
            yield
            self.recorder.settle()
        finally:
            self.forwarder.tamper = router.honest

    @contextlib.contextmanager
    def proxied(self, script=None, ttl=63, backend=None, **hooks):
        with router.Proxy(self.forwarder, script or router.scripted(**hooks),
                          ttl, backend):
            yield
            self.recorder.settle()

    # --- real clients

    def postfix(self, domain, source="192.0.2.10", quiet=0.5,
                text="Hello."):
        """Hands Postfix a mail and waits until it is silent for `quiet`
        seconds: it tries again after one second."""
        with world.inside("client"):
            s = smtplib.SMTP("127.0.0.1", 10)
        s.sendmail("%s@example.net" % daemons.SENDERS[source],
                   ["b@" + domain], MESSAGE % (domain, text))
        s.quit()
        self._wait(quiet)

    def exim(self, domain, source="192.0.2.10", options=(), quiet=0.3):
        daemons.write("/etc/exim/now.conf", daemons.EXIM_CLIENT
                      .replace("SOURCE", "<; " + source)
                      .replace("begin retry", "\n".join(
                          ["  " + o for o in options] + ["begin retry"])))
        daemons.run("client", "/usr/sbin/exim4", "-C", "/etc/exim/now.conf",
                    "-odi", "-f", "a@example.net", "b@" + domain,
                    text=(MESSAGE % (domain, "Hello.")).replace("\r", ""))
        self._wait(quiet)

    def mail(self, server, source="192.0.2.10", tls=True, domain="example.com",
             helo="relay.example.net", context=None, text="Hello."):
        """smtplib: TLS if it is offered, or `tls` is "anyway"."""
        with Client(server, source, helo) as c:
            c.ehlo()
            if tls == "anyway":
                c.esmtp_features["starttls"] = ""
            if tls and c.has_extn("starttls"):
                c.starttls(context=context or self.context())
                c.ehlo()
            c.sendmail("a@example.net", ["b@" + domain],
                       MESSAGE % (domain, text))

    @staticmethod
    def context(most=None):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if most:
            context.maximum_version = most
        return context

    def ask(self, name, kind, address=DNS, source="192.0.2.10"):
        """One query; what came in answer, in the order of arrival."""
        with world.inside("client"):
            s = socket.socket(world.family(source), socket.SOCK_DGRAM)
        s.bind((source, 0))
        s.settimeout(1)
        s.sendto(query(name, kind), (address, 53))
        answer = s.recv(4096)
        time.sleep(0.1)
        s.close()
        return answer

    def mail_by_dns(self, domain="example.org", source="192.0.2.10",
                    context=None, mx="mx1.example.org"):
        """As an MTA does it: the MX, its address, the mail."""
        self.ask(domain, MX, source=source)
        address = self.ask(mx, A, source=source)[-4:]
        self.mail(socket.inet_ntoa(address), source, domain=domain,
                  context=context or self.context(ssl.TLSVersion.TLSv1_2))

    @contextlib.contextmanager
    def dns(self, records):
        """records(name, kind): a list of (kind, data), for `example.org`."""
        with world.inside("server"):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((DNS, 53))
        s.settimeout(0.1)
        ended = threading.Event()

        def serve():
            while not ended.is_set():
                with contextlib.suppress(OSError):
                    asked, where = s.recvfrom(4096)
                    s.sendto(answer(asked, records), where)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
            self.recorder.settle()
        finally:
            ended.set()
            thread.join()
            s.close()

    def say(self, server, *turns, source="192.0.2.10"):
        """A client that knows its lines: one reply is read before each."""
        s = world.connect("client", source, server)
        line = router.Line(s)
        try:
            for turn in turns:
                line.reply()
                line.send(turn)
            line.reply()
        except (OSError, EOFError):
            pass
        s.close()

    def _wait(self, quiet):
        time.sleep(0.2)
        self.recorder.settle(quiet)

    def forget_mail(self):
        daemons.run("client", "/usr/sbin/postsuper", "-c",
                    "/etc/postfix-client", "-d", "ALL")
        for path in glob.glob(daemons.ROOT + "/var/spool/exim-client/*/*"):
            if os.path.isfile(path):
                os.unlink(path)

    def close(self):
        for name in ("client", "server"):
            daemons.run(name, "/usr/sbin/postfix", "-c",
                        "/etc/postfix-" + name, "stop")

    # --- servers of a few lines

    @contextlib.contextmanager
    def server(self, address, script):
        """script(line) a connection, in a thread."""
        listener = world.listen("server", address)
        ended = threading.Event()

        def serve(s):
            try:
                script(router.Line(s))
            except (OSError, EOFError):
                pass
            s.close()

        def accept():
            while not ended.is_set():
                if select.select([listener], [], [], 0.1)[0]:
                    s = listener.accept()[0]
                    s.settimeout(10)
                    threading.Thread(target=serve, args=(s,)).start()
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield
            self.recorder.settle()
        finally:
            ended.set()
            thread.join()
            listener.close()


def talk(greeting, ehlo, answers=None):
    """A server by its replies: EHLO's, and by verb those that are not the
    usual ones; STARTTLS is followed by TLS where its answer is 220."""
    usual = {"HELO": "250 mx.example.net", "MAIL": "250 2.1.0 Ok",
             "RCPT": "250 2.1.5 Ok", "DATA": "354 Go on", "RSET": "250 Ok",
             "NOOP": "250 Ok", "QUIT": "221 Bye", "EHLO": ehlo}
    usual.update(answers or {})

    def script(line):
        line.send(greeting.encode() + b"\r\n")
        while True:
            said = line.read().split()
            verb = said[0].upper().decode("latin-1") if said else ""
            reply = usual.get(verb, "500 5.5.2 Unknown command")
            if reply is None:
                return
            line.send(reply.encode("latin-1").replace(b"\n", b"\r\n") +
                      b"\r\n")
            if verb == "QUIT":
                return
            if verb == "STARTTLS" and reply.startswith("220"):
                line.tls(server_context("mx3.example.net"), True)
            if verb == "DATA" and reply.startswith("354"):
                while line.read() != b".\r\n":
                    pass
                line.send(b"250 2.0.0 Ok: queued as 5F00\r\n")
    return script


def server_context(name, most=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    folder = daemons.ROOT + "/lab/" + name
    context.load_cert_chain(folder + ".pem", folder + ".key")
    if most:
        context.maximum_version = most
    return context
