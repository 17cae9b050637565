"""Other turns that a dialogue may take: what a client does when the offer is
overwritten, how a sender comes back, and what only looks like an injection."""
import servers
import talk
import varied
from servers import OFFER
from talk import CLIENT, SERVER, Talk
from varied import (BROKEN, DOUBTFUL, DOWNGRADED, FORGED, GARBLED, INJECTED,
                    REFUSED, begin, clear, each, mail, replaced, rewritten)


def garbled(place, server, **more):
    return begin(place, server, replaced(server, "XXXXXXXX"), **more)


# --- behind a garbled offer --------------------------------------------------

def asks_anyway(place, server):
    t = garbled(place, server).say(CLIENT, OFFER).say(SERVER, server.go)
    return talk.mail_in_tls(t)


def asks_in_vain(place, server):
    t = garbled(place, server).say(CLIENT, OFFER)
    return mail(t.say(SERVER, "503 STARTTLS command used when not advertised"),
                server)


def logs_in(place, server):
    t = garbled(place, server).say(CLIENT, "AUTH PLAIN AGEAYg==")
    return mail(t.say(SERVER, "235 2.7.0 ok"), server)


def in_chunks(place, server):
    t = garbled(place, server)
    t.say(CLIENT, "MAIL FROM:<a@example.net>").say(SERVER, server.ok)
    t.say(CLIENT, "RCPT TO:<b@example.org>").say(SERVER, server.ok)
    t.raw(CLIENT, b"BDAT 6 LAST\r\na: b\r\n").say(SERVER, "250 ok")
    return t.close()


def pipelined(place, server):
    t = Talk(place).open().say(SERVER, "220 " + server.greeting)
    t.say(CLIENT, "EHLO " + t.helo, "MAIL FROM:<a@example.net>",
          "RCPT TO:<b@example.org>", "DATA")
    t.say(SERVER, *replaced(server, "XXXXXXXX") +
          [server.ok, server.ok, "354 go on"])
    t.say(CLIENT, "Subject: x", "", "x", ".", "QUIT")
    return t.say(SERVER, "250 ok", "221 Bye").close()


def asks_twice(place, server):
    t = garbled(place, server)
    t.say(CLIENT, "EHLO " + t.helo)
    return mail(t.say(SERVER, *replaced(server, "XXXXXXXX")), server)


def is_reset(place, server):
    return garbled(place, server).reset(CLIENT)


def ends_there(place, server):
    return garbled(place, server)


def is_refused_then(place, server):
    """The mail is, for other reasons."""
    t = garbled(place, server).say(CLIENT, "MAIL FROM:<a@example.net>")
    t.say(SERVER, "550 5.7.1 not you").say(CLIENT, "QUIT")
    return t.say(SERVER, "221 Bye").close(SERVER)


def early_talker(place, server):
    t = Talk(place).open()
    t.say(CLIENT, "EHLO " + t.helo)
    t.say(SERVER, "220 " + server.greeting)
    return mail(t.say(SERVER, *replaced(server, "XXXXXXXX")), server)


def bare_line_feeds(place, server):
    t = Talk(place).open().raw(SERVER, b"220 " + server.greeting.encode() +
                               b"\n")
    t.say(CLIENT, "EHLO " + t.helo)
    t.raw(SERVER, b"".join(line + b"\n" for line in
                           replaced(server, "XXXXXXXX")))
    return mail(t, server)


def long_greeting(place, server):
    t = Talk(place).open()
    t.say(SERVER, *["220-" + "welcome " * 20] * 30,
          "220 " + server.greeting)
    t.say(CLIENT, "EHLO " + t.helo)
    return mail(t.say(SERVER, *replaced(server, "XXXXXXXX")), server)


def garbled_turns():
    yield from each("turns/garbled", {
        f.__name__: f for f in (
            asks_anyway, logs_in, in_chunks, pipelined,
            asks_twice, is_reset, ends_there, is_refused_then, early_talker,
            bare_line_feeds, long_greeting)}, kinds=[GARBLED])
    # Where nobody knows the place, this speaks for a server without TLS.
    yield from each("turns/garbled-in-vain", {"mail": asks_in_vain},
                    tampered=True, may=[GARBLED])
    for port in (26, 10025, 2526):
        yield from each("turns/port-%d" % port, {"mail": lambda p, s: mail(
            garbled(p, s), s)}, kinds=[GARBLED], port=port)


def merged(place, server):
    """The offer's CR LF was overwritten too: the next line is part of it."""
    whole = b"\r\n".join(talk.octets_of(l) for l in server.reply()) + b"\r\n"
    whole = whole.replace(b"-STARTTLS\r\n", b"-XXXXXXXXXX", 1)
    t = Talk(place).open().say(SERVER, "220 " + server.greeting)
    return mail(t.say(CLIENT, "EHLO " + t.helo).raw(SERVER, whole), server)


