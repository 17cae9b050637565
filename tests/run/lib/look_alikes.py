"""What looks like an attack and is none, each with many servers."""
import servers
import talk
import varied
from servers import OFFER
from talk import CLIENT, SERVER, Talk
from varied import DOUBTFUL, EVERY, begin, clear, each, encrypted, helo, mail


def leave(t):
    return t.say(CLIENT, "QUIT").say(SERVER, "221 2.0.0 Bye").close(SERVER)


# --- ordinary life -----------------------------------------------------------

def lower_case(place, server):
    reply = [line.replace(OFFER, "starttls") for line in server.reply()]
    return clear(place, server, reply)


def padded_offer(place, server):
    reply = [line + (" " if OFFER in line else "") for line in server.reply()]
    t = begin(place, server, reply).say(CLIENT, "starttls")
    return talk.mail_in_tls(t.say(SERVER, server.go))


def padded_lines(place, server):
    return clear(place, server, [line.ljust(24)
                                 for line in server.clear_reply()])


def many_mails(place, server):
    """Bodies quote what tampered replies look like."""
    t = begin(place, server, server.clear_reply())
    for _ in range(20):
        t.say(CLIENT, "MAIL FROM:<a@example.net>").say(SERVER, server.ok)
        t.say(CLIENT, "RCPT TO:<b@example.org>").say(SERVER, server.ok)
        t.say(CLIENT, "DATA").say(SERVER, "354 go on")
        t.say(CLIENT, "Subject: see below", "", "220 ********", "EHLO x",
              *varied.replaced(server, "XXXXXXXX"), "STARTTLS", "XXXX x",
              "454 TLS not available", "..", ".")
        t.say(SERVER, "250 ok")
    return leave(t)


def by_chunks(place, server):
    t = begin(place, server, server.clear_reply())
    body = b"250-XXXXXXXX\r\nSTARTTLS\r\nEHLO x\r\n"
    t.say(CLIENT, "MAIL FROM:<a@example.net>").say(SERVER, server.ok)
    t.say(CLIENT, "RCPT TO:<b@example.org>").say(SERVER, server.ok)
    t.say(CLIENT, "BDAT %d" % len(body)).raw(CLIENT, body)
    t.say(SERVER, "250 %d octets" % len(body))
    t.raw(CLIENT, b"BDAT %d LAST\r\n" % len(body) + body)
    return leave(t.say(SERVER, "250-XXXXXXXX", "250 Message OK"))


def pipelined(place, server):
    t = Talk(place).open().say(SERVER, "220 " + server.greeting)
    t.say(CLIENT, "EHLO " + t.helo, "MAIL FROM:<a@example.net>",
          "RCPT TO:<b@example.org>", "DATA")
    t.say(SERVER, *server.clear_reply() + [server.ok, server.ok,
                                           "354 go on"])
    t.say(CLIENT, "Subject: x", "", "x", ".", "QUIT")
    return t.say(SERVER, "250 ok", "221 Bye").close()


def again(place, server):
    """EHLO twice, then a reset and a third time."""
    t = begin(place, server, server.clear_reply())
    for _ in range(2):
        t.say(CLIENT, "RSET").say(SERVER, "250 ok")
        t.say(CLIENT, "EHLO " + t.helo).say(SERVER, *server.clear_reply())
    return mail(t, server)


def never_asks(place, server):
    return clear(place, server, server.reply())


def helo_only(place, server):
    t = Talk(place).open().say(SERVER, "220 " + server.greeting)
    return helo(t, server)


def old_server(place, server):
    t = Talk(place).open().say(SERVER, "220 mx.example.org ready")
    return helo(t, server)


def one_line(place, server):
    return clear(place, server, ["250 mx.example.org"],
                 greeting="mx.example.org ready")


def several_line_greeting(place, server):
    t = Talk(place).open()
    t.say(SERVER, "220-mx.example.org ESMTP", "220-*", "220-* No spam here",
          "220-*", "220 *")
    return helo(t, server)


def boxed_greeting(place, server):
    t = Talk(place).open()
    t.say(SERVER, "220-" + "*" * 40, "220-* mx.example.org ESMTP, no spam *",
          "220 " + "*" * 40)
    return helo(t, server)


def underlined_greeting(place, server):
    t = Talk(place).open()
    t.say(SERVER, "220-mx.example.org ESMTP", "220 " + "=" * 40)
    return helo(t, server)


