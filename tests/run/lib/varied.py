"""What nobody has captured yet: families of attacks and of what looks like
them, each with many servers, masks, words, places and ways of capturing.

What is true of a case stands in its scenario, not in what the program says of
it. A case has a server of its own, and so can share a capture with others.

    for case, wrong, said in varied.complaints(list(varied.cases())):
        print(wrong, case.family, case.name, said)
"""
import collections
import ipaddress
import os
import struct
import tempfile

import program
import servers
import talk
from masks import HELLOS, LINES, MASKS, NEAR, READABLE
from servers import OFFER
from talk import CLIENT, SERVER, Place, Talk

GARBLED, STRIPPED, REFUSED = ("starttls-garbled", "starttls-stripped",
                              "starttls-refused")
COMMAND, BLOCKED, BROKEN = ("starttls-command-garbled", "ehlo-blocked",
                            "tls-session-broken")
INJECTED, FORGED, DOWNGRADED = ("plaintext-injected", "segment-forged",
                                "tls-version-downgraded")
POSSIBLE, LIKELY = 0.4, 0.7
DAY = 86400


class Case:
    """`kinds`: one of them must be found, if there are any; `may`: is right
    too; `ceiling`: what no incident of another kind may reach."""

    def __init__(self, family, name, build, kinds=(), may=(), tampered=None,
                 ceiling=None, tap="plain", **where):
        self.family, self.name, self.build = family, name, build
        self.kinds, self.may = list(kinds), {*kinds, *may}
        self.tampered = bool(kinds) if tampered is None else tampered
        self.ceiling = (LIKELY if self.tampered else POSSIBLE) \
            if ceiling is None else ceiling
        self.tap, self.where = tap, where

    def frames(self, number):
        self.place = Place(number, **self.where)
        tap = talk.WHOLE.get(self.tap) or talk.PARTIAL[self.tap]
        made = self.build(self.place)
        talks = made if isinstance(made, list) else [made]
        return tap(sorted((p for t in talks for p in t.packets),
                          key=lambda p: p[0]))

    def complaint(self, incidents):
        """What is wrong with [(kinds, confidence)]; None: nothing."""
        said = ", ".join("%s %.2f" % ("+".join(sorted(kinds)), confidence)
                         for kinds, confidence in incidents) or "nothing"
        due = set(self.kinds)
        if due and not any(due & kinds and confidence >= POSSIBLE
                           for kinds, confidence in incidents):
            return "missed", said
        if any(confidence >= self.ceiling and not self.may & kinds
               for kinds, confidence in incidents):
            return "wrong" if self.tampered else "false", said
        return None


EVERY = list(servers.ALL.values())
# A reply of its own is often as good as one that was tampered with: nothing
# may be likely, but it may be said.
DOUBTFUL = {"ceiling": LIKELY}


def each(family, scenarios, among=EVERY, **more):
    for server in among:
        for name, build in scenarios.items():
            for version in (4, 6):
                yield Case(family, "%s/%s/v%d" % (server.name, name, version),
                           lambda p, b=build, s=server: b(p, s),
                           version=version, **more)


# --- parts of dialogues ------------------------------------------------------

def begin(place, server, reply, greeting=None, **more):
    t = Talk(place, **more).open()
    t.say(SERVER, "220 " + (server.greeting if greeting is None else greeting))
    return t.say(CLIENT, "EHLO " + t.helo).say(SERVER, *reply)


def mail(t, server, domain="example.org"):
    """In clear, and accepted."""
    enhanced = server.ok[4:5] == "2"
    t.say(CLIENT, "MAIL FROM:<a@example.net>").say(SERVER, server.ok)
    t.say(CLIENT, "RCPT TO:<b@%s>" % domain)
    t.say(SERVER, "250 2.1.5 Ok" if enhanced else "250 Accepted")
    t.say(CLIENT, "DATA").say(SERVER, "354 End data with <CR><LF>.<CR><LF>")
    t.say(CLIENT, "Subject: greetings", "", "250-STARTTLS", "XXXXXXXX", ".")
    t.say(SERVER, "250 2.0.0 Ok: queued as 4F1A2B3C4D" if enhanced else
          "250 OK id=1vX2yZ-000000004Tn-1aBc")
    t.say(CLIENT, "QUIT")
    return t.say(SERVER, "221 2.0.0 Bye" if enhanced else "221 Bye").close()


def clear(place, server, reply, **more):
    return mail(begin(place, server, reply, **more), server)


