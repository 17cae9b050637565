"""What happens, by kind of incident: attacks, and honest traffic that looks
like them. One function a scenario; its doc string says what it is. A client
that goes on in clear does so by itself: nothing here makes it."""
import contextlib
import ssl
import time

import router
from lab import server_context, talk, zone

ALL = []
EVERY_SIDE = ("client", "server", "both")
POSTFIX, EXIM, OPENSMTPD = ("198.51.100.10", "198.51.100.20",
                            "198.51.100.30")
POSTFIX6, EXIM6 = "2001:db8:2::10", "2001:db8:2::20"
OTHER, ANOTHER = "198.51.100.40", "198.51.100.41"
V6 = "2001:db8:1::10"


class Scenario:
    def __init__(self, function, kinds, tampered, **more):
        self.run = function
        self.name = function.__name__.replace("_", "-")
        self.note = function.__doc__.split("\n")[0]
        self.kind = kinds[0]
        self.kinds = kinds
        self.tampered = tampered
        self.sees = more.get("sees", ("client", "both") if tampered else ())
        self.sides = more.get("sides", EVERY_SIDE)
        self.may = more.get("may", [])
        self.ceiling = more.get("ceiling", 0.4)
        self.acts = more.get("acts", 1 if tampered else 0)


def attack(*kinds, **more):
    """`sees`: the sides that can know; `acts`: how many incidents."""
    def add(function):
        ALL.append(Scenario(function, list(kinds), True, **more))
        return function
    return add


def honest(*kinds, **more):
    """`ceiling`: 0.7 where nothing on the wire tells it from an attack."""
    def add(function):
        ALL.append(Scenario(function, list(kinds), False, **more))
        return function
    return add


# --- starttls-garbled ---------------------------------------------------------


def garble(word):
    return router.overwrite(b"STARTTLS", word)


@attack("starttls-garbled")
def garbled_x_run(lab):
    """XXXXXXXX, Postfix to Postfix"""
    with lab.tampered(garble(b"XXXXXXXX")):
        lab.postfix("postfix.example.org")


@attack("starttls-garbled")
def garbled_cisco_exim(lab):
    """XXXXXXXA, Exim to Exim"""
    with lab.tampered(garble(b"XXXXXXXA")):
        lab.exim("exim.example.com")


@attack("starttls-garbled")
def garbled_letters_opensmtpd(lab):
    """random letters, Exim to OpenSMTPD"""
    with lab.tampered(garble(b"QWZKPVBN")):
        lab.exim("opensmtpd.example.net")


@attack("starttls-garbled")
def garbled_near_miss_v6(lab):
    """STARTTLZ over IPv6, Postfix to Exim"""
    with lab.tampered(garble(b"STARTTLZ")):
        lab.postfix("exim6.example.com", V6)


@attack("starttls-garbled")
def garbled_noop_line(lab):
    """250-NOOP and blanks, Exim to Postfix"""
    with lab.tampered(garble(b"NOOP    ")):
        lab.exim("postfix.example.org")


@attack("starttls-garbled")
def garbled_digits(lab):
    """digits, Postfix to Exim"""
    with lab.tampered(garble(b"00000000")):
        lab.postfix("exim.example.com", "192.0.2.11")


@attack("starttls-garbled")
def garbled_control_octets(lab):
    """control octets, Exim over IPv6"""
    with lab.tampered(garble(b"\x01\x02\x03\x04\x05\x06\x07\x08")):
        lab.exim("exim6.example.com", V6)


@attack("starttls-garbled")
def garbled_whole_line(lab):
    """the code of the line too, Exim to Postfix"""
    with lab.tampered(router.overwrite(b"250-STARTTLS", b"XXXXXXXXXXXX")):
        lab.exim("postfix.example.org")


@attack("starttls-garbled")
def garbled_length_changed(lab):
    """a shorter word by a proxy, Postfix to Postfix"""
    def reply(_, text):
        return text.replace(b"STARTTLS", b"XXXXXX")
    with lab.proxied(reply=reply):
        lab.postfix("postfix.example.org")


@attack("starttls-garbled", acts=3)
def garbled_for_days(lab):
    """three mails on three days, all garbled, another client"""
    with lab.tampered(garble(b"XXXXXXXX")):
        for _ in range(3):
            lab.postfix("postfix.example.org", "203.0.113.30")
            lab.later(days=1)


