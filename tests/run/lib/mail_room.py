"""A client, a server and a wire between them, in network namespaces of their
own: what `watch` is held against while it runs.

The server is scripted line by line, so that a test decides what a session has
come to when it looks.
"""
import os
import shutil
import socket
import subprocess
import threading

CLIENT, SERVER = "192.0.2.10", "198.51.100.25"
GREETING = b"220 mx.example.org ESMTP Postfix\r\n"
OFFER = (b"250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n"
         b"250-ETRN\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n"
         b"250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n")
# As a Cisco firewall's ESMTP inspection leaves it.
MASKED = OFFER.replace(b"250-STARTTLS", b"250-XXXXXXXA")
CLONE_NEWNET = getattr(os, "CLONE_NEWNET", 0x40000000)


def can_be_made():
    """Network namespaces take root, and iproute2."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = "slprobe%d" % os.getpid()
    made = subprocess.run(["ip", "netns", "add", name],
                          capture_output=True).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", name], check=True)
    return made


def ip(*args):
    subprocess.run(["ip", *args], check=True, capture_output=True)


class Room:
    def __enter__(self):
        self.client = "slc%d" % os.getpid()
        self.server = "sls%d" % os.getpid()
        ip("netns", "add", self.client)
        ip("netns", "add", self.server)
        self.wire()
        return self

    def wire(self):
        """Both ends of the wire, and the way from one to the other."""
        ip("-n", self.client, "link", "add", "wire0", "type", "veth", "peer",
           "name", "wire1", "netns", self.server)
        for space, link, own, other in (
                (self.client, "wire0", CLIENT, SERVER),
                (self.server, "wire1", SERVER, CLIENT)):
            ip("-n", space, "addr", "add", own + "/32", "dev", link)
            ip("-n", space, "link", "set", link, "up")
            ip("-n", space, "link", "set", "lo", "up")
            ip("-n", space, "route", "add", other + "/32", "dev", link)

    def unwire(self):
        ip("-n", self.client, "link", "del", "wire0")

    def set_link(self, state):
        ip("-n", self.server, "link", "set", "wire1", state)
        if state == "up":
            ip("-n", self.server, "route", "replace", CLIENT + "/32", "dev",
               "wire1")

    def __exit__(self, *_):
        for space in (self.client, self.server):
            subprocess.run(["ip", "netns", "del", space],
                           capture_output=True)

    def inside(self, space, make):
        """What `make` returns, made in that namespace: sockets stay there."""
        result = []

        def work():
            with open("/run/netns/" + space) as where:
                enter(where.fileno())
            try:
                result.append(make())
            except OSError as error:
                result.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if isinstance(result[0], OSError):
            raise result[0]
        return result[0]

    def listen(self):
        return self.inside(self.server, lambda: socket.create_server(
            (SERVER, 25), backlog=64))

    def session(self, listener):
        return Session(self, listener)


def enter(descriptor):
    """setns(2), for the thread that calls; Python has it since 3.12."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Session:
    """One connection, both ends of it in the test's hands."""

    def __init__(self, room, listener):
        self.client = room.inside(room.client, lambda: socket.create_connection(
            (SERVER, 25), timeout=10, source_address=(CLIENT, 0)))
        self.server, _ = listener.accept()
        for end in (self.client, self.server):
            end.settimeout(10)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = self.client.getsockname()[1]

    def say(self, sender, receiver, text):
        """Sent, and there: the next line never overtakes it."""
        sender.sendall(text)
        left = len(text)
        while left > 0:
            left -= len(receiver.recv(left))

    def serve(self, text):
        self.say(self.server, self.client, text)

    def ask(self, text, reply=None):
        self.say(self.client, self.server, text)
        if reply is not None:
            self.serve(reply)

    def greet(self, offer=OFFER):
        self.serve(GREETING)
        self.ask(b"EHLO relay.example.net\r\n", offer)

    def mail(self, sender=b"a@example.net", to=b"b@example.org",
             body=b"Subject: x\r\n\r\nx\r\n"):
        self.ask(b"MAIL FROM:<" + sender + b">\r\n", b"250 2.1.0 Ok\r\n")
        self.ask(b"RCPT TO:<" + to + b">\r\n", b"250 2.1.5 Ok\r\n")
        self.ask(b"DATA\r\n", b"354 End data with <CR><LF>.<CR><LF>\r\n")
        self.ask(body + b".\r\n", b"250 2.0.0 Ok: queued as 4XYZ\r\n")

    def quit(self):
        self.ask(b"QUIT\r\n", b"221 2.0.0 Bye\r\n")
        self.close()

    def close(self):
        self.server.close()
        self.client.close()