def encrypted(place, server, reply=None, **more):
    t = begin(place, server, reply or server.reply(), **more)
    t.say(CLIENT, OFFER).say(SERVER, server.go)
    return talk.mail_in_tls(t)


def replaced(server, word, offer=OFFER):
    """The reply with `word`, or nothing (None), for the offer."""
    lines = server.reply()
    out = []
    for line in lines:
        octets = talk.octets_of(line)
        if octets[4:] == talk.octets_of(offer):
            if word is None:
                continue
            octets = octets[:4] + talk.octets_of(word)
        out.append(octets)
    out[-1] = out[-1][:3] + b" " + out[-1][4:]
    return out


def rewritten(server, line):
    """The reply with `line`, its code and separator too, for the offer."""
    old = [talk.octets_of(l) for l in server.reply()]
    return [talk.octets_of(line) if l[4:] == OFFER.encode() else l
            for l in old]


# --- garbled offers ----------------------------------------------------------

def garbled(server, word, mail_follows=True):
    def build(place):
        t = begin(place, server, replaced(server, word))
        return mail(t, server) if mail_follows else \
            t.say(CLIENT, "QUIT").say(SERVER, "221 Bye").close(SERVER)
    return build


def masks():
    for server in servers.ALL.values():
        for name, word in MASKS.items():
            due = name not in READABLE or server.has_place
            yield Case("garbled/mask", "%s/%s" % (server.name, name),
                       garbled(server, word), [GARBLED] * due, [GARBLED],
                       tampered=True)


def near_misses():
    for server in servers.ALL.values():
        for name, word in NEAR.items():
            yield Case("garbled/near", "%s/%s" % (server.name, name),
                       garbled(server, word), [GARBLED])


def lines():
    def build(server, line):
        return lambda place: clear(place, server, rewritten(server, line))
    for server in servers.ALL.values():
        for name, line in LINES.items():
            last = server.keywords[-1] == OFFER
            if last:
                line = line[:3] + " " + line[4:] if line[3] == "-" else line
            # Its last line gone, the reply does not end: nobody goes on.
            if last and name not in ("code-550", "code-350"):
                continue
            yield Case("garbled/line", "%s/%s" % (server.name, name),
                       build(server, line), [GARBLED])


def cut_words():
    """The keyword's end, or all of it, is gone: the line grows shorter."""
    for server in servers.ALL.values():
        for name, word in (("star", "STAR"), ("ttls", "TTLS"), ("x3", "XXX"),
                           ("x7", "XXXXXXX"), ("x12", "X" * 12)):
            due = "X" not in word or server.has_place and (
                len(word) < 8 or server.keywords[-1] == OFFER)
            yield Case("garbled/cut", "%s/%s" % (server.name, name),
                       garbled(server, word), [GARBLED] * due, [GARBLED],
                       tampered=True)
        yield Case("garbled/empty", server.name, garbled(server, ""),
                   tampered=True)


def firewalls():
    """Cisco's inspection: what it does not know is X, and a letter counts."""
    known = ("SIZE", "ETRN", "8BITMIME", "DSN", "PIPELINING", "AUTH",
             "ENHANCEDSTATUSCODES", "BINARYMIME", "HELP", "EXPN")

    def build(server):
        def reply():
            count = 0
            for line in server.reply():
                text = line[4:]
                if text != server.hello() and \
                        text.split(" ")[0].split("=")[0] not in known:
                    text = "X" * (len(text) - 1) + chr(ord("A") + count)
                    count += 1
                yield line[:4] + text
        return lambda place: clear(place, server, list(reply()),
                                   greeting="*" * 58)
    for server in servers.ALL.values():
        yield Case("garbled/firewall", server.name, build(server), [GARBLED])


def places():
    """The same in other ports and address families, and unasked-for TLS."""
    for server in servers.ALL.values():
        for port, version in ((587, 4), (2525, 4), (25, 6), (587, 6)):
            yield Case("garbled/place", "%s/%d-v%d" % (server.name, port,
                                                       version),
                       garbled(server, "XXXXXXXX"), [GARBLED], port=port,
                       version=version)
        yield Case("garbled/left", server.name,
                   garbled(server, "XXXXXXXX", False), [GARBLED])