def big_reply(lines, product="Postfix"):
    return "\n".join(["250-mx.example.net"] + ["250-" + l for l in lines[:-1]]
                     + ["250 " + lines[-1]]), "220 mx.example.net ESMTP " + \
        product


@honest("starttls-garbled")
def looks_garbled_private_word(lab):
    """a private keyword of eight letters beside STARTTLS"""
    ehlo, greeting = big_reply(["SIZE 1000", "XDRMFLTR", "STARTTLS",
                                "8BITMIME"], "Example")
    with lab.server(OTHER, talk(greeting, ehlo, {"STARTTLS": "220 Go"})):
        lab.mail(OTHER)


@honest("starttls-garbled")
def looks_garbled_lower_case(lab):
    """a server that writes its keywords in lower case, and TLS follows"""
    ehlo, greeting = big_reply(["size 1000", "starttls", "8bitmime"],
                               "Example")
    with lab.server(OTHER, talk(greeting, ehlo, {"STARTTLS": "220 Go"})):
        lab.mail(OTHER)


@honest("starttls-garbled")
def looks_garbled_body_quotes(lab):
    """a mail that quotes a garbled reply, real Postfix, in clear"""
    lab.postfix("plain.example.org", text="250-mx\r\n250-XXXXXXXA\r\n"
                "250-8BITMIME\r\n250 DSN")


@honest("starttls-garbled")
def looks_garbled_own_words(lab):
    """private keywords only, and never STARTTLS, for three days"""
    ehlo, greeting = big_reply(["SIZE 1000", "XEXCH50X", "XRDST",
                                "8BITMIME"], "Example")
    with lab.server(OTHER, talk(greeting, ehlo)):
        for _ in range(3):
            lab.mail(OTHER)
            lab.later(days=1)


@honest("starttls-garbled", sides=("client", "server"))
def looks_garbled_others_masked(lab):
    """a firewall that masks CHUNKING and leaves STARTTLS"""
    with lab.tampered(router.overwrite(b"CHUNKING", b"XXXXXXXX")):
        lab.postfix("postfix.example.org")


# --- starttls-stripped --------------------------------------------------------


def stripper(verb, text):
    return router.strip(verb, text) if verb == b"EHLO" else text


@attack("starttls-stripped", sees=("client",))
def stripped_policy(lab):
    """the line removed, the domain's policy enforces TLS"""
    with lab.proxied(reply=stripper):
        lab.postfix("promise.example.org")


@attack("starttls-stripped", sees=("client",))
def stripped_history(lab):
    """seven days of TLS, one mail without the offer, TLS again"""
    for day in range(8):
        if day == 5:
            with lab.proxied(reply=stripper, ttl=64):
                lab.postfix("postfix.example.org")
        else:
            lab.postfix("postfix.example.org")
        lab.later(days=1)


@attack("starttls-stripped", sees=("client",))
def stripped_asked_all_the_same(lab):
    """removed, but the client says STARTTLS and TLS begins"""
    with lab.proxied(reply=stripper):
        lab.mail(EXIM, tls="anyway")


@attack("starttls-stripped", sees=("client",))
def stripped_history_v6(lab):
    """the same with Exim over IPv6"""
    for day in range(6):
        if day == 4:
            with lab.proxied(reply=stripper):
                lab.exim("exim6.example.com", V6)
        else:
            lab.exim("exim6.example.com", V6)
        lab.later(days=1)


@honest("starttls-stripped")
def looks_stripped_never_had_it(lab):
    """Postfix without TLS, two clients"""
    lab.postfix("plain.example.org")
    lab.exim("plain.example.org", "203.0.113.30")


@honest("starttls-stripped", ceiling=0.7, may=["starttls-stripped"])
def looks_stripped_by_client(lab):
    """Postfix that hides STARTTLS from one client by configuration"""
    for _ in range(4):
        lab.postfix("hiding.example.org")
        lab.postfix("hiding.example.org", "192.0.2.20")
        lab.later(days=1)


@honest("starttls-stripped", ceiling=0.7, may=["starttls-stripped"])
def looks_stripped_backends(lab):
    """a load balancer with one server that has TLS and one without"""
    turn = [0]

    def backend(server):
        turn[0] += 1
        return "198.51.100.11" if turn[0] % 2 else server
    with lab.proxied(script=lambda c, s: router.pump(c, s), ttl=64,
                     backend=backend):
        for _ in range(8):
            lab.postfix("postfix.example.org")
            lab.later(seconds=3600)