def unmended(place, server):
    """The last line removed, and none of the others ends the reply."""
    t = begin(place, server, server.reply()[:-1]).wait(300)
    return t.close(CLIENT)


def spoilt():
    yield from each("turns/merged", {"merged": merged}, tampered=True,
                    may=[GARBLED])
    yield from each("turns/unmended", {"unmended": unmended}, tampered=True)


def all_words(mask):
    """Every keyword overwritten in its length."""
    def build(place, server):
        reply = [talk.octets_of(line) for line in server.reply()]
        reply[1:] = [line[:4] + mask(line[4:]) for line in reply[1:]]
        return clear(place, server, reply)
    return build


def whole_replies():
    yield from each("turns/all-words", {
        "X": all_words(lambda w: b"X" * len(w)),
        "nul": all_words(lambda w: b"\0" * len(w)),
        "high": all_words(lambda w: bytes(c | 0x80 for c in w)),
    }, kinds=[GARBLED])


def padded_words():
    """A keyword that anybody may have, filled up with blanks."""
    yield from each("turns/padded", {
        word: lambda p, s, w=word: clear(p, s, replaced(s, w.ljust(8)))
        for word in ("HELP", "DSN", "SIZE", "VRFY", "OK", "ETRN", "EXPN")},
        kinds=[GARBLED])


def accepted(place, server):
    t = begin(place, server, server.clear_reply()).say(CLIENT, OFFER)
    return talk.mail_in_tls(t.say(SERVER, server.go))


def removed():
    yield from each("turns/accepted", {"tls": accepted}, kinds=[
        varied.STRIPPED])


# --- how a sender comes back -------------------------------------------------

def cut_then(cut, *retries):
    """`retries`: (seconds, host, HELO name, does it fail too)."""
    def build(place, server):
        def attempt(at, **more):
            t = begin(place, server, server.reply(), at=at, **more)
            return cut(t.say(CLIENT, OFFER).say(SERVER, server.go))
        made = [attempt(0)]
        for seconds, host, name, fails in retries:
            more = {"client": place.client(host), "helo": name}
            made.append(attempt(seconds, **more) if fails else
                        clear(place, server, server.reply(), at=seconds,
                              **more))
        return made
    return build


def cut_by_data(t):
    talk.begin_tls(t)
    t.raw(SERVER, talk.data(250)).raw(CLIENT, talk.data(60))
    return t.reset(SERVER)


def cut_by_end(t):
    talk.begin_tls(t)
    return t.close(SERVER)


def comes_back():
    same, other = "relay.example.net", "out2.example.net"
    yield from each("turns/comes-back", {
        "at-once": cut_then(varied.cut_hello, (1, 10, same, False)),
        "late": cut_then(varied.cut_hello, (50, 10, same, False)),
        "from-a-pool": cut_then(varied.cut_hello, (2, 11, same, False)),
        "third-time": cut_then(varied.cut_hello, (300, 10, same, True),
                               (302, 10, same, False)),
        "behind-data": cut_then(cut_by_data, (2, 10, same, False)),
        "behind-finished": cut_then(cut_by_end, (2, 10, same, False)),
    }, kinds=[BROKEN, FORGED])
    yield from each("turns/comes-not-back", {
        "other-name": cut_then(varied.cut_hello, (2, 99, other, False)),
        "hours-later": cut_then(varied.cut_hello, (9000, 10, same, False)),
    }, **DOUBTFUL)


def with_sentinel(place, server):
    """And TLS goes on: a client that does not look."""
    t = begin(place, server, server.reply()).say(CLIENT, OFFER)
    t.say(SERVER, server.go).raw(CLIENT, talk.client_hello())
    t.raw(SERVER, talk.server_hello(0x0303, b"DOWNGRD\1"))
    for who in (CLIENT, SERVER):
        t.raw(who, talk.record(20, b"\1") + talk.record(22, b"\7" * 40))
    for asks, answers in ((60, 250), (90, 40), (900, 60)):
        t.raw(CLIENT, talk.data(asks)).raw(SERVER, talk.data(answers))
    return t.close()


def sentinels():
    yield from each("turns/sentinel", {"goes-on": with_sentinel},
                    kinds=[DOWNGRADED])


# --- races -------------------------------------------------------------------