def taps(names, family, words):
    for server in ("postfix", "exim", "exchange", "barracuda"):
        server = servers.ALL[server]
        for tap in names:
            for word in words:
                for version in (4, 6):
                    yield Case(family, "%s/%s/%s/v%d" % (
                        server.name, tap, word, version),
                        garbled(server, word),
                        [GARBLED] * (tap in talk.WHOLE or
                                     tap in talk.WITH_REPLY),
                        [GARBLED], tampered=True, tap=tap, version=version)


def captured():
    yield from taps(talk.WHOLE, "garbled/tap", ["XXXXXXXX", "STARTTLX"])
    yield from taps(talk.PARTIAL, "garbled/partial", ["XXXXXXXX"])
    for server in map(servers.ALL.get, ("postfix", "exim", "exchange",
                                        "barracuda")):
        for tap in list(talk.WHOLE) + list(talk.PARTIAL):
            for version in (4, 6):
                name = "%s/%s/v%d" % (server.name, tap, version)
                yield Case("honest/tap-clear", name,
                           lambda p, s=server: clear(p, s, s.clear_reply()),
                           tap=tap, version=version)
                yield Case("honest/tap-tls", name,
                           lambda p, s=server: encrypted(p, s), tap=tap,
                           version=version)


# --- commands ----------------------------------------------------------------

def quoting(server, word):
    return talk.octets_of(server.unknown).replace(
        b"{}", talk.octets_of(word.rstrip()))


def commands():
    """Behind the tamperer: the server gets another word than STARTTLS."""
    words = {k: w for k, w in {**MASKS, **NEAR}.items() if len(w) == 8}

    def build(server, word):
        def made(place):
            t = begin(place, server, server.reply()).say(CLIENT, word)
            t.say(SERVER, "250 2.0.0 Ok" if word.startswith("NOOP") else
                  quoting(server, word))
            return mail(t, server)
        return made
    for server in servers.ALL.values():
        for name, word in words.items():
            yield Case("command/behind", "%s/%s" % (server.name, name),
                       build(server, word), [COMMAND])


def disowned():
    """Before the tamperer: the server says that it knows no such command."""
    def build(server, word):
        def made(place):
            t = begin(place, server, server.reply()).say(CLIENT, OFFER)
            return mail(t.say(SERVER, quoting(server, word)), server)
        return made
    for server in servers.ALL.values():
        for name in ("X", "x", "star", "random-upper", "random-lower", "nul",
                     "zeros"):
            yield Case("command/before", "%s/%s" % (server.name, name),
                       build(server, MASKS[name]), [COMMAND, REFUSED])


# --- EHLO --------------------------------------------------------------------

def helo(t, server):
    t.say(CLIENT, "HELO " + t.helo)
    return mail(t.say(SERVER, "250 " + server.hello(t.helo)), server)


def hellos():
    """Behind the tamperer: the server gets another word than EHLO."""
    def build(server, verb):
        def made(place):
            t = Talk(place).open().say(SERVER, "220 " + server.greeting)
            t.say(CLIENT, verb + " " + t.helo)
            if verb == "NOOP":
                return mail(t.say(SERVER, "250 2.0.0 Ok"), server)
            return helo(t.say(SERVER, quoting(server, verb)), server)
        return made
    for server in servers.ALL.values():
        for name, verb in HELLOS.items():
            yield Case("ehlo/behind", "%s/%s" % (server.name, name),
                       build(server, verb), [BLOCKED])


REFUSALS = {
    "500": "500 5.5.1 Command unrecognized", "502": "502 not implemented",
    "502-striptls": '502 Error: command "EHLO" not implemented',
    "500-masked": "500 5.5.1 XXXX relay.example.net: command not known",
    "padded": "502 unimplemented" + " " * 150, "short": "500",
}


def ehlo_refused():
    """Before the tamperer: a server that greets with ESMTP knows no EHLO."""
    def build(server, lines):
        def made(place):
            t = begin(place, server, lines)
            return helo(t, server)
        return made
    for server in servers.ALL.values():
        for name, line in REFUSALS.items():
            due = server.greets_esmtp or name in ("500-masked", "padded")
            yield Case("ehlo/before", "%s/%s" % (server.name, name),
                       build(server, [line]), [BLOCKED] * due, [BLOCKED],
                       tampered=True)
        whole = b"\r\n".join(talk.octets_of(l) for l in server.reply())
        for name, octet in (("X", b"X"), ("nul", b"\0"), ("blank", b" ")):
            yield Case("ehlo/overwritten", "%s/%s" % (server.name, name),
                       build(server, [octet * len(whole)]), [BLOCKED])