@honest("starttls-stripped", ceiling=0.7, may=["starttls-stripped"])
def looks_stripped_planned_change(lab):
    """Exim with TLS for four days, without from then on"""
    for day in range(8):
        if day < 4:
            lab.exim("exim.example.com")
        else:
            with lab.proxied(script=lambda c, s: router.pump(c, s), ttl=63,
                             backend=lambda _: "198.51.100.21"):
                lab.exim("exim.example.com")
        lab.later(days=1)


# --- starttls-command-garbled ---------------------------------------------------


def garble_command(word):
    return router.overwrite(b"STARTTLS\r\n", word + b"\r\n", to_server=True)


@attack("starttls-command-garbled", "starttls-refused",
        sees=("client", "server"))
def command_x_postfix(lab):
    """XXXXXXXX arrives at Postfix"""
    with lab.tampered(garble_command(b"XXXXXXXX")):
        lab.postfix("postfix.example.org")


@attack("starttls-command-garbled", "starttls-refused",
        sees=("client", "server"))
def command_letters_exim(lab):
    """random letters arrive at Exim"""
    with lab.tampered(garble_command(b"ZQPWMVKR")):
        lab.exim("exim.example.com")


@attack("starttls-command-garbled", "starttls-refused",
        sees=("client", "server"))
def command_bits_v6(lab):
    """one letter changed, Exim over IPv6"""
    with lab.tampered(garble_command(b"STARTULS")):
        lab.exim("exim6.example.com", V6)


@attack("starttls-command-garbled", "starttls-refused",
        sees=("client", "server"))
def command_quoted(lab):
    """a server that quotes what came"""
    ehlo, greeting = big_reply(["SIZE 1000", "STARTTLS", "8BITMIME"],
                               "Example")
    answers = {"XXXXXXXX": "500 5.5.1 Command unrecognized: \"XXXXXXXX\""}
    with lab.server(OTHER, talk(greeting, ehlo, answers)), \
            lab.tampered(garble_command(b"XXXXXXXX")):
        lab.say(OTHER, b"EHLO relay.example.net\r\n", b"STARTTLS\r\n",
                b"MAIL FROM:<a@example.net>\r\n", b"RCPT TO:<b@example.org>\r\n",
                b"QUIT\r\n")


@honest("starttls-command-garbled")
def looks_command_help(lab):
    """a client that asks for HELP behind the offer"""
    lab.say(POSTFIX, b"EHLO relay.example.net\r\n", b"HELP\r\n",
            b"QUIT\r\n")


@honest("starttls-command-garbled")
def looks_command_private(lab):
    """a client with a command of its own, then TLS"""
    lab.say(EXIM, b"EHLO relay.example.net\r\n", b"XFILTERS on\r\n",
            b"RSET\r\n", b"QUIT\r\n")


@honest("starttls-command-garbled")
def looks_command_in_body(lab):
    """lines like it in a mail's body"""
    lab.postfix("plain.example.org", text="XXXXXXXX\r\nSTARTTLS\r\n"
                "500 unknown command \"XXXXXXXX\"")


# --- ehlo-blocked -----------------------------------------------------------------


@attack("ehlo-blocked", sees=("client", "server"))
def blocked_x_postfix(lab):
    """XXXX arrives at Postfix, HELO follows"""
    with lab.tampered(router.overwrite(b"EHLO", b"XXXX", to_server=True)):
        lab.postfix("postfix.example.org")


@attack("ehlo-blocked", sees=("client",))
def blocked_502_exim(lab):
    """a proxy says 502 to EHLO, Exim says HELO"""
    with lab.proxied(command=lambda verb, line: (
            '502 Error: command "EHLO" not implemented\r\n'
            if verb == b"EHLO" else line)):
        lab.exim("exim.example.com")


@attack("ehlo-blocked", sees=("client",))
def blocked_greeting(lab):
    """a greeting of asterisks, Postfix says HELO"""
    def reply(verb, text):
        if verb:
            return text
        return b"220 " + b"*" * (len(text) - 6) + b"\r\n"
    with lab.proxied(reply=reply):
        lab.postfix("exim.example.com")


