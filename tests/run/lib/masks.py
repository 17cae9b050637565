"""What attackers and firewalls write over STARTTLS, its whole line and EHLO."""
import random

OFFER = "STARTTLS"


def chance(seed, letters, count=8):
    pick = random.Random(seed)
    return "".join(pick.choice(letters) for _ in range(count))


UPPER, LOWER = "ABCDEFGHIJKLMNOPQRTUVWYZ", "abcdefghijklmnopqrtuvwyz"
ANY = "".join(map(chr, range(256))).replace("\r", "").replace("\n", "")

MASKS = {
    "X": "X" * 8, "XA": "XXXXXXXA", "x": "x" * 8, "star": "*" * 8,
    "hash": "#" * 8, "dash": "-" * 8, "dots": "." * 8, "zeros": "0" * 8,
    "A": "A" * 8, "Z": "Z" * 8, "question": "?" * 8, "blank": " " * 8,
    "tab": "\t" * 8, "nul": "\0" * 8, "ff": "\xff" * 8, "one": "\1" * 8,
    "del": "\x7f" * 8, "underscore": "_" * 8, "plus": "+" * 8,
    "random-binary": chance(1, ANY), "random-binary-2": chance(2, ANY),
    "random-upper": chance(3, UPPER), "random-lower": chance(4, LOWER),
    "random-digits": chance(5, "0123456789"), "noop": "NOOP    ",
    "half-x": "STARXXXX", "half-x-2": "XXXXTTLS", "half-nul": "STAR\0\0\0\0",
    "high-bits": "".join(chr(ord(c) | 0x80) for c in OFFER),
    "two-cases": "XxXxXxXx", "two-letters": "XOXOOXXO",
    "rot13": "FGNEGGYF", "alternating": "XTXRXTXS",
}
NEAR = {
    "last": "STARTTLX", "last-digit": "STARTTL5", "first": "XTARTTLS",
    "middle": "STAXTTLS", "swapped": "STRATTLS", "ssl": "STARTSSL",
    "cut": "STARTTL", "cut-first": "TARTTLS", "longer": "STARTTLSX",
    "longer-first": "XSTARTTL", "two": "STARTXXS", "space": "START TLS",
    "dash": "START-TLS", "underscore": "START_TLS", "zero": "STARTT1S",
    "control": "STARTTL\1", "doubled": "STARTTTLS",
}
NEAR.update(("bit-%d-%d" % (at, bit), OFFER[:at] +
             chr(ord(OFFER[at]) ^ 1 << bit) + OFFER[at + 1:])
            for at, bit in ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 6),
                            (6, 7), (7, 1)))
LINES = {
    "X": "X" * 12, "blank": " " * 12, "nul": "\0" * 12, "ff": "\xff" * 12,
    "star": "*" * 12, "code": "XXX-STARTTLS", "code-550": "550-STARTTLS",
    "code-350": "350-STARTTLS", "letter-o": "25O-STARTTLS",
    "digit": "2X0-STARTTLS", "separator-x": "250XSTARTTLS",
    "separator-nul": "250\0STARTTLS", "separator-_": "250_STARTTLS",
    "random": chance(6, ANY, 12),
}

# Unregistered, and a word that somebody might have made: its place decides.
READABLE = {"random-upper", "rot13"}

HELLOS = {"X": "XXXX", "x": "xxxx", "star": "****", "nul": "\0\0\0\0",
          "ff": "\xff\xff\xff\xff", "noop": "NOOP", "near": "EHLX",
          "near-2": "EXLO", "zero": "EHL0", "random": "QJVB", "bit": "DHLO",
          "high": "\xc5\xc8\xcc\xcf", "blank": "    ", "hash": "####"}
