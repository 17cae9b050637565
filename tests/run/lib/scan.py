#!/usr/bin/env python3
"""Scan results with known truth, as zgrab2 writes them.

    scan.py RECORDS [SEED]            synthetic servers
    scan.py --reconstruction [--all]  the checked totals of the 2015 study

Addresses are of 2001:db8::/32, 256 networks of it; nothing is real.
"""
import collections
import random
import sys

START = 1772323200  # 2026-03-01
POSTFIX = ("PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "STARTTLS",
           "ENHANCEDSTATUSCODES", "8BITMIME", "DSN")

RECORD = ('{"ip":"%s","domain":"mx%d.example.org","data":{"smtp":{"status":'
          '"%s","protocol":"smtp","port":25,"timestamp":'
          '"2026-03-%02dT10:00:00Z"%s}}}\n')
TLS = (',"tls":{"handshake_log":{"server_hello":{"version":{"name":"TLSv1.2",'
       '"value":771}}},"handshake_completed_successfully":true}')
READY = ',"starttls":"220 2.0.0 Ready to start TLS\\r\\n"'


def ehlo(*words):
    lines = ["250-mx.example.org"] + ["250-" + word for word in words]
    lines[-1] = "250 " + lines[-1][4:]
    return ',"ehlo":"%s\\r\\n"' % "\\r\\n".join(lines)


def with_word(word):
    return [word if w == "STARTTLS" else w for w in POSTFIX]


def result(*parts, banner="220 mx.example.org ESMTP Postfix"):
    return ',"result":{"banner":"%s\\r\\n"%s}' % (banner, "".join(parts))


def echo(word):
    return result(ehlo(*POSTFIX),
                  ',"starttls":"500 5.5.1 Command unrecognized: '
                  '\\"%s\\"\\r\\n"' % word)


# What a server is: share, status, result, and what a study must make of it.
Sort = collections.namedtuple("Sort", "name share status result counts")
SORTS = [
    Sort("tls", .60, "success", result(ehlo(*POSTFIX), READY, TLS),
         {"observable", "judged", "offered", "used"}),
    Sort("none", .15, "success",
         result(ehlo(*[w for w in POSTFIX if w != "STARTTLS"])),
         {"observable", "judged"}),
    Sort("cisco", .03, "success", result(ehlo(*with_word("XXXXXXXA"))),
         {"observable", "judged", "garbled", "affected"}),
    Sort("run", .01, "success", result(ehlo(*with_word("XXXXXXXX"))),
         {"observable", "judged", "garbled", "affected"}),
    Sort("command", .01, "application-error", echo("XXXXXXXX"),
         {"observable", "judged", "offered", "refused", "garbled",
          "affected"}),
    Sort("refused", .03, "application-error",
         result(ehlo(*POSTFIX),
                ',"starttls":"454 4.7.0 TLS not available due to local '
                'problem\\r\\n"'),
         {"observable", "judged", "offered", "refused"}),
    Sort("broken", .02, "handshake-error",
         result(ehlo(*POSTFIX), READY, ',"tls":{}'),
         {"observable", "judged", "offered", "broken"}),
    Sort("helo", .05, "success",
         result(',"helo":"250 mx.example.org\\r\\n"',
                banner="220 mx.example.org ready"), {"observable"}),
    Sort("cut", .02, "io-timeout",
         result(',"ehlo":"250-mx.example.org\\r\\n250-PIPEL"'),
         {"observable"}),
    Sort("silent", .08, "connection-timeout", "", set()),
]
COUNTS = ("observable", "judged", "offered", "used", "garbled", "refused",
          "broken", "affected")


def address(number):
    return "2001:db8:%x::%x:%x" % (number % 256, number >> 16,
                                   number & 0xffff)


def write(file, number, sort):
    file.write(RECORD % (address(number), number, sort.status,
                         1 + number % 28, sort.result))


def scan(file, records, seed=1):
    """Writes them; what a study of servers must find, by name."""
    chance = random.Random(seed)
    truth = collections.Counter()
    sorts = chance.choices(SORTS, [sort.share for sort in SORTS], k=records)
    for number, sort in enumerate(sorts):
        write(file, number, sort)
        truth.update(sort.counts)
        truth["silent"] += not sort.counts
    return truth


# Durumeric et al., IMC 2015, DOI 10.1145/2815675.2815695: what servers that
# do not know the command say they received, and offers that were overwritten.
# 617,093 + 5,750 + 786 + 6 = 623,635 echoed, 5,750 + 6 = 5,756 of them
# corrupted, and with 35,649 overwritten offers 41,405 servers in all. What the
# six looked like is not known to us; they stand as runs of X.
ECHOES = (("STARTTLS", 617093), ("XXXXXXXX", 5750), ("STAR", 393),
          ("TTLS", 393), ("XXXXXXXX", 6))
OFFERS = 35649
RESPONDERS = 8850000  # 8.85 million, rounded in the paper
LABEL = '{"study":{"label":"reconstruction of IMC 2015 totals"}}\n'


def reconstruction(file, everybody=False):
    file.write(LABEL)
    number = 0
    for word, count in ECHOES:
        sort = Sort("", 0, "application-error", echo(word), set())
        for number in range(number, number + count):
            write(file, number, sort)
        number += 1
    for sort, last in ((SORTS[2], number + OFFERS),
                       (SORTS[0], RESPONDERS if everybody else 0)):
        for number in range(number, last):
            write(file, number, sort)
        number += 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--reconstruction"]:
        reconstruction(sys.stdout, "--all" in sys.argv)
    else:
        truth = scan(sys.stdout, int(sys.argv[1]),
                     int(sys.argv[2]) if len(sys.argv) > 2 else 1)
        print(dict(truth), file=sys.stderr)