@attack("ehlo-blocked", sees=("client",))
def blocked_answer_v6(lab):
    """the answer to EHLO overwritten, Exim over IPv6"""
    with lab.tampered(lambda p: overwrite_answer(p)):
        lab.exim("postfix6.example.org", V6)


def overwrite_answer(p):
    if not p.to_server and p.payload.startswith(b"250-mx"):
        p.payload = b"502 5.5.2 Error: command not recognized" + \
            b" " * (len(p.payload) - 41) + b"\r\n"
    return [p]


@attack("ehlo-blocked", sees=("client",))
def blocked_close_then_helo(lab):
    """closed on EHLO; the client comes again and says HELO"""
    def command(verb, line):
        if verb == b"EHLO":
            raise EOFError
        return line
    with lab.proxied(command=command):
        lab.say(POSTFIX, b"EHLO relay.example.net\r\n")
        lab.say(POSTFIX, b"HELO relay.example.net\r\n",
                b"MAIL FROM:<a@example.net>\r\n",
                b"RCPT TO:<b@example.org>\r\n", b"DATA\r\n",
                b"Subject: a\r\n\r\nHello.\r\n.\r\n", b"QUIT\r\n")


@honest("ehlo-blocked")
def looks_blocked_old_server(lab):
    """a server without ESMTP"""
    with lab.server(OTHER, talk("220 mx.example.net ready",
                                "500 Unknown command")):
        lab.exim("other.example.net")
        lab.postfix("other.example.net")


@honest("ehlo-blocked")
def looks_blocked_helo_client(lab):
    """clients that never say EHLO"""
    for server in (POSTFIX, EXIM):
        lab.say(server, b"HELO relay.example.net\r\n",
                b"MAIL FROM:<a@example.net>\r\n",
                b"RCPT TO:<b@example.org>\r\n", b"DATA\r\n",
                b"Subject: a\r\n\r\nHello.\r\n.\r\n", b"QUIT\r\n")


@honest("ehlo-blocked")
def looks_blocked_bad_name(lab):
    """Exim refuses EHLO and HELO for the client's name"""
    lab.say(EXIM, b"EHLO relay_1.example.net!\r\n",
            b"HELO relay_1.example.net!\r\n", b"QUIT\r\n")


@honest("ehlo-blocked")
def looks_blocked_busy(lab):
    """a server that greets with 421"""
    with lab.server(OTHER, lambda line: line.send(
            b"421 mx.example.net too busy\r\n")):
        lab.postfix("other.example.net", quiet=2)


@honest("ehlo-blocked")
def looks_blocked_for_days(lab):
    """ESMTP in the greeting and EHLO refused, every day"""
    with lab.server(OTHER, talk("220 mx.example.net ESMTP",
                                "502 Not implemented")):
        for _ in range(5):
            lab.exim("other.example.net")
            lab.exim("other.example.net", "203.0.113.30")
            lab.later(days=1)


# --- starttls-refused ---------------------------------------------------------------


def refuse(answer):
    return {"command": lambda verb, line: answer if verb == b"STARTTLS"
            else line}


@attack("starttls-refused", sees=("client",))
def refused_454_postfix(lab):
    """454 by a proxy, Postfix goes on"""
    with lab.proxied(**refuse("454 4.7.0 TLS not available due to local "
                              "problem\r\n")):
        lab.postfix("postfix.example.org")


@attack("starttls-refused", sees=("client",))
def refused_500_exim(lab):
    """500 without an enhanced code, Exim to Exim"""
    with lab.proxied(**refuse("500 unrecognized command\r\n")):
        lab.exim("exim.example.com")


@attack("starttls-refused", sees=("client",))
def refused_history_v6(lab):
    """one 454 in a week of TLS, over IPv6"""
    for day in range(6):
        if day == 4:
            with lab.proxied(**refuse("454 4.3.0 Try again later\r\n")):
                lab.postfix("postfix6.example.org", V6)
        else:
            lab.postfix("postfix6.example.org", V6)
        lab.later(days=1)


@attack("starttls-refused")
def refused_overwritten(lab):
    """220 becomes 454 in its packet, Exim to Postfix"""
    with lab.tampered(router.overwrite(b"220 2.0.0 Ready to start TLS",
                                       b"454 4.7.0 Not able to do TLS")):
        lab.exim("postfix.example.org")


