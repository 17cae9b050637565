"""Mail servers as they greet, answer EHLO and refuse, for captures that a script
makes. Orders and words are those of public transcripts and of the servers'
sources; hosts are example.org's.
"""
from masks import OFFER

HOST = "mx.example.org"


class Server:
    """`hello` is the first line of the answer to EHLO, {} the client's name;
    `unknown` answers a command that is none, {} being the command."""

    def __init__(self, name, greeting, hello, keywords, go="2.0.0 Ready",
                 unknown="500 5.5.1 Command unrecognized",
                 ok="250 2.1.0 Ok"):
        self.name, self.greeting, self.first = name, greeting, hello
        self.keywords = keywords.split(" / ")
        self.go, self.unknown, self.ok = "220 " + go, unknown, ok

    @property
    def has_place(self):
        """Can the place tell what a word was? Not where nobody knows the
        product, or it lists so little that many orders agree."""
        return self.name not in (
            "qmail", "mdaemon", "ironport", "proofpoint", "barracuda",
            "hmailserver", "axigen", "brevo", "zoho") and \
            not self.name.startswith("quoted")

    @property
    def greets_esmtp(self):
        return "ESMTP" in self.greeting

    def hello(self, client="relay.example.net"):
        return self.first.format(client)

    def reply(self, words=None, client="relay.example.net"):
        """The lines of the answer to EHLO, `words` for keywords."""
        words = self.keywords if words is None else words
        lines = [self.hello(client)] + list(words)
        return ["250-" + line for line in lines[:-1]] + ["250 " + lines[-1]]

    def clear_reply(self):
        """As it answers where it is without TLS."""
        return self.reply([w for w in self.keywords if w != OFFER])