def greetings():
    """At a greeting of asterisks Postfix says HELO."""
    def build(server, greeting):
        def made(place):
            t = Talk(place).open().say(SERVER, "220 " + greeting)
            return helo(t, server)
        return made
    for server in servers.ALL.values():
        for name, greeting in (
                ("stars", "*" * 50), ("with-2-and-0", "****2**0**2*0****"),
                ("stars-and-blanks", "**** ***** ** *"), ("X", "X" * 40)):
            yield Case("ehlo/greeting", "%s/%s" % (server.name, name),
                       build(server, greeting), [BLOCKED])


# --- refused, broken ---------------------------------------------------------

NOT_NOW = {
    "454": "454 4.7.0 TLS not available due to local problem",
    "454-exim": "454 TLS currently unavailable", "454-bare": "454",
    "454-striptls": "454 TLS not available due to temporary reason",
    "500": "500 5.5.1 Command unrecognized", "501": "501 Syntax error",
    "502": "502 5.5.1 Error: command not implemented",
    "503": "503 Bad sequence of commands", "554": "554 5.7.3 Unable to "
    "initialize security subsystem", "530": "530 5.7.0 no",
    "200": "200 STRIPTLS", "354": "354 go ahead", "250": "250 OK",
    "norton": "500 Unsupported command.",
}


def refusals():
    def build(server, answer):
        def made(place):
            t = begin(place, server, server.reply()).say(CLIENT, OFFER)
            return mail(t.say(SERVER, answer), server)
        return made
    for server in servers.ALL.values():
        for name, answer in NOT_NOW.items():
            yield Case("refused", "%s/%s" % (server.name, name),
                       build(server, answer), [REFUSED])


def cut_220(t):
    return t.reset(SERVER)


def cut_hello(t):
    return t.raw(CLIENT, talk.client_hello()).reset(SERVER)


def cut_server_hello(t):
    t.raw(CLIENT, talk.client_hello())
    t.raw(SERVER, talk.server_hello() + talk.record(20, b"\1"))
    return t.reset(SERVER)


def cut_by_fin(t):
    return t.raw(CLIENT, talk.client_hello()).close(SERVER)


def cut_by_text(t):
    t.raw(CLIENT, talk.client_hello())
    return t.say(SERVER, "502 5.5.2 Error: command not recognized") \
        .close(CLIENT)


def cut_by_alert(t):
    t.raw(CLIENT, talk.client_hello()).raw(SERVER, talk.alert(80))
    return t.close(CLIENT)


def cut_finished(t):
    talk.begin_tls(t)
    return t.reset(SERVER)


def cut_by_silence(t):
    """Repeats itself until it gives up."""
    hello = talk.client_hello()
    seq = t.seq[0]
    t.raw(CLIENT, hello)
    for delay in (1, 2, 4, 8):
        t.wait(delay).segment(CLIENT, 24, hello, seq=seq, copy=True)
    return t.wait(15).reset(CLIENT)


CUTS = {f.__name__[4:]: f for f in (
    cut_220, cut_hello, cut_server_hello, cut_by_fin, cut_by_text,
    cut_by_alert, cut_finished, cut_by_silence)}


def cuts():
    def build(server, cut):
        def made(place):
            t = begin(place, server, server.reply()).say(CLIENT, OFFER)
            cut(t.say(SERVER, server.go))
            took = (t.now - t.packets[0][0]) / 1e9
            return [t, clear(place, server, server.reply(), at=took + 2)]
        return made
    for server in servers.ALL.values():
        for name, cut in CUTS.items():
            for version in (4, 6):
                # An alert is what peers without a common version send.
                yield Case("broken", "%s/%s/v%d" % (server.name, name,
                                                    version),
                           build(server, cut),
                           [BROKEN] * (cut is not cut_by_alert),
                           [BROKEN, FORGED, REFUSED], tampered=True,
                           version=version)


def sentinels():
    def build(server, version, end):
        def made(place):
            t = begin(place, server, server.reply()).say(CLIENT, OFFER)
            t.say(SERVER, server.go).raw(CLIENT, talk.client_hello())
            t.raw(SERVER, talk.server_hello(version, end))
            t.raw(CLIENT, talk.alert(47))
            return t.close(CLIENT)
        return made
    for server in servers.ALL.values():
        for name, version, last in (("tls12", 0x0303, b"\1"),
                                    ("tls11", 0x0302, b"\0"),
                                    ("tls10", 0x0301, b"\0")):
            yield Case("downgraded", "%s/%s" % (server.name, name),
                       build(server, version, b"DOWNGRD" + last),
                       [DOWNGRADED])