def trusted_proxy(place, server):
    """The proxy has spoken TLS already: behind XCLIENT there is no offer."""
    t = begin(place, server, server.reply())
    t.say(CLIENT, "XCLIENT ADDR=192.0.2.77 NAME=client.example.net")
    t.say(SERVER, "220 " + server.greeting)
    t.say(CLIENT, "EHLO client.example.net")
    return mail(t.say(SERVER, *server.clear_reply()), server)


def authenticated(place, server):
    reply = server.clear_reply()
    t = begin(place, server, reply[:1] + ["250-AUTH PLAIN LOGIN"] + reply[1:])
    t.say(CLIENT, "AUTH PLAIN AGEAYg==").say(SERVER, "235 2.7.0 ok")
    return mail(t, server)


def ordinary():
    yield from each("honest/ordinary", {
        f.__name__: f for f in (
            lower_case, padded_offer, padded_lines, many_mails, by_chunks, pipelined, again,
            never_asks, helo_only, old_server, one_line,
            several_line_greeting, boxed_greeting, underlined_greeting,
            trusted_proxy, authenticated, encrypted)})
    yield from each("honest/ordinary", {
        "clear": lambda p, s: clear(p, s, s.clear_reply())})
    yield from each("honest/submission", {
        "clear": lambda p, s: clear(p, s, s.clear_reply()),
        "tls": encrypted, "auth": authenticated}, port=587)


# --- keywords ----------------------------------------------------------------

OWN_WORDS = {
    "xclient": "XCLIENT NAME ADDR PROTO HELO", "xverp": "XVERP",
    "xforward": "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT LOGIN",
    "anonymous-tls": "X-ANONYMOUSTLS", "exps": "X-EXPS GSSAPI NTLM",
    "xexch50": "XEXCH50", "xrdst": "XRDST", "coremail": "coremail",
    "opaque": "coremail 1Uxr2xKj7kG0xkI17xGrU7I0s8FY2U3Uj8Cz28x1UUUUU7",
    "xstarttls": "XSTARTTLS", "nostarttls": "NOSTARTTLS", "tls": "TLS",
    "security": "XSECURITY=NONE,STARTTLS", "private": "XQUOTA50",
    "private-2": "X-LIMITS", "welcome": "Welcome!", "address": "10.0.0.1",
    "clock": "12:34:56", "pleased": "pleased to meet you", "hello": "Hi there",
    "nine-masked": "XXXXXXXXA", "four-masked": "XXXB", "help": "HELP",
    "auth": "AUTH", "auth=": "AUTH=LOGIN", "8-bit": "Gr\xfc\xdfe aus Z\xfcrich",
    "unregistered": "COMPRESS", "unregistered-2": "DEADLINE 900",
    "long": "XPARAMETERS " + "a" * 200, "empty": "", "blank": " ",
    "chunking-masked": None,
}


def own_words():
    """Far from where the offer stands, or would, with it and without."""
    def build(word, offered):
        def made(place, server):
            reply = server.reply() if offered else server.clear_reply()
            reply = [talk.octets_of(line) for line in reply]
            if word is None:
                reply = [line.replace(b"CHUNKING", b"XXXXXXXA")
                         for line in reply] + [b"250 HELP"]
                reply[-2] = reply[-2][:3] + b"-" + reply[-2][4:]
            else:
                at = server.keywords.index(OFFER)
                reply.insert(1 if at > 1 else len(reply) - 1,
                             b"250-" + talk.octets_of(word))
            return clear(place, server, reply)
        return made
    # Of a short list any place is the offer's.
    long = [server for server in EVERY if len(server.keywords) > 3]
    yield from each("honest/own-words", {
        "%s-%s" % (name, "beside" if offered else "alone"):
        build(word, offered) for name, word in OWN_WORDS.items()
        for offered in (True, False)
        # A masked CHUNKING may as well be a masked offer.
        if word is not None or offered}, among=long)


# --- refused, for reasons of the server's own --------------------------------

def then_clear(answer):
    def made(place, server):
        t = begin(place, server, server.reply()).say(CLIENT, OFFER)
        return mail(t.say(SERVER, answer), server)
    return made


def then_left(answer):
    def made(place, server):
        t = begin(place, server, server.reply()).say(CLIENT, OFFER)
        return leave(t.say(SERVER, answer))
    return made


def greeted_with(answer):
    def made(place, server):
        t = Talk(place).open().say(SERVER, answer)
        return leave(t)
    return made


def ehlo_answered(answer, then_helo=False):
    def made(place, server):
        t = begin(place, server, [answer])
        return helo(t, server) if then_helo else leave(t)
    return made