@honest("starttls-refused", ceiling=0.7, may=["starttls-refused"])
def looks_refused_postfix_key(lab):
    """Postfix whose key is missing"""
    lab.postfix("broken.example.org")


@honest("starttls-refused", ceiling=0.7, may=["starttls-refused"])
def looks_refused_exim_key(lab):
    """Exim whose key is missing, three days, two clients"""
    for _ in range(3):
        lab.exim("broken.example.com")
        lab.exim("broken.example.com", "203.0.113.30")
        lab.later(days=1)


@honest("starttls-refused")
def looks_refused_greylisted(lab):
    """greylisting: 450 to RCPT inside TLS, then accepted"""
    ehlo, greeting = big_reply(["SIZE 1000", "STARTTLS", "8BITMIME"],
                               "Example")
    with lab.server(OTHER, talk(greeting, ehlo, {
            "STARTTLS": "220 Go", "RCPT": "450 4.2.0 Greylisted"})):
        lab.exim("other.example.net")


# --- tls-session-broken ---------------------------------------------------------------


@attack("tls-session-broken")
def broken_reset_exim(lab):
    """a reset at the ClientHello; Exim delivers in clear at once"""
    with lab.tampered(router.cut(router.starts_tls)):
        lab.exim("exim.example.com")


@attack("tls-session-broken")
def broken_close_postfix(lab):
    """closed at the ClientHello; Postfix comes again, and then in clear"""
    with lab.tampered(router.finish(router.starts_tls)):
        lab.postfix("postfix.example.org", quiet=3)


@attack("tls-session-broken")
def broken_swallowed_v6(lab):
    """the ClientHello never arrives, Exim over IPv6"""
    with lab.tampered(router.swallow(router.starts_tls)):
        lab.exim("exim6.example.com", V6, quiet=6)


@attack("tls-session-broken")
def broken_inside_postfix(lab):
    """reset at the first data of the client inside TLS"""
    def data(p):
        return p.to_server and p.payload[:1] == bytes([router.TLS_DATA])
    with lab.tampered(router.cut(data)):
        lab.postfix("postfix.example.org", quiet=3)


@honest("tls-session-broken", ceiling=0.7, may=["tls-session-broken"])
def looks_broken_opensmtpd(lab):
    """OpenSMTPD, whose TLS is broken here: closes in every handshake"""
    for _ in range(3):
        lab.exim("opensmtpd.example.net")
        lab.later(days=1)


@honest("tls-session-broken", ceiling=0.7, may=["tls-session-broken"])
def looks_broken_no_common_cipher(lab):
    """Exim without a cipher in common with the server"""
    lab.exim("postfix.example.org", options=(
        "tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS1.2:"
        "-CIPHER-ALL:+CAMELLIA-256-CBC",))


@honest("tls-session-broken")
def looks_broken_scanner(lab):
    """a scanner that says STARTTLS and leaves"""
    for server in (POSTFIX, EXIM, OPENSMTPD):
        lab.say(server, b"EHLO scan.example.net\r\n", b"STARTTLS\r\n")


# --- tls-version-downgraded -------------------------------------------------------------


@attack("tls-version-downgraded", may=["tls-session-broken"])
def version_postfix(lab):
    """supported_versions hidden, Postfix to Postfix"""
    with lab.tampered(router.older_hello()):
        lab.postfix("postfix.example.org", quiet=3)


@attack("tls-version-downgraded", may=["tls-session-broken"])
def version_exim(lab):
    """supported_versions hidden, Exim to Exim"""
    with lab.tampered(router.older_hello()):
        lab.exim("exim.example.com")


@attack("tls-version-downgraded", may=["tls-session-broken"])
def version_python_v6(lab):
    """supported_versions hidden, smtplib to Postfix over IPv6"""
    with lab.tampered(router.older_hello()), \
            contextlib.suppress(ssl.SSLError):
        lab.mail(POSTFIX6, V6)


@honest("tls-version-downgraded")
def looks_older_python(lab):
    """a client of TLS 1.2 and servers of 1.3"""
    for server in (POSTFIX, EXIM):
        lab.mail(server, context=lab.context(ssl.TLSVersion.TLSv1_2))


@honest("tls-version-downgraded")
def looks_older_exim(lab):
    """Exim held at TLS 1.2"""
    lab.exim("postfix.example.org", options=(
        "tls_require_ciphers = NORMAL:-VERS-TLS1.3",))