# --- injected, forged --------------------------------------------------------

def injections():
    extra = {"rset": "RSET", "mail": "MAIL FROM:<c@example.net>",
             "ehlo": "EHLO other.example.net", "auth": "AUTH PLAIN AGEAYg==",
             "noop": "NOOP"}

    def behind_command(server, line):
        def made(place):
            t = begin(place, server, server.reply())
            t.say(CLIENT, OFFER, line).say(SERVER, server.go)
            return talk.mail_in_tls(t)
        return made

    def behind_answer(server, lines):
        def made(place):
            t = begin(place, server, server.reply()).say(CLIENT, OFFER)
            t.say(SERVER, server.go, *lines)
            return talk.mail_in_tls(t)
        return made
    for server in servers.ALL.values():
        for name, line in extra.items():
            yield Case("injected/commands", "%s/%s" % (server.name, name),
                       behind_command(server, line), [INJECTED])
        for name, lines in (("reply", ["250 OK"]), ("421", ["421 no"]),
                            ("ehlo", ["250-" + servers.HOST,
                                      "250 AUTH LOGIN"])):
            yield Case("injected/replies", "%s/%s" % (server.name, name),
                       behind_answer(server, lines), [INJECTED])


def copies():
    """A race: a forged copy of a reply before, or behind, the server's own."""
    def build(server, first, word):
        def made(place):
            t = Talk(place).open().say(SERVER, "220 " + server.greeting)
            t.say(CLIENT, "EHLO " + t.helo)
            true, false = (b"\r\n".join(talk.octets_of(l) for l in lines) +
                           b"\r\n" for lines in (server.reply(),
                                                 replaced(server, word)))
            seq = t.seq[1]
            t.raw(SERVER, false if first else true)
            t.segment(SERVER, 24, true if first else false, seq=seq,
                      copy=True)
            return mail(t, server)
        return made
    for server in servers.ALL.values():
        for first in (True, False):
            for name in ("X", "random-binary", "random-upper"):
                yield Case("forged", "%s/%s/%s" % (
                    server.name, "first" if first else "late", name),
                    build(server, first, MASKS[name]), [GARBLED, FORGED])


ATTACKS = (masks, near_misses, lines, cut_words, firewalls, places, captured,
           commands, disowned, hellos, ehlo_refused, greetings, refusals,
           cuts, sentinels, injections, copies)


def cases():
    """All of them, in the same order each time."""
    import histories
    import look_alikes
    import turns
    for family in ATTACKS + turns.ALL + histories.ALL + look_alikes.ALL:
        yield from family()


def write(path, chosen):
    """{server's address: case}"""
    frames, found = [], {}
    for number, case in enumerate(chosen, 1):
        frames += case.frames(number)
        found[case.place.server] = case
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
        for ns, octets, length in sorted(frames, key=lambda f: f[0]):
            out.write(struct.pack("<4I", ns // 10**9, ns % 10**9, len(octets),
                                  length) + octets)
    return found


POLICIES = {"enforced.example": "enforce", "tested.example": "testing"}
# Of one capture: what is judged again at its end grows with it.
TOGETHER = 4000


def complaints(chosen):
    """[(case, what is wrong, what was said)]"""
    parts = [chosen[at:at + TOGETHER]
             for at in range(0, len(chosen), TOGETHER)]
    return sum(program.in_parallel(complaints_of, parts), [])


def complaints_of(together):
    said = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, program.Database() as db:
        path = os.path.join(folder, "varied.pcap")
        by_server = write(path, together)
        for domain, mode in POLICIES.items():
            policy = os.path.join(folder, domain)
            with open(policy, "w") as f:
                f.write("version: STSv1\nmode: %s\nmx: %s\n"
                        "max_age: 604800\n" % (mode, servers.HOST))
            db.add_policies([(domain, policy)])
        db.read(path)
        for i in db.incidents():
            about = i["downgrade"]
            said[str(ipaddress.ip_address(i["dest_ip"]))].append(
                ({about["kind"], *about.get("also", [])},
                 about["confidence"]))
    found = [(case, case.complaint(said[server]))
             for server, case in by_server.items()]
    return [(case,) + wrong for case, wrong in found if wrong]