def blocked_sender(place, server):
    """Postfix's postscreen: 554, and nothing more."""
    t = Talk(place).open().say(SERVER, "554 5.7.1 Service unavailable")
    t.say(CLIENT, "EHLO " + t.helo).say(SERVER, "250 mx.example.org")
    t.say(CLIENT, OFFER).say(SERVER, "500 5.5.1 Unrecognized")
    return leave(t)


def greylisted(place, server):
    t = begin(place, server, server.clear_reply())
    t.say(CLIENT, "MAIL FROM:<a@example.net>").say(SERVER, server.ok)
    t.say(CLIENT, "RCPT TO:<b@example.org>")
    leave(t.say(SERVER, "450 4.2.0 Greylisted, come back in 300 seconds"))
    return [t, clear(place, server, server.clear_reply(), at=310)]


def tarpit(place, server):
    t = Talk(place).open()
    for octet in b"220-wait\r\n220 " + server.greeting.encode() + b"\r\n":
        t.wait(1).raw(SERVER, bytes([octet]))
    t.say(CLIENT, "EHLO " + t.helo).say(SERVER, *server.clear_reply())
    return mail(t, server)


def refusing():
    yield from each("honest/own-454", {
        "454": then_clear("454 4.7.0 TLS not available due to local problem"),
        "454-exim": then_clear("454 TLS currently unavailable"),
        "454-left": then_left("454 4.7.0 TLS not available"),
        "421": then_left("421 4.3.2 Too many connections, try again later"),
        "451": then_clear("451 4.3.0 Try again later"),
        "554-left": then_left("554 5.7.3 TLS not available"),
    }, **DOUBTFUL)
    yield from each("honest/turned-away", {
        "421": greeted_with("421 4.3.2 Service not available"),
        "554": greeted_with("554 5.7.1 no"), "450": greeted_with("450 later"),
        "ehlo-421": ehlo_answered("421 4.7.0 Too busy"),
        "ehlo-450": ehlo_answered("450 4.7.1 Come again"),
        "ehlo-550": ehlo_answered("550 5.7.1 Access denied"),
        "ehlo-554": ehlo_answered("554 5.7.1 Rejected by policy"),
        "ehlo-501": ehlo_answered("501 5.5.4 Invalid domain name"),
        "blocked": blocked_sender, "greylisted": greylisted, "tarpit": tarpit,
    })
    yield from each("honest/no-ehlo", {
        "500": ehlo_answered("500 Command unrecognized", True),
        "502": ehlo_answered("502 not implemented", True),
        "501": ehlo_answered("501 5.5.4 Invalid domain name", True),
    }, **DOUBTFUL)


# --- TLS that comes to nothing -----------------------------------------------

def after_go(then):
    def made(place, server):
        t = begin(place, server, server.reply()).say(CLIENT, OFFER)
        return then(t.say(SERVER, server.go))
    return made


def alert_by(who, description, server_hello=False):
    def then(t):
        t.raw(CLIENT, talk.client_hello())
        if server_hello:
            t.raw(SERVER, talk.server_hello(0x0303, b"\x22" * 8))
        return t.raw(who, talk.alert(description)).close(who)
    return then


def gone(t):
    return t.close(CLIENT)


def hello_gone(t):
    return t.raw(CLIENT, talk.client_hello()).close(CLIENT)


def hello_reset(t):
    t.raw(CLIENT, talk.client_hello())
    return t.raw(SERVER, talk.server_hello()).reset(CLIENT)


def session_reset(t):
    """Some clients reset what they do not need any more."""
    talk.begin_tls(t)
    for asks, answers in ((60, 250), (90, 40), (60, 60), (900, 60)):
        t.raw(CLIENT, talk.data(asks)).raw(SERVER, talk.data(answers))
    return t.raw(CLIENT, talk.data(24)).reset(CLIENT)


def older_client(t):
    """Offers TLS 1.2, and gets it from a server with TLS 1.3."""
    t.raw(CLIENT, talk.client_hello((0x0303,)))
    t.raw(SERVER, talk.server_hello(0x0303, b"DOWNGRD\1"))
    for who in (CLIENT, SERVER):
        t.raw(who, talk.record(20, b"\1") + talk.record(22, b"\7" * 40))
    for asks, answers in ((60, 250), (90, 40), (900, 60)):
        t.raw(CLIENT, talk.data(asks)).raw(SERVER, talk.data(answers))
    return t.close()