@honest("tls-version-downgraded")
def looks_older_v6(lab):
    """smtplib held at TLS 1.2, over IPv6"""
    lab.mail(EXIM6, V6, context=lab.context(ssl.TLSVersion.TLSv1_2))


# --- certificate-mismatch ---------------------------------------------------------------


def terminate(name):
    """TLS ends at the proxy, with the certificate NAME; it speaks TLS to the
    server too."""
    def script(client, server):
        client.send(server.reply())
        server.send(client.read())
        client.send(server.reply())
        server.send(client.read())
        client.send(server.reply())
        client.tls(server_context(name, ssl.TLSVersion.TLSv1_2), True)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        server.tls(context, False)
        router.pump(client, server)
    return script


def by_dns(lab, name):
    with lab.dns(zone([POSTFIX])), lab.proxied(script=terminate(name)):
        lab.mail_by_dns()


@attack("certificate-mismatch", sees=("client",))
def certificate_of_other_ca(lab):
    """another CA and another name, the policy enforces"""
    by_dns(lab, "stranger")


@attack("certificate-mismatch", sees=("client",))
def certificate_self_signed(lab):
    """signed by itself"""
    by_dns(lab, "self")


@attack("certificate-mismatch", sees=("client",))
def certificate_imitation(lab):
    """the right name, by an unknown CA"""
    by_dns(lab, "imitation")


@honest("certificate-mismatch")
def looks_mismatched_right(lab):
    """the right certificate by TLS 1.2"""
    with lab.dns(zone([POSTFIX])):
        lab.mail_by_dns()


@honest("certificate-mismatch")
def looks_mismatched_unseen(lab):
    """TLS 1.3 shows no certificate"""
    with lab.dns(zone([POSTFIX])):
        lab.mail_by_dns(context=lab.context())


@honest("certificate-mismatch")
def looks_mismatched_renewed(lab):
    """renewed: another key, the same name and CA"""
    with lab.dns(zone([POSTFIX])):
        lab.mail_by_dns()
        lab.later(days=2)
        with lab.proxied(script=terminate("renewed"), ttl=63):
            lab.mail_by_dns()


# --- server-redirected --------------------------------------------------------------------


def race_dns(genuine, forged):
    """The forged answer first."""
    def tamper(p):
        if p.is_tcp or genuine not in p.rest:
            return [p]
        lie = p.copy()
        lie.rest = router.udp(p, p.rest[8:].replace(genuine, forged))
        return [lie, p]
    return tamper


PLAIN_SERVER = ("220 mx1.example.org ESMTP", "250 mx1.example.org")


@attack("server-redirected")
def redirected_race_a(lab):
    """a forged address wins the race, the client sends to it"""
    with lab.dns(zone([POSTFIX])), lab.server(OTHER, talk(*PLAIN_SERVER)), \
            lab.tampered(race_dns(b"\xc6\x33\x64\x0a", b"\xc6\x33\x64\x28")):
        lab.mail_by_dns()


@attack("server-redirected")
def redirected_mx(lab):
    """a forged MX that the policy does not list"""
    with lab.dns(zone([OTHER], "mx1.example.net")), \
            lab.server(OTHER, talk(*PLAIN_SERVER)):
        lab.mail_by_dns(mx="mx1.example.net")


@attack("server-redirected")
def redirected_race_late(lab):
    """the forged address comes second, and is taken by nobody"""
    def tamper(p):
        out = race_dns(b"\xc6\x33\x64\x0a", b"\xc6\x33\x64\x28")(p)
        return out[::-1]
    with lab.dns(zone([POSTFIX])), lab.tampered(tamper):
        lab.mail_by_dns()


@honest("server-redirected")
def looks_redirected_turns(lab):
    """two addresses that take turns"""
    with lab.dns(zone([POSTFIX, "198.51.100.13"])):
        for _ in range(2):
            lab.mail_by_dns()
            lab.later(seconds=600)


@honest("server-redirected")
def looks_redirected_answered_again(lab):
    """the same answer twice"""
    def tamper(p):
        return [p] if p.is_tcp or p.to_server else [p, p]
    with lab.dns(zone([POSTFIX])), lab.tampered(tamper):
        lab.mail_by_dns()


