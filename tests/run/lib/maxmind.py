"""A MaxMind database with a few networks, IPv6 (MaxMind DB File Format 2.0)."""
import ipaddress
import struct

TEXT, UINT16, UINT32, MAP, UINT64, ARRAY = 2, 5, 6, 7, 9, 11


def field(kind, size, octets=b""):
    first = (kind << 5 if kind < 8 else 0) | min(size, 29)
    head = bytes([first]) + (bytes([kind - 7]) if kind > 7 else b"")
    return head + (bytes([size - 29]) if size >= 29 else b"") + octets


def number(kind, value):
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return field(kind, len(octets), octets)


def encode(value):
    if isinstance(value, str):
        return field(TEXT, len(value.encode()), value.encode())
    if isinstance(value, int):
        return number(UINT32, value)
    if isinstance(value, list):
        return field(ARRAY, len(value), b"".join(map(encode, value)))
    if isinstance(value, tuple):
        return number(*value)
    return field(MAP, len(value), b"".join(
        encode(k) + encode(v) for k, v in value.items()))


def database(kind, networks):
    """The file's octets; `networks` is {"2001:db8::/32": {...}}."""
    nodes, data = [[None, None]], b""
    for text, value in networks.items():
        network = ipaddress.ip_network(text)
        address = int(network.network_address)
        at = 0
        for bit in range(network.prefixlen):
            side = address >> (127 - bit) & 1
            if bit == network.prefixlen - 1:
                nodes[at][side] = ("data", len(data))
            elif nodes[at][side] is None:
                nodes.append([None, None])
                nodes[at][side] = len(nodes) - 1
            at = nodes[at][side]
        data += encode(value)
    tree = b""
    for node in nodes:
        for record in node:
            value = len(nodes) if record is None else \
                len(nodes) + 16 + record[1] if isinstance(record, tuple) \
                else record
            tree += struct.pack(">I", value)[1:]
    about = {"node_count": len(nodes), "record_size": (UINT16, 24),
             "ip_version": (UINT16, 6), "database_type": kind,
             "languages": ["en"], "binary_format_major_version": (UINT16, 2),
             "binary_format_minor_version": (UINT16, 0),
             "build_epoch": (UINT64, 1772323200),
             "description": {"en": "made for a test"}}
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(about)
