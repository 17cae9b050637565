"""Captures that are shipped and were never live: each is made by what stands
here, octet for octet. tests/run/made says whether they still are."""
from dialogue import CLIENT, SERVER, Dialogue

POSTFIX = b"220 mx.example.org ESMTP Postfix"
REPLY = [b"250-mx.example.org", b"250-PIPELINING", b"250-SIZE 10240000",
         b"250-VRFY", b"250-ETRN", b"250-STARTTLS",
         b"250-ENHANCEDSTATUSCODES", b"250-8BITMIME", b"250 DSN"]
JUNK = [b"250-XJUNK%d %s" % (i, b"a" * 40) for i in range(45)]


def delivery(number, greeting, reply):
    """One mail in clear, whatever the reply offers."""
    dialogue = Dialogue(number).open().say(SERVER, greeting)
    dialogue.say(CLIENT, b"EHLO relay.example.net").say(SERVER, *reply)
    return dialogue.mail().close().frames


def offer_as(line):
    return [line if b"STARTTLS" in old else old for old in REPLY]


CAPTURES = {
    "m01-inflated.pcap":
        delivery(1, POSTFIX, REPLY[:1] + JUNK + REPLY[1:]),
    "m01-long-by-itself.pcap":
        delivery(2, b"220 mx.example.org ESMTP ready",
                 REPLY[:1] + JUNK + REPLY[1:]),
    "m02-code.pcap": delivery(3, POSTFIX, offer_as(b"550-STARTTLS")),
    "m03-case.pcap": delivery(4, POSTFIX, offer_as(b"250-sTARTTLS")),
    "m03-lower-case.pcap": delivery(5, POSTFIX, offer_as(b"250-starttls")),
}
