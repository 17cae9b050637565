"""Four network namespaces in a row, and what passes between them.

    client --- near | far --- server

`near` and `far` are the two faces of the router, on which the attacker sits:
packets (router.Forwarder) or connections (router.Proxy) get from one to the
other through this process only. Both inner ends are captured. Everything
lives in namespaces of this process and ends with it.
"""
import contextlib
import ctypes
import os
import select
import socket
import struct
import subprocess
import threading
import time

DNS = "198.51.100.53"
SPACES = ("client", "near", "far", "server")
CLIENTS = ["192.0.2.%d" % n for n in (10, 11, 12, 20)] + \
    ["203.0.113.30", "2001:db8:1::10", "2001:db8:1::11"]
SERVERS = ["198.51.100.%d" % n for n in
           (10, 11, 12, 13, 20, 21, 22, 30, 40, 41)] + \
    [DNS, "2001:db8:2::10", "2001:db8:2::20"]
CLIENT_NETS = ("192.0.2.0/24", "203.0.113.0/24", "2001:db8:1::/64")
SERVER_NETS = ("198.51.100.0/24", "2001:db8:2::/64")
CLIENT_MAC, SERVER_MAC = "02:00:00:00:00:0a", "02:00:00:00:00:19"
CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SO_TIMESTAMPNS = 35
PACKET_OUTGOING = 4
SIOCETHTOOL = 0x8946
# ETHTOOL_SRXCSUM, STXCSUM, SSG, STSO, SGSO, SGRO: all must be off, so that
# what is captured is what a wire would carry.
OFFLOADS = (0x15, 0x17, 0x19, 0x1f, 0x24, 0x2c)

libc = ctypes.CDLL(None, use_errno=True)


def sh(*args):
    subprocess.run(args, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)


def ip(space, *args):
    sh("ip", "-n", space, *args)


@contextlib.contextmanager
def inside(space):
    """This thread's new sockets belong to `space`."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open("/run/netns/" + space, os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        libc.setns(before, CLONE_NEWNET)
        os.close(before)
        os.close(there)


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def connect(space, source, server, port=25, ttl=None, timeout=20):
    with inside(space):
        s = socket.socket(family(server))
    s.settimeout(timeout)
    if ttl:
        set_ttl(s, ttl)
    s.bind((source, 0))
    s.connect((server, port))
    return s


def listen(space, address, port=25):
    with inside(space):
        s = socket.socket(family(address))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(16)
    return s


def set_ttl(s, ttl):
    if s.family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)


def packet_socket(space, interface):
    with inside(space):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                          socket.htons(ETH_P_ALL))
    s.bind((interface, ETH_P_ALL))
    return s


def no_offloads(space, interface):
    with inside(space):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for command in OFFLOADS:
        value = ctypes.create_string_buffer(struct.pack("II", command, 0))
        request = struct.pack("16sP", interface.encode(),
                              ctypes.addressof(value)) + bytes(16)
        libc.ioctl(s.fileno(), SIOCETHTOOL, request)  # some know fewer
    s.close()


def build():
    """The namespaces, their addresses and routes."""
    for space in SPACES:
        sh("ip", "netns", "add", space)
        ip(space, "link", "set", "lo", "up")
    for outer, inner, outer_name, inner_name, macs in (
            ("client", "near", "c0", "near0", (CLIENT_MAC, SERVER_MAC)),
            ("server", "far", "s0", "far0", (SERVER_MAC, CLIENT_MAC))):
        ip(outer, "link", "add", outer_name, "address", macs[0], "type",
           "veth", "peer", "name", inner_name, "address", macs[1], "netns",
           inner)
        for space, name in ((outer, outer_name), (inner, inner_name)):
            no_offloads(space, name)
            ip(space, "link", "set", name, "up")
    give("client", "c0", CLIENTS, SERVER_NETS)
    give("server", "s0", SERVERS, CLIENT_NETS)
    # Without an address of its own an interface loses its routes with the
    # last address that a proxy gives back.
    give("near", "near0", ["203.0.113.253"], CLIENT_NETS)
    give("far", "far0", ["203.0.113.254"], SERVER_NETS)
    know("client", "c0", SERVERS, SERVER_MAC)
    know("far", "far0", SERVERS, SERVER_MAC)
    know("server", "s0", CLIENTS, CLIENT_MAC)
    know("near", "near0", CLIENTS, CLIENT_MAC)
    # Who owns no address of a packet must not answer or forward it.
    for space in ("near", "far"):
        with inside(space), open("/proc/thread-self/net/dev"):
            for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
                with open("/proc/sys/net/" + name, "w") as f:
                    f.write("0")
    # Linux would tell the sender that these cannot be reached.
    ip("near", "route", "add", "blackhole", SERVER_NETS[1])
    ip("far", "route", "add", "blackhole", CLIENT_NETS[2])


def know(space, interface, addresses, mac):
    """No ARP, no neighbour discovery: whose turn it is to answer changes."""
    for address in addresses:
        ip(space, "neigh", "add", address, "lladdr", mac, "dev", interface,
           "nud", "permanent")


def give(space, interface, addresses, nets):
    for address in addresses:
        ip(space, "address", "add",
           address + ("/128" if ":" in address else "/32"), "dev", interface,
           *(["nodad"] if ":" in address else []))
    for net in nets:
        ip(space, "route", "add", net, "dev", interface)


def take(space, interface, addresses):
    for address in addresses:
        ip(space, "address", "del",
           address + ("/128" if ":" in address else "/32"), "dev", interface)


class Recorder:
    """Writes what passes both inner ends, TCP and UDP, until told to stop.
    `later_ns` is added to the clock: history needs days."""

    def __init__(self):
        self.sockets = {packet_socket("near", "near0"): "client",
                        packet_socket("far", "far0"): "server"}
        for s in self.sockets:
            s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.later_ns = 0
        self.last = 0
        self.packets = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.ended.is_set():
            for s in select.select(list(self.sockets), [], [], 0.1)[0]:
                frame, ancillary, _, _ = s.recvmsg(65536, 256)
                packets = self.packets
                protocol = {b"\x08\0": frame[23:24], b"\x86\xdd":
                            frame[20:21]}.get(frame[12:14])
                if packets is None or protocol not in (b"\x06", b"\x11"):
                    continue
                seconds, ns = struct.unpack("qq", ancillary[0][2][:16])
                stamp = seconds * 10 ** 9 + ns + self.later_ns
                packets.append((stamp, self.sockets[s], frame))
                self.last = time.monotonic()

    def start(self):
        self.later_ns = 0
        self.packets = []

    def settle(self, quiet_seconds=0.4, most_seconds=20):
        """Until nothing passes any more."""
        until = time.monotonic() + most_seconds
        while time.monotonic() < until and \
                time.monotonic() - self.last < quiet_seconds:
            time.sleep(0.05)

    def stop(self):
        """Packets by side: client, server, both."""
        self.settle()
        packets, self.packets = sorted(self.packets,
                                       key=lambda p: p[0]), None
        sides = {side: [(t, f) for t, s, f in packets if s == side]
                 for side in ("client", "server")}
        sides["both"] = [(t, f) for t, _, f in packets]
        return sides

    def close(self):
        self.ended.set()
        self.thread.join()
        for s in self.sockets:
            s.close()


def write_pcap(path, packets):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for stamp, frame in packets:
            f.write(struct.pack("<IIII", stamp // 10 ** 9,
                                stamp % 10 ** 9 // 1000, len(frame),
                                len(frame)) + frame)