def forged_refusal(first):
    """454 in the server's stead; its own 220 comes too."""
    def build(place, server):
        t = asked(place, server)
        own = talk.octets_of(server.go) + b"\r\n"
        false = b"454 TLS not available"
        false += b" " * (len(own) - len(false) - 2) + b"\r\n"
        false = false[:len(own) - 2] + b"\r\n"
        seq = t.seq[1]
        t.raw(SERVER, false if first else own)
        t.segment(SERVER, 24, own if first else false, seq=seq, copy=True)
        return mail(t, server) if first else talk.mail_in_tls(t)
    return build


def forged_reset(place, server):
    """The server does not know of it and goes on."""
    t = asked(place, server).say(SERVER, server.go)
    t.raw(CLIENT, talk.client_hello())
    t.segment(SERVER, talk.RST | talk.ACK, copy=True)
    t.raw(SERVER, talk.server_hello() + talk.record(20, b"\1") +
          talk.data(900))
    took = (t.now - t.packets[0][0]) / 1e9
    return [t, clear(place, server, server.reply(), at=took + 2)]


def longer_copy(place, server):
    """Of another length: the dialogue is out of step behind it."""
    t = Talk(place).open().say(SERVER, "220 " + server.greeting)
    t.say(CLIENT, "EHLO " + t.helo)
    seq = t.seq[1]
    t.say(SERVER, *replaced(server, "X" * 8 + "XXXX"))
    own = b"".join(talk.octets_of(l) + b"\r\n" for l in server.reply())
    t.segment(SERVER, 24, own, seq=seq, copy=True)
    return mail(t, server)


def races():
    yield from each("turns/forged", {
        "454-first": forged_refusal(True), "reset": forged_reset,
        "longer": longer_copy}, kinds=[REFUSED, FORGED, BROKEN, GARBLED])
    # The client obeyed the server: somebody tried.
    yield from each("turns/forged-late", {"454": forged_refusal(False)},
                    tampered=True, may=[REFUSED, FORGED])


# --- beside STARTTLS, and no injection ---------------------------------------

def asked(place, server):
    return begin(place, server, server.reply()).say(CLIENT, OFFER)


def times_out(place, server):
    t = asked(place, server).say(SERVER, server.go).wait(300)
    return t.say(SERVER, "421 4.4.2 " + servers.HOST +
                 " Error: timeout exceeded").close(SERVER)


def leaves_after_go(place, server):
    t = asked(place, server).say(SERVER, server.go).say(CLIENT, "QUIT")
    return t.close(SERVER)


def hurries(place, server):
    """Sends its ClientHello without waiting for the 220."""
    t = begin(place, server, server.reply())
    t.raw(CLIENT, b"STARTTLS\r\n" + talk.client_hello())
    t.say(SERVER, server.go)
    t.raw(SERVER, talk.server_hello() + talk.record(20, b"\1") +
          talk.data(900))
    t.raw(CLIENT, talk.record(20, b"\1") + talk.data(52))
    for asks, answers in ((60, 250), (90, 40), (900, 60)):
        t.raw(CLIENT, talk.data(asks)).raw(SERVER, talk.data(answers))
    return t.close()


def two_line_go(place, server):
    t = asked(place, server).say(SERVER, "220-" + server.go[4:], server.go)
    return talk.mail_in_tls(t)


def must_ask(place, server):
    t = begin(place, server, server.reply())
    t.say(CLIENT, "MAIL FROM:<a@example.net>")
    t.say(SERVER, "530 5.7.0 Must issue a STARTTLS command first")
    t.say(CLIENT, OFFER).say(SERVER, server.go)
    return talk.mail_in_tls(t)


def must_ask_and_leaves(place, server):
    t = begin(place, server, server.reply())
    t.say(CLIENT, "MAIL FROM:<a@example.net>")
    t.say(SERVER, "530 5.7.0 Must issue a STARTTLS command first")
    t.say(CLIENT, "QUIT").say(SERVER, "221 Bye")
    return t.close(SERVER)


def early_and_honest(place, server):
    t = Talk(place).open()
    t.say(CLIENT, "EHLO " + t.helo)
    t.say(SERVER, "220 " + server.greeting)
    return mail(t.say(SERVER, *server.clear_reply()), server)


def times_out_in_clear(place, server):
    t = begin(place, server, server.reply()).wait(300)
    return t.say(SERVER, "421 4.4.2 timeout exceeded").close(SERVER)


def not_injected():
    yield from each("honest/turns", {
        f.__name__: f for f in (
            hurries, two_line_go, must_ask, must_ask_and_leaves,
            early_and_honest, times_out_in_clear, leaves_after_go,
            times_out)})


ALL = (garbled_turns, spoilt, whole_replies, padded_words, removed, races, comes_back, sentinels, not_injected)
