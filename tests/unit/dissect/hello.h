/*
 * TLS records as octets, for dialogues: a client and a server that speak 1.2
 * (with a certificate in the clear) or 1.3. Lengths are written out, so that
 * a reader can check them against RFC 5246 7.4 and RFC 8446 4.
 */
#ifndef TESTS_UNIT_DISSECT_HELLO_H
#define TESTS_UNIT_DISSECT_HELLO_H

#define RANDOM_32 "0123456789abcdef0123456789abcdef"
#define RECORD(type, length) type "\x03\x03" length

/* ClientHello: session id of 4, two suites, SNI mx.example.org, ALPN smtp, an
 * empty supported_versions. */
#define CLIENT_HELLO                                \
	"\x16\x03\x01\0\x5c"                        \
	"\x01\0\0\x58\x03\x03" RANDOM_32 "\x04IDID" \
	"\0\x04\x13\x01\xc0\x2f"                    \
	"\x01\0"                                    \
	"\0\x27"                                    \
	"\0\0\0\x13\0\x11\0\0\x0emx.example.org"    \
	"\0\x10\0\x07\0\x05\x04smtp"                \
	"\0\x2b\0\x01\0"

/* ServerHello of 1.2 with a session id of the server's own. */
#define SERVER_HELLO_12          \
	RECORD("\x16", "\0\x2e") \
	"\x02\0\0\x2a\x03\x03" RANDOM_32 "\x04SRVR\xc0\x2f\0"
/* It takes up the client's session again. */
#define SERVER_HELLO_RESUMED     \
	RECORD("\x16", "\0\x2e") \
	"\x02\0\0\x2a\x03\x03" RANDOM_32 "\x04IDID\xc0\x2f\0"
#define SERVER_HELLO_13                                       \
	RECORD("\x16", "\0\x36")                              \
	"\x02\0\0\x32\x03\x03" RANDOM_32 "\x04IDID\x13\x01\0" \
	"\0\x06\0\x2b\0\x02\x03\x04"
/* Two "certificates", five and two octets: nobody looks inside here. */
#define CERTIFICATES                   \
	RECORD("\x16", "\0\x14")       \
	"\x0b\0\0\x10\0\0\x0d\0\0\x05" \
	"DER-1"                        \
	"\0\0\x02"                     \
	"D2"
#define SERVER_DONE RECORD("\x16", "\0\x04") "\x0e\0\0\0"
#define CHANGE_CIPHER RECORD("\x14", "\0\x01") "\x01"
#define FINISHED_12 RECORD("\x16", "\0\x08") "finished"
/* Longer than an encrypted alert may be. */
#define APPLICATION_40 \
	RECORD("\x17", "\0\x28") "0123456789012345678901234567890123456789"
#define APPLICATION_3 RECORD("\x17", "\0\x03") "abc"
#define ALERT_HANDSHAKE RECORD("\x15", "\0\x02") "\x02\x28"
#define ALERT_ENCRYPTED RECORD("\x15", "\0\x03") "abc"

#endif
