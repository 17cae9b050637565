"""Several sessions with one server: what its history tells, what a policy
promises, and what both sides of a box show."""
import servers
import talk
import varied
from servers import OFFER
from talk import CLIENT, SERVER, Talk
from varied import (BLOCKED, BROKEN, DAY, DOUBTFUL, FORGED, GARBLED, REFUSED,
                    STRIPPED, begin, clear, each, encrypted, helo, mail,
                    replaced)

HOURS = [day * DAY + hour * 3600 for day in range(4) for hour in range(0, 24,
                                                                        4)]


def usual(place, server, **more):
    """TLS for four days, every four hours."""
    return [encrypted(place, server, at=at, **more) for at in HOURS]


def amid(attack):
    """One session in the midst of the usual ones is `attack`'s."""
    return lambda place, server: usual(place, server) + [
        attack(place, server, HOURS[len(HOURS) // 2] + 1800)]


def few(attack):
    """One session of TLS before, and one behind it."""
    return lambda place, server: [
        encrypted(place, server, at=0), attack(place, server, 600),
        encrypted(place, server, at=1200)]


def as_reply(make):
    return lambda place, server, at: clear(place, server, make(server), at=at)


def helo_like(server):
    return ["250 " + server.hello()]


def reordered(server):
    words = [w for w in server.keywords if w != OFFER]
    return server.reply(words[1:] + words[:1])


def without_two(server):
    words = [w for w in server.keywords if w != OFFER]
    return server.reply(words[:-1])


def refused(answer):
    def attack(place, server, at):
        t = begin(place, server, server.reply(), at=at).say(CLIENT, OFFER)
        return mail(t.say(SERVER, answer), server)
    return attack


def refused_ehlo(place, server, at):
    return helo(begin(place, server, ["502 5.5.2 not implemented"], at=at),
                server)


def masked_greeting(place, server, at):
    t = Talk(place, at=at).open().say(SERVER, "220 " + "*" * 40)
    return helo(t, server)


# --- attacks that history shows ----------------------------------------------

def remembered():
    stripped = {
        "removed": as_reply(servers.Server.clear_reply),
        "helo-like": as_reply(helo_like), "reordered": as_reply(reordered),
    }
    yield from each("history/stripped", {
        name: amid(attack) for name, attack in stripped.items()},
        kinds=[STRIPPED])
    yield from each("history/stripped-few", {
        "removed": few(stripped["removed"])}, kinds=[STRIPPED])
    yield from each("history/garbled", {
        name: amid(as_reply(lambda s, w=word: replaced(s, w)))
        for name, word in (("X", "X" * 8), ("word", "FGNEGGYF"),
                           ("short", "XXX"), ("long", "X" * 12),
                           ("empty", ""))}, kinds=[GARBLED, STRIPPED])
    yield from each("history/refused", {
        "454": amid(refused("454 4.7.0 TLS not available")),
        "502": amid(refused("502 5.5.1 Error: command not implemented")),
    }, kinds=[REFUSED])
    yield from each("history/blocked", {
        "502": amid(refused_ehlo), "greeting": amid(masked_greeting)},
        kinds=[BLOCKED])


def neighbours():
    """Others of its network are offered TLS, before and behind it."""
    def build(place, server):
        return [encrypted(place, server, at=at, client=place.client(20 + i))
                for i, at in enumerate(HOURS[:12])] + [
                    clear(place, server, server.clear_reply(),
                          at=HOURS[6] + 900)]
    yield from each("history/neighbours", {"removed": build},
                    kinds=[STRIPPED])


# --- what a policy promises --------------------------------------------------

def demanded():
    def to(domain, reply):
        return lambda place, server: mail(
            begin(place, server, reply(server)), server, domain)
    enforced, tested = varied.POLICIES
    yield from each("policy/stripped", {
        "removed": to(enforced, servers.Server.clear_reply),
        "helo-like": to(enforced, helo_like),
        "reordered": to(enforced, reordered)}, kinds=[STRIPPED])
    yield from each("policy/garbled", {
        name: to(enforced, lambda s, w=word: replaced(s, w))
        for name, word in (("word", "FGNEGGYF"), ("empty", ""),
                           ("long", "X" * 12), ("crammed", "HELP"))},
        kinds=[GARBLED, STRIPPED])
    yield from each("policy/honest", {
        "never-asks": to(enforced, servers.Server.reply),
        "tested-never-asks": to(tested, servers.Server.reply),
        "tls": encrypted})
    yield from each("policy/submission", {
        "removed": to(enforced, servers.Server.clear_reply)}, port=587)
    yield from each("policy/tested", {
        "removed": to(tested, servers.Server.clear_reply)}, tampered=True,
        may=[STRIPPED])


# --- both sides of who did it ------------------------------------------------

def both_sides(change, said=servers.Server.reply):
    """The far side is what the server said; the near one what came of it."""
    def build(place, server):
        far, near = Talk(place), Talk(place)
        for t, reply in ((far, said(server)), (near, change(server))):
            t.open().say(SERVER, "220 " + server.greeting)
            t.say(CLIENT, "EHLO " + t.helo)
            t.raw(SERVER, b"".join(talk.octets_of(l) + b"\r\n"
                                   for l in reply))
            mail(t, server)
        # Nearer to its sender a packet comes first, and with the higher TTL.
        near.packets = [(ns + (0 if who == CLIENT else 200000), who,
                         routed(packet, who != CLIENT))
                        for ns, who, packet in near.packets]
        far.packets = [(ns + (0 if who == SERVER else 200000), who,
                        routed(packet, who == CLIENT))
                       for ns, who, packet in far.packets]
        return [near, far]
    return build


def routed(packet, passed):
    """Behind a router its TTL is one lower."""
    if not passed:
        return packet
    octets = bytearray(packet)
    if octets[0] >> 4 == 6:
        octets[7] -= 1
        return bytes(octets)
    octets[8], octets[10:12] = octets[8] - 1, b"\0\0"
    octets[10:12] = talk.wire.checksum(bytes(octets[:20])).to_bytes(2, "big")
    return bytes(octets)


def two_sightings():
    yield from each("both/garbled", {
        name: both_sides(lambda s, w=word: replaced(s, w))
        for name, word in (("X", "X" * 8), ("last", "STARTTLX"),
                           ("nul", "\0" * 8), ("word", "FGNEGGYF"))},
        kinds=[GARBLED, FORGED])
    yield from each("both/alike", {
        "ignored": both_sides(servers.Server.reply),
        "clear": both_sides(servers.Server.clear_reply,
                            servers.Server.clear_reply)})


# --- life --------------------------------------------------------------------

def hidden_from_one(place, server):
    """By configuration, day after day."""
    return [clear(place, server, server.clear_reply(), at=at)
            for at in HOURS] + [
                encrypted(place, server, at=at + 60, client=place.client(20))
                for at in HOURS]


def backends(other):
    """One address, two servers in turn."""
    def build(place, server):
        return [(encrypted if i % 2 else other)(place, server, at=at)
                for i, at in enumerate(HOURS)]
    return build


def other_product(place, server, at):
    other = servers.ALL["exim" if server.name != "exim" else "postfix"]
    return encrypted(place, other, at=at)


def without_tls(place, server, at):
    return clear(place, server, server.clear_reply(), at=at)


def upgraded(place, server):
    """The same server, and from the third day on a newer one: more words, in
    another order."""
    words = [w for w in server.keywords if w != OFFER]
    newer = server.reply(words[-1:] + [OFFER] + words[:-1] + ["REQUIRETLS"])
    return [encrypted(place, server, server.reply() if at < 2 * DAY else
                      newer, at=at) for at in HOURS]


def tls_at_last(place, server):
    return [without_tls(place, server, at) if at < 2 * DAY else
            encrypted(place, server, at=at) for at in HOURS]


def tls_no_more(place, server):
    return [encrypted(place, server, at=at) if at < 2 * DAY else
            without_tls(place, server, at) for at in HOURS]


def broken_for_days(place, server):
    return [refused("454 4.7.0 TLS not available due to local problem")(
        place, server, at) for at in HOURS]


def no_version_for_days(place, server):
    import look_alikes
    made = []
    for at in HOURS:
        t = begin(place, server, server.reply(), at=at).say(CLIENT, OFFER)
        look_alikes.alert_by(SERVER, 70)(t.say(SERVER, server.go))
        made += [t, clear(place, server, server.reply(), at=at + 2)]
    return made


def never_esmtp(place, server):
    return [refused_ehlo(place, server, at) for at in HOURS]


def always_that_word(place, server):
    """A keyword of its own in the place of nothing: always there."""
    words = [w for w in server.keywords if w != OFFER]
    reply = server.reply(words[:1] + ["FILTERED"] + words[1:])
    return [clear(place, server, reply, at=at) for at in HOURS]


def same_word_beside(place, server):
    """A word of its own, with the offer and, to another client, without."""
    words = [w for w in server.keywords if w != OFFER]
    with_offer = server.reply(["QZKWVPDJ"] + server.keywords)
    without = server.reply(["QZKWVPDJ"] + words)
    return [encrypted(place, server, with_offer, at=at) for at in HOURS] + [
        clear(place, server, without, at=at + 60, client=place.client(30, 1))
        for at in HOURS]


def own_454(place, server, at):
    """For an hour its certificate cannot be read; in its own words."""
    enhanced = server.ok[4:5] == "2"
    return refused("454 4.7.0 TLS not available due to local problem"
                   if enhanced else "454 TLS currently unavailable")(
                       place, server, at)


def ehlo_cut(place, server, at):
    """Once the server has had enough."""
    t = Talk(place, at=at).open().say(SERVER, "220 " + server.greeting)
    return t.say(CLIENT, "EHLO " + t.helo).close(SERVER)


def never_asking(place, server):
    return [clear(place, server, server.reply(), at=at) for at in HOURS]


def life():
    yield from each("honest/life", {
        "backends-tls": backends(other_product), "upgraded": upgraded,
        "never-asking": never_asking})
    yield from each("honest/life-doubtful", {
        "hidden-from-one": hidden_from_one,
        "backends-clear": backends(without_tls), "tls-at-last": tls_at_last,
        "tls-no-more": tls_no_more, "broken-for-days": broken_for_days,
        "no-version-for-days": no_version_for_days,
        "never-esmtp": never_esmtp, "always-that-word": always_that_word,
        "same-word-beside": same_word_beside, "own-454": amid(own_454),
        "ehlo-cut": amid(ehlo_cut)}, **DOUBTFUL)


def lossy():
    """The capture lost a piece of a reply; the client, for once, never asked
    for TLS."""
    def build(place, server):
        return [clear(place, server, server.reply(), mss=40)] + \
            usual(place, server)[3:]
    for tap in talk.PARTIAL:
        if tap.startswith("without"):
            yield from each("honest/lossy-" + tap, {"clear": build}, tap=tap)


ALL = (remembered, neighbours, demanded, two_sightings, life, lossy)
