#include "probe/output/syslog.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

TestSuite(syslog);

#define NOW_NS INT64_C(1772360102123456789)

static struct incident in;
static char out[SYSLOG_BYTES], errbuf[SYSLOG_ERRBUF];
static const struct syslog_from from = { "sensor", 4711 };

static void
make(void)
{
	memset(&in, 0, sizeof(in));
	snprintf(in.id, sizeof(in.id), "9f0c31");
	in.revision = 2;
	in.state = STATE_FINAL;
	in.kind = KIND_STARTTLS_GARBLED;
	in.certainty = CERTAINTY_LIKELY;
	in.confidence = 0.98;
	in.outcome = OUTCOME_CONTENT_EXPOSED;
	cr_assert(address_parse("192.0.2.10", &in.client.address));
	cr_assert(address_parse("2001:db8::25", &in.server.address));
	in.client.port = 40112;
	in.server.port = 25;
	snprintf(in.observed, sizeof(in.observed), "line 5 reads XXXXXXXA");
}

Test(syslog, a_message_is_as_rfc_5424_wants_it, .init = make)
{
	size_t n = syslog_format(&in, true, &from, NOW_NS, out);

	cr_expect_eq(n, strlen(out));
	cr_expect_str_eq(out,
	    "<26>1 2026-03-01T10:15:02.123456Z sensor striplight 4711 "
	    "starttls-garbled [striplight@32473 incident=\"9f0c31\" "
	    "revision=\"2\" state=\"final\" kind=\"starttls-garbled\" "
	    "certainty=\"likely\" severity=\"1\" confidence=\"0.98\" "
	    "client=\"192.0.2.10\" client_port=\"40112\" "
	    "server=\"2001:db8::25\" server_port=\"25\" "
	    "cause=\"unknown\"] starttls-garbled, likely: 192.0.2.10 -> "
	    "2001:db8::25: line 5 reads XXXXXXXA");
}

Test(syslog, severities_of_incidents_are_levels_of_syslog, .init = make)
{
	in.outcome = OUTCOME_ENVELOPE_EXPOSED;
	syslog_format(&in, true, &from, NOW_NS, out);
	cr_expect_eq(memcmp(out, "<28>1 ", 6), 0, "%s", out);
	in.certainty = CERTAINTY_POSSIBLE;
	syslog_format(&in, true, &from, NOW_NS, out);
	cr_expect_eq(memcmp(out, "<29>1 ", 6), 0, "%s", out);
}

Test(syslog, what_is_not_stored_says_so_and_no_host_is_a_dash, .init = make)
{
	const struct syslog_from nobody = { "", 1 };

	syslog_format(&in, false, &nobody, NOW_NS, out);
	cr_expect(strstr(out, " stored=\"false\"]") != NULL, "%s", out);
	cr_expect(strstr(out, "Z - striplight 1 ") != NULL, "%s", out);
}

/* A host's name comes from the wire by way of DNS. */
Test(syslog, nothing_gets_out_of_its_quotes, .init = make)
{
	snprintf(in.server_name, sizeof(in.server_name), "a\"] [b\\");
	syslog_format(&in, true, &from, NOW_NS, out);
	cr_expect(strstr(out, " name=\"a\\\"\\] [b\\\\\"") != NULL, "%s", out);
}

Test(syslog, a_long_text_is_cut_and_ends_the_message, .init = make)
{
	char small[SYSLOG_BYTES];

	for (int i = 0; i < 8; i++)
		memset(in.observed, 'x', sizeof(in.observed) - 1);
	memset(in.server_name, '"', sizeof(in.server_name) - 1);
	cr_expect_lt(syslog_format(&in, true, &from, NOW_NS, small),
	    SYSLOG_BYTES);
	cr_expect(strstr(small, "] starttls-garbled, likely") != NULL, "%s",
	    small);
}

Test(syslog, a_unix_socket_gets_it_and_one_that_is_gone_does_not_block)
{
	char folder[] = "/tmp/striplight-test-XXXXXX", target[64];
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listening, fd, sent = 0;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/log", folder);
	snprintf(target, sizeof(target), "unix:%s/log", folder);
	cr_expect_eq(syslog_connect(target, errbuf), -1);
	cr_expect(strstr(errbuf, "does a syslog run here?") != NULL);
	listening = socket(AF_UNIX, SOCK_DGRAM, 0);
	cr_assert_eq(bind(listening, (struct sockaddr *)&at, sizeof(at)), 0);
	fd = syslog_connect(target, errbuf);
	cr_assert_geq(fd, 0, "%s", errbuf);
	cr_expect(syslog_send(fd, "<26>1 x", 7));
	cr_expect_eq(recv(listening, out, sizeof(out), 0), 7);
	/* Nobody reads: it fills up, and says so at once. */
	while (sent < 100000 && syslog_send(fd, "<26>1 x", 7))
		sent++;
	cr_expect_lt(sent, 100000);
	close(listening);
	cr_expect_not(syslog_send(fd, "<26>1 x", 7));
	close(fd);
	unlink(at.sun_path);
	rmdir(folder);
}

Test(syslog, targets_that_are_none_are_said_to_be)
{
	static const char *const targets[] = { "", "logs", "tcp:192.0.2.1",
		"udp:", "udp::514", "udp:192.0.2.1:", "udp:[::1", "udp:a:b:c",
		"udp:127.0.0.1:99999999" };
	int fd;

	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		errbuf[0] = '\0';
		fd = syslog_connect(targets[i], errbuf);
		cr_expect_eq(fd, -1, "%s", targets[i]);
		cr_expect_neq(errbuf[0], '\0', "%s", targets[i]);
	}
	fd = syslog_connect("udp:127.0.0.1", errbuf);
	cr_expect_geq(fd, 0, "%s", errbuf);
	close(fd);
}