def older_server(t):
    t.raw(CLIENT, talk.client_hello())
    t.raw(SERVER, talk.server_hello(0x0303))
    for who in (CLIENT, SERVER):
        t.raw(who, talk.record(20, b"\1") + talk.record(22, b"\7" * 40))
    for asks, answers in ((60, 250), (90, 40), (900, 60)):
        t.raw(CLIENT, talk.data(asks)).raw(SERVER, talk.data(answers))
    return t.close()


def no_common(description, who=SERVER):
    """And mail in clear at once, as opportunistic clients do."""
    def made(place, server):
        t = after_go(alert_by(who, description))(place, server)
        return [t, clear(place, server, server.reply(), at=2)]
    return made


def failing():
    yield from each("honest/tls", {
        "gone": after_go(gone), "hello-gone": after_go(hello_gone),
        "hello-reset": after_go(hello_reset),
        "session-reset": after_go(session_reset),
        "older-client": after_go(older_client),
        "older-server": after_go(older_server),
        "bad-certificate": after_go(alert_by(CLIENT, 42, True)),
        "unknown-ca": after_go(alert_by(CLIENT, 48, True)),
        "expired": after_go(alert_by(CLIENT, 45, True)),
        "no-version": after_go(alert_by(SERVER, 70)),
        "no-cipher": after_go(alert_by(SERVER, 40)),
    })
    yield from each("honest/tls-then-clear", {
        "no-version": no_common(70), "no-cipher": no_common(40),
        "unknown-ca": no_common(48, CLIENT),
    }, **DOUBTFUL)


# --- who does not want to send mail ------------------------------------------

def says(*lines):
    def made(place, server):
        t = Talk(place).open().say(SERVER, "220 " + server.greeting)
        for line in lines:
            t.say(CLIENT, line).say(SERVER, varied.quoting(
                server, talk.octets_of(line).decode("latin-1")))
        return t.close(CLIENT)
    return made


def asks_only(*lines):
    def made(place, server):
        t = begin(place, server, server.reply())
        for line in lines:
            t.say(CLIENT, line).say(SERVER, varied.quoting(server, line))
        return leave(t)
    return made


def sends(octets):
    def made(place, server):
        t = Talk(place).open().say(SERVER, "220 " + server.greeting)
        t.raw(CLIENT, octets)
        return t.say(SERVER, server.unknown).close(SERVER)
    return made


def looks(place, server):
    t = Talk(place).open().say(SERVER, "220 " + server.greeting)
    return t.close(CLIENT)


def resets(place, server):
    t = Talk(place).open().say(SERVER, "220 " + server.greeting)
    return t.reset(CLIENT)


def ehlo_and_gone(place, server):
    t = Talk(place).open().say(SERVER, "220 " + server.greeting)
    return t.say(CLIENT, "EHLO " + t.helo).close(CLIENT)


def mistyped(place, server):
    """Somebody types by hand."""
    t = begin(place, server, server.reply())
    for line in ("STARTLS", "STARTTLS"):
        t.say(CLIENT, line)
        t.say(SERVER, server.go if line == OFFER else
              varied.quoting(server, line))
    return t.close(CLIENT)


def lmtp(place, server):
    t = Talk(place).open().say(SERVER, "220 mx.example.org LMTP ready")
    t.say(CLIENT, "LHLO " + t.helo).say(SERVER, *server.clear_reply())
    return mail(t, server)


def strangers():
    yield from each("honest/strangers", {
        "looks": looks, "resets": resets, "ehlo-and-gone": ehlo_and_gone,
        "ehlo-quit": lambda p, s: leave(begin(p, s, s.reply())),
        "ehlo-clear-quit": lambda p, s: leave(begin(p, s, s.clear_reply())),
        "http": says("GET / HTTP/1.1", "Host: mx.example.org"),
        "head": says("HEAD / HTTP/1.1"), "ssh": says("SSH-2.0-scan"),
        "help": asks_only("HELP", "VRFY root", "EXPN all"),
        "xadr": asks_only("XADR", "XSTA", "ETRN example.org"),
        "noop": asks_only("NOOP", "RSET", "NOOP"),
        "tls-at-once": sends(talk.client_hello()),
        "nul": sends(b"\0" * 16), "rdp": sends(bytes.fromhex(
            "030000130ee000000000000100080003000000")),
        "socks": sends(bytes.fromhex("05010003")),
        "mistyped": mistyped, "lmtp": lmtp,
    })


ALL = (ordinary, own_words, refusing, failing, strangers)