ALL = {server.name: server for server in (
    Server("postfix", HOST + " ESMTP Postfix (Debian/GNU)", HOST,
           "PIPELINING / SIZE 10240000 / VRFY / ETRN / STARTTLS / "
           "ENHANCEDSTATUSCODES / 8BITMIME / DSN / SMTPUTF8 / CHUNKING",
           "2.0.0 Ready to start TLS",
           "502 5.5.2 Error: command not recognized"),
    Server("postfix-auth", HOST + " ESMTP", HOST,
           "PIPELINING / SIZE 20480000 / ETRN / STARTTLS / AUTH PLAIN LOGIN / "
           "AUTH=PLAIN LOGIN / ENHANCEDSTATUSCODES / 8BITMIME / DSN",
           "2.0.0 Ready to start TLS",
           "502 5.5.2 Error: command not recognized"),
    Server("exim", HOST + " ESMTP Exim 4.96 Sun, 01 Mar 2026 10:15:02 +0000",
           HOST + " Hello {} [192.0.2.10]",
           "SIZE 52428800 / 8BITMIME / PIPELINING / PIPECONNECT / CHUNKING / "
           "STARTTLS / PRDR / HELP", "TLS go ahead",
           "500 unrecognized command", "250 OK"),
    Server("sendmail", HOST + " ESMTP Sendmail 8.17.1/8.17.1; Sun, 1 Mar 2026",
           HOST + " Hello {} [192.0.2.10], pleased to meet you",
           "ENHANCEDSTATUSCODES / PIPELINING / 8BITMIME / SIZE / DSN / ETRN / "
           "AUTH DIGEST-MD5 CRAM-MD5 / STARTTLS / DELIVERBY / HELP",
           "2.0.0 Ready to start TLS",
           '500 5.5.1 Command unrecognized: "{}"',
           "250 2.1.0 <a@example.net>... Sender ok"),
    Server("exchange", HOST + " Microsoft ESMTP MAIL Service ready at Sun",
           HOST + " Hello [192.0.2.10]",
           "SIZE 37748736 / PIPELINING / DSN / ENHANCEDSTATUSCODES / STARTTLS "
           "/ X-ANONYMOUSTLS / AUTH NTLM / X-EXPS GSSAPI NTLM / 8BITMIME / "
           "BINARYMIME / CHUNKING / SMTPUTF8 / XRDST",
           "2.0.0 SMTP server ready", "500 5.3.3 Unrecognized command '{}'",
           "250 2.1.0 Sender OK"),
    Server("office365", HOST + " Microsoft ESMTP MAIL Service ready at Sun",
           HOST + " Hello [192.0.2.10]",
           "SIZE 157286400 / PIPELINING / DSN / ENHANCEDSTATUSCODES / "
           "STARTTLS / 8BITMIME / BINARYMIME / CHUNKING / SMTPUTF8",
           "2.0.0 SMTP server ready", "500 5.3.3 Unrecognized command '{}'",
           "250 2.1.0 Sender OK"),
    Server("gmail", HOST + " ESMTP a1-20020a05600c00d0b004sm31wmm.12 - gsmtp",
           HOST + " at your service, [192.0.2.10]",
           "SIZE 157286400 / 8BITMIME / STARTTLS / ENHANCEDSTATUSCODES / "
           "PIPELINING / CHUNKING / SMTPUTF8", "2.0.0 Ready to start TLS",
           "502 5.5.1 Unrecognized command. a1-20020a05600c sm31wmm.12 - gsmtp",
           "250 2.1.0 OK a1-20020a05600c sm31wmm.12 - gsmtp"),
    Server("opensmtpd", HOST + " ESMTP OpenSMTPD",
           HOST + " Hello {} [192.0.2.10], pleased to meet you",
           "8BITMIME / ENHANCEDSTATUSCODES / SIZE 36700160 / DSN / STARTTLS / "
           "HELP", "2.0.0 Ready to start TLS",
           "500 5.5.1 Invalid command: Command unrecognized"),
    Server("haraka", HOST + " ESMTP Haraka/3.0.3 ready",
           HOST + " Hello {} [192.0.2.10], Haraka is at your service.",
           "PIPELINING / 8BITMIME / SMTPUTF8 / SIZE 0 / STARTTLS",
           "Go ahead.", "500 Unrecognized command", "250 sender OK"),
    Server("qmail", HOST + " ESMTP", HOST,
           "STARTTLS / PIPELINING / 8BITMIME / SIZE 0 / "
           "AUTH LOGIN PLAIN CRAM-MD5", "ready for tls",
           "502 unimplemented (#5.5.1)", "250 ok"),
    Server("courier", HOST + " ESMTP", HOST + " Ok",
           "STARTTLS / XVERP=Courier / XEXDATA / XSECURITY=NONE,STARTTLS / "
           "PIPELINING / 8BITMIME / SMTPUTF8 / SIZE / DSN", "Ok",
           "502 ESMTP command error", "250 Ok."),
    Server("mdaemon", HOST + " ESMTP MDaemon 24.0.1; Sun, 01 Mar 2026",
           HOST + " Hello {}, pleased to meet you",
           "ETRN / AUTH LOGIN CRAM-MD5 PLAIN / 8BITMIME / "
           "ENHANCEDSTATUSCODES / SIZE 52428800 / STARTTLS",
           "2.7.0 Ready to start TLS",
           "500 5.5.1 {}... Unrecognized command"),
    Server("ironport", HOST + " ESMTP", HOST,
           "8BITMIME / SIZE 33554432 / STARTTLS", "Go ahead with TLS",
           "500 #5.5.1 command not recognized",
           "250 sender <a@example.net> ok"),
    Server("proofpoint", HOST + " ESMTP mfa-m0046",
           HOST + " Hello {} [192.0.2.10], pleased to meet you",
           "ENHANCEDSTATUSCODES / PIPELINING / 8BITMIME / SIZE 157286400 / "
           "STARTTLS", "2.0.0 Ready to start TLS",
           '500 5.5.1 Command unrecognized: "{}"'),
    Server("barracuda", HOST + " ESMTP (6f1c0d2a)",
           HOST + " Hello {} [192.0.2.10], pleased to meet you",
           "SIZE 100000000 / STARTTLS / PIPELINING / 8BITMIME / HELP",
           "Ready to start TLS", "500 5.5.1 Command unrecognized: '{}'",
           "250 Sender OK"),
    Server("hmailserver", HOST + " ESMTP", HOST,
           "SIZE 20480000 / STARTTLS / AUTH LOGIN / HELP",
           "Ready to start TLS", "503 Bad sequence of commands", "250 OK"),
    Server("iis", HOST + " Microsoft ESMTP MAIL Service, Version: 10.0",
           HOST + " Hello [192.0.2.10]",
           "TURN / SIZE 2097152 / ETRN / PIPELINING / DSN / "
           "ENHANCEDSTATUSCODES / 8bitmime / BINARYMIME / CHUNKING / VRFY / "
           "TLS / STARTTLS / OK", "2.0.0 SMTP server ready",
           "500 5.3.3 Unrecognized command",
           "250 2.1.0 a@example.net....Sender OK"),
    Server("zimbra", HOST + " ESMTP Postfix", HOST,
           "PIPELINING / SIZE 10240000 / VRFY / ETRN / STARTTLS / "
           "AUTH PLAIN LOGIN / ENHANCEDSTATUSCODES / 8BITMIME / DSN",
           "2.0.0 Ready to start TLS",
           "502 5.5.2 Error: command not recognized"),
    Server("mailcow", HOST + " ESMTP Postcow", HOST,
           "PIPELINING / SIZE 104857600 / ETRN / STARTTLS / "
           "ENHANCEDSTATUSCODES / 8BITMIME / DSN / CHUNKING",
           "2.0.0 Ready to start TLS",
           "502 5.5.2 Error: command not recognized"),
    Server("axigen", HOST + " Axigen ESMTP ready", HOST + " Axigen ESMTP hello",
           "PIPELINING / AUTH PLAIN LOGIN CRAM-MD5 / STARTTLS / SIZE 10485760 "
           "/ 8BITMIME / BINARYMIME / CHUNKING / OK", "Ready to start TLS",
           "500 Error: command not recognized", "250 Sender accepted"),
    Server("comcast", HOST + " ESMTP server ready",
           HOST + " hello [192.0.2.10], pleased to meet you",
           "HELP / SIZE 36700160 / ENHANCEDSTATUSCODES / 8BITMIME / STARTTLS "
           "/ OK", "2.0.0 Ready to start TLS",
           "500 5.5.1 unrecognized command",
           "250 2.1.0 <a@example.net> sender ok"),
    Server("powermta", HOST + " ESMTP PowerMTA(TM) v5.0 ready",
           HOST + " says hello",
           "STARTTLS / ENHANCEDSTATUSCODES / PIPELINING / CHUNKING / 8BITMIME "
           "/ XACK / XMRG / SIZE 54525952 / VERP / DSN",
           "2.0.0 ready for TLS", "500 5.5.2 command not recognized",
           "250 2.1.0 MAIL ok"),
    Server("qq", HOST + " MX QQ Mail Server.", HOST,
           "SIZE 73400320 / STARTTLS / OK", "Ready to start TLS from qq.com",
           "502 Invalid input from 192.0.2.10 to " + HOST, "250 OK."),
    Server("coremail", HOST + " Anti-spam GT for Coremail System", "mail",
           "PIPELINING / AUTH LOGIN PLAIN / AUTH=LOGIN PLAIN / "
           "coremail 1Uxr2xKj7kG0xkI17xGrU7I0s8FY2U3Uj8Cz28x1UUUUU7Ic2I0Y2UF"
           " / STARTTLS / 8BITMIME", "Ready to start TLS",
           "500 Error: bad syntax", "250 Mail OK"),
    Server("brevo", HOST + " ESMTP Service Ready", HOST + " at your service",
           "SIZE 52428800 / STARTTLS / AUTH LOGIN PLAIN / ENHANCEDSTATUSCODES",
           "2.0.0 Ready to start TLS", "502 5.5.2 Command not implemented"),
    Server("zoho", HOST + " SMTP Server ready March 1, 2026",
           HOST + " Hello {} (192.0.2.10)", "STARTTLS / 8BITMIME / SIZE 53477376",
           "Ready to start TLS.", "500 5.5.1 Invalid Command",
           "250 Sender OK"),
    Server("stalwart", HOST + " Stalwart ESMTP at your service",
           HOST + " you had me at EHLO",
           "STARTTLS / SMTPUTF8 / SIZE 104857600 / REQUIRETLS / PIPELINING / "
           "NO-SOLICITING / ENHANCEDSTATUSCODES / CHUNKING / BINARYMIME / "
           "8BITMIME", "2.0.0 Ready to start TLS.",
           "500 5.5.1 Invalid command."),
)}


def quoted(rows):
    """Servers of corpus/ehlo that offer STARTTLS, under a greeting that names
    none."""
    for row in rows:
        words = [line[4:] for line in row["lines"]]
        if row["label"] != "normal" or OFFER not in words[1:] or \
                not all(line[:3] == "250" for line in row["lines"]):
            continue
        yield Server("quoted-" + row["id"], HOST + " ESMTP",
                     words[0].replace("{", "("), " / ".join(words[1:]))
