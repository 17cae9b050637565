"""A small Internet on loopback: a DNS server with signed zones, and an HTTPS
server with a private CA, that tells whoever asks what a test wants it to.

Real servers: nsd with zones signed by ldns-signzone, and Python's ssl with
certificates by openssl. Stopped by their own process and thread.
"""
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings

import program

TOOLS = ("nsd", "ldns-keygen", "ldns-signzone", "ldns-key2ds", "openssl")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
STARTS_WITHIN_SECONDS = 30

POLICY = "version: STSv1\r\nmode: %s\r\nmx: %s\r\nmax_age: %d\r\n"


def need_tools():
    for tool in TOOLS:
        if not shutil.which(tool, path=PATH):
            print("skipped: %s is not installed" % tool)
            sys.exit(program.SKIPPED)


def run(*args, cwd, text=None):
    done = subprocess.run(args, cwd=cwd, input=text, capture_output=True,
                          text=True, timeout=60, env={**os.environ,
                                                      "PATH": PATH})
    if done.returncode != 0:
        raise AssertionError((args, done.stdout, done.stderr))
    return done.stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Zones:
    """nsd. `example.` is signed; zones below it as they are asked for."""

    def __init__(self, folder, port=None):
        self.folder = folder
        self.port = port or free_port()
        self.process = None
        self.keys = {}
        self.names = []
        self.missing = ()

    def key(self, zone):
        if zone not in self.keys:
            self.keys[zone] = run("ldns-keygen", "-a", "ECDSAP256SHA256",
                                  "-k", zone, cwd=self.folder).strip()
        return self.keys[zone]

    def ds(self, zone):
        return run("ldns-key2ds", "-n", "-2", self.key(zone) + ".key",
                   cwd=self.folder)

    def write(self, zone, records, signed=True):
        name = os.path.join(self.folder, zone + "zone")
        with open(name, "w") as f:
            f.write("$ORIGIN %s\n$TTL 60\n@ SOA ns.example. x.example. %d "
                    "3600 600 86400 60\n@ NS ns.example.\n%s\n" %
                    (zone, int(time.time() * 10) % 2**31, records))
        if signed:
            run("ldns-signzone", "-f", name + ".out", name, self.key(zone),
                cwd=self.folder)
            os.replace(name + ".out", name)
        if zone not in self.names:
            self.names.append(zone)

    def damage(self, zone, old, new):
        """After signing: what validates no more."""
        name = os.path.join(self.folder, zone + "zone")
        with open(name) as f:
            text = f.read()
        assert old in text
        with open(name, "w") as f:
            f.write(text.replace(old, new))

    def start(self):
        """Zones that are `missing` are the server's, and it has them not."""
        with open(os.path.join(self.folder, "nsd.conf"), "w") as f:
            f.write("server:\n" + "".join(
                "  %s\n" % line for line in (
                    "ip-address: 127.0.0.1@%d" % self.port,
                    "port: %d" % self.port, "server-count: 1",
                    "do-ip6: no", 'username: ""',
                    "chroot: \"\"", "database: \"\"",
                    'zonesdir: "%s"' % self.folder,
                    'pidfile: "%s/nsd.pid"' % self.folder,
                    'xfrdfile: "%s/xfrd.state"' % self.folder,
                    'xfrdir: "%s"' % self.folder,
                    'zonelistfile: "%s/zone.list"' % self.folder,
                    'logfile: "%s/nsd.log"' % self.folder)))
            f.write("remote-control:\n  control-enable: no\n")
            for zone in [*self.names, *self.missing]:
                f.write('zone:\n  name: "%s"\n  zonefile: "%szone"\n' %
                        (zone, zone))
        self.process = subprocess.Popen(
            ["nsd", "-d", "-c", os.path.join(self.folder, "nsd.conf")],
            env={**os.environ, "PATH": PATH}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.wait()

    def ask(self):
        """Does it answer? The SOA of example, by hand."""
        question = (b"\x12\x34\0\0\0\1\0\0\0\0\0\0\7example\0\0\6\0\1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            try:
                s.sendto(question, ("127.0.0.1", self.port))
                return s.recv(4096)
            except OSError:
                return b""

    def wait(self):
        for _ in range(STARTS_WITHIN_SECONDS * 10):
            if self.ask():
                return
            time.sleep(0.1)
        with open(os.path.join(self.folder, "nsd.log")) as f:
            raise AssertionError("nsd: " + f.read()[-2000:])

    def restart(self):
        self.stop()
        self.start()

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None


class Authority:
    """A CA of one's own, and what it signs."""

    def __init__(self, folder):
        self.folder = folder
        self.root = os.path.join(folder, "ca.pem")
        self.self_sign("ca", "/CN=Test CA", "basicConstraints=critical,CA:TRUE")

    def key(self, name):
        run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout",
            "-out", name + ".key", cwd=self.folder)

    def self_sign(self, name, subject, extension):
        self.key(name)
        run("openssl", "req", "-x509", "-new", "-key", name + ".key", "-out",
            name + ".pem", "-days", "30", "-subj", subject, "-addext",
            extension, cwd=self.folder)

    def sign(self, name, san, subject="/O=test", days=30):
        """`san` as openssl writes it; "": none."""
        self.key(name)
        run("openssl", "req", "-new", "-key", name + ".key", "-subj",
            subject, "-out", name + ".csr", cwd=self.folder)
        with open(os.path.join(self.folder, name + ".ext"), "w") as f:
            f.write("basicConstraints=CA:FALSE\n" +
                    ("subjectAltName=%s\n" % san if san else ""))
        run("openssl", "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem",
            "-CAkey", "ca.key", "-CAcreateserial", "-days", str(days),
            "-extfile", name + ".ext", "-out", name + ".pem",
            cwd=self.folder)

    def context(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(self.folder, name + ".pem"),
                                os.path.join(self.folder, name + ".key"))
        return context


def respond(body, status="200 OK", kind="text/plain", headers=(),
            length=None):
    """What a web server says, in octets."""
    body = body if isinstance(body, bytes) else body.encode()
    lines = ["HTTP/1.1 " + status, "Connection: close",
             "Content-Length: %d" % (len(body) if length is None
                                     else length), *headers]
    if kind:
        lines.append("Content-Type: " + kind)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Web:
    """HTTPS on 127.0.0.1; `answers` maps a host to (context, what to say):
    octets, or a function that is given the connection. On 127.0.0.2 nobody
    speaks TLS, on 127.0.0.3 nobody speaks, on 127.0.0.5 TLS ends at 1.1."""

    def __init__(self, default, port=None):
        self.port = port or free_port()
        self.default = default
        self.old = default
        self.answers = {}
        self.asked = []
        self.stopping = threading.Event()
        default.sni_callback = self.choose
        self.listeners = [self.listen("127.0.0.1", self.serve),
                          self.listen("127.0.0.2", self.plain),
                          self.listen("127.0.0.3", self.silent),
                          self.listen("127.0.0.5", self.serve_old)]

    def listen(self, address, serve):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, self.port))
        listener.listen(64)
        threading.Thread(target=self.accept, args=(listener, serve),
                         daemon=True).start()
        return listener

    def accept(self, listener, serve):
        while not self.stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.guard, args=(serve, connection),
                             daemon=True).start()

    def guard(self, serve, connection):
        """The client may go at any time."""
        connection.settimeout(30)
        try:
            serve(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def choose(self, connection, name, context):
        connection.host = name
        if name in self.answers:
            connection.context = self.answers[name][0]

    def serve_old(self, raw):
        self.serve(raw, self.old)

    def serve(self, raw, context=None):
        with (context or self.default).wrap_socket(
                raw, server_side=True) as connection:
            request = b""
            while b"\r\n\r\n" not in request:
                more = connection.recv(4096)
                if not more:
                    return
                request += more
            host = getattr(connection, "host", None)
            self.asked.append((host, request.split(b"\r\n")[0].decode()))
            answer = self.answers.get(host, (None, respond("", "404 No")))[1]
            if callable(answer):
                answer(connection)
            else:
                connection.sendall(answer)
            connection.unwrap()

    def plain(self, connection):
        connection.recv(4096)
        connection.sendall(respond("version: STSv1\n"))

    def silent(self, connection):
        self.stopping.wait(30)

    def stop(self):
        self.stopping.set()
        for listener in self.listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


class Lab:
    """The two of them, in a folder of their own."""

    def __init__(self, dns_port=None, https_port=None):
        need_tools()
        self.folder = tempfile.mkdtemp()
        self.zones = Zones(self.folder, dns_port)
        self.authority = Authority(self.folder)
        self.authority.sign("default", "DNS:localhost")
        self.web = Web(self.authority.context("default"), https_port)

    def host(self, domain, answer, san=None, certificate=None, **more):
        """`answer` at mta-sts.DOMAIN, under a certificate for it."""
        name = "mta-sts." + domain
        if certificate is None:
            certificate = domain
            self.authority.sign(certificate, "DNS:" + name if san is None
                                else san, **more)
        self.web.answers[name] = (self.authority.context(certificate),
                                  answer)

    def old_host(self, domain):
        """mta-sts.DOMAIN on 127.0.0.5: all is right but the version."""
        self.authority.sign(domain, "DNS:mta-sts." + domain)
        context = self.authority.context(domain)
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        self.web.old = context

    def say(self, domain, answer):
        """Another answer, under the certificate that it has."""
        name = "mta-sts." + domain
        self.web.answers[name] = (self.web.answers[name][0], answer)

    def options(self):
        anchor = os.path.join(self.folder, "anchor")
        with open(anchor, "w") as f:
            f.write(self.zones.ds("example."))
        return ["--resolver", "127.0.0.1@%d" % self.zones.port,
                "--trust-anchor", anchor, "--trust", self.authority.root,
                "--https-port", str(self.web.port), "--private-addresses"]

    def stop(self):
        self.web.stop()
        self.zones.stop()
        shutil.rmtree(self.folder)