@honest("server-redirected")
def looks_redirected_moved(lab):
    """the server moves to another address"""
    with lab.dns(zone([POSTFIX])):
        lab.mail_by_dns()
    lab.later(days=3)
    with lab.dns(zone(["198.51.100.13"])):
        lab.mail_by_dns()


# --- plaintext-injected -------------------------------------------------------------------


def inject_command(octets):
    def command(verb, line):
        return line + octets if verb == b"STARTTLS" else line
    return command


@attack("plaintext-injected", sees=("server",))
def injected_rset(lab):
    """RSET behind STARTTLS, Postfix to Postfix"""
    with lab.proxied(command=inject_command(b"RSET\r\n")):
        lab.postfix("postfix.example.org")


@attack("plaintext-injected", sees=("server",))
def injected_mail_v6(lab):
    """a whole envelope behind STARTTLS, over IPv6"""
    with lab.proxied(command=inject_command(
            b"EHLO x.example\r\nMAIL FROM:<m@example.net>\r\n"
            b"RCPT TO:<b@example.org>\r\nDATA\r\n")):
        lab.exim("exim6.example.com", V6)


@attack("plaintext-injected", sees=("client",))
def injected_replies(lab):
    """replies behind the 220, to Exim"""
    def reply(verb, text):
        return text + b"250-x\r\n250 AUTH PLAIN\r\n" \
            if verb == b"STARTTLS" else text
    with lab.proxied(reply=reply):
        lab.exim("postfix.example.org")


@honest("plaintext-injected")
def looks_injected_pipelined_before(lab):
    """NOOP and STARTTLS in one segment"""
    lab.say(EXIM, b"EHLO relay.example.net\r\n", b"NOOP\r\nSTARTTLS\r\n")


@honest("plaintext-injected")
def looks_injected_long_220(lab):
    """a 220 of two lines"""
    ehlo, greeting = big_reply(["STARTTLS", "8BITMIME"], "Example")
    with lab.server(OTHER, talk(greeting, ehlo, {
            "STARTTLS": "220-Ready\n220 to start TLS"})):
        lab.mail(OTHER)


@honest("plaintext-injected")
def looks_injected_split(lab):
    """the ClientHello in two segments"""
    def tamper(p):
        if not router.starts_tls(p) or len(p.payload) < 20:
            return [p]
        rest = p.copy()
        rest.payload, p.payload = p.payload[5:], p.payload[:5]
        rest.seq += 5
        return [p, rest]
    with lab.tampered(tamper):
        lab.exim("postfix.example.org")


# --- segment-forged -----------------------------------------------------------------------


@attack("segment-forged", "starttls-garbled")
def forged_offer(lab):
    """a forged EHLO reply wins the race, Postfix"""
    with lab.tampered(router.race(b"STARTTLS", b"XXXXXXXX")):
        lab.postfix("postfix.example.org")


@attack("segment-forged", "starttls-refused")
def forged_refusal(lab):
    """a forged answer to STARTTLS, Exim"""
    with lab.tampered(router.race(b"220 2.0.0 Ready to start TLS",
                                  b"454 4.7.0 Not able to do TLS")):
        lab.exim("postfix.example.org")


@attack("segment-forged")
def forged_greeting_v6(lab):
    """two greetings, over IPv6"""
    with lab.tampered(router.race(b"ESMTP Postfix", b"ESMTP Example")):
        lab.postfix("postfix6.example.org", V6)


def repeat(when, change=None):
    def tamper(p):
        if p.to_server or when not in p.payload:
            return [p]
        again = p.copy()
        if change:
            change(again)
        return [p, again]
    return tamper


@honest("segment-forged")
def looks_forged_again(lab):
    """the same segment twice"""
    with lab.tampered(repeat(b"STARTTLS")):
        lab.postfix("postfix.example.org")


@honest("segment-forged")
def looks_forged_cut_otherwise(lab):
    """sent again from its middle on"""
    def change(p):
        p.payload, p.seq = p.payload[20:], p.seq + 20
    with lab.tampered(repeat(b"STARTTLS", change)):
        lab.postfix("postfix.example.org")


@honest("segment-forged")
def looks_forged_late(lab):
    """the segment again, half a second later"""
    def tamper(p):
        if not p.to_server and b"STARTTLS" in p.payload:
            time.sleep(0.3)
            return [p, p]
        return [p]
    with lab.tampered(tamper):
        lab.exim("exim.example.com")
