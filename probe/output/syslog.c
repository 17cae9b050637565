#include "syslog.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* RFC 5424 6.2.1: facility 3, system daemons. */
#define FACILITY 3
/* Of a host beside this one. */
#define REFUSAL_MS 300
/* RFC 5424 7.2.2 wants the name of structured data to end in the number of an
 * enterprise; 32473 is the one that belongs to nobody (RFC 5612). */
#define DATA_NAME "striplight@32473"

/* --- opening ------------------------------------------------------------- */

static int
connect_unix(const char *path, char errbuf[SYSLOG_ERRBUF])
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(to.sun_path)) {
		snprintf(errbuf, SYSLOG_ERRBUF,
		    "%.100s...: too long a path for a socket", path);
		return -1;
	}
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	snprintf(errbuf, SYSLOG_ERRBUF, "%.120s: %s; does a syslog run here?",
	    path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* "[2001:db8::1]:514", "192.0.2.1", "logs.example.org:1514" in its parts. */
static int
split_host(const char *text, char host[256], char port[8])
{
	const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *begin = text + (end != NULL), *colon;

	if (end == NULL)
		end = text + strcspn(text, ":");
	colon = *end == ']' ? end + 1 : end;
	if (end == begin || end - begin > 255 ||
	    (*colon != ':' && *colon != '\0') || strlen(colon) == 1 ||
	    strlen(colon) > 6)
		return -1;
	snprintf(host, 256, "%.*s", (int)(end - begin), begin);
	snprintf(port, 8, "%s", *colon == ':' ? colon + 1 : "514");
	return 0;
}

static int
connect_udp(const char *text, char errbuf[SYSLOG_ERRBUF])
{
	const struct addrinfo want = { .ai_socktype = SOCK_DGRAM };
	struct addrinfo *list;
	char host[256], port[8];
	int fd = -1, code;

	if (split_host(text, host, port) != 0) {
		snprintf(errbuf, SYSLOG_ERRBUF,
		    "\"%.100s\" is no host; write udp:192.0.2.1:514", text);
		return -1;
	}
	code = getaddrinfo(host, port, &want, &list);
	if (code != 0) {
		snprintf(errbuf, SYSLOG_ERRBUF, "%.100s: %s", host,
		    gai_strerror(code));
		return -1;
	}
	for (struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family,
		    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		snprintf(errbuf, SYSLOG_ERRBUF, "%.100s: %s", host,
		    strerror(errno));
	freeaddrinfo(list);
	return fd;
}

int
syslog_connect(const char *target, char errbuf[SYSLOG_ERRBUF])
{
	if (strcmp(target, "local") == 0)
		return connect_unix("/dev/log", errbuf);
	if (strncmp(target, "unix:", 5) == 0)
		return connect_unix(target + 5, errbuf);
	if (strncmp(target, "udp:", 4) == 0)
		return connect_udp(target + 4, errbuf);
	snprintf(errbuf, SYSLOG_ERRBUF,
	    "\"%.100s\" is no syslog; write local, unix:PATH or "
	    "udp:HOST:PORT",
	    target);
	return -1;
}

bool
syslog_send(int fd, const char *message, size_t length)
{
	return send(fd, message, length, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	    (ssize_t)length;
}

/* --- formatting ---------------------------------------------------------- */

/* RFC 5424 6.2.1: 2 critical, 4 warning, 5 notice. */
static unsigned
priority(const struct incident *in)
{
	static const unsigned levels[] = { 5, 2, 4, 5 };

	return FACILITY * 8 + levels[incident_severity(in)];
}

struct message {
	char *out;
	size_t length, room;
};

static void __attribute__((format(printf, 2, 3)))
append(struct message *m, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(m->out + m->length, m->room - m->length, format,
	    arguments);
	va_end(arguments);
	if (n > 0)
		m->length += (size_t)n;
	if (m->length >= m->room)
		m->length = m->room - 1;
}

/* RFC 5424 6.3.3: '"', '\' and ']' are escaped. What is said of the wire is
 * printable already, or escaped. */
static void
put_param(struct message *m, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	append(m, " %s=\"", name);
	for (; *value != '\0'; value++)
		append(m, "%s%c", strchr("\"\\]", *value) ? "\\" : "", *value);
	append(m, "\"");
}

static void
put_time(struct message *m, int64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm utc;
	char text[32];

	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	append(m, "%s.%06dZ", text, (int)(ns % 1000000000 / 1000));
}

static void
put_endpoint(struct message *m, const char *who, const struct endpoint *e)
{
	char name[16], text[ADDRESS_TEXT_BYTES];

	put_param(m, who, address_format(&e->address, text));
	snprintf(name, sizeof(name), "%s_port", who);
	snprintf(text, sizeof(text), "%u", e->port);
	put_param(m, name, text);
}

static void
put_data(struct message *m, const struct incident *in, bool stored)
{
	char text[32];

	append(m, "[" DATA_NAME);
	put_param(m, "incident", in->id);
	snprintf(text, sizeof(text), "%u", in->revision);
	put_param(m, "revision", text);
	put_param(m, "state", incident_state_name(in->state));
	put_param(m, "kind", kind_name(in->kind));
	put_param(m, "certainty", certainty_name(in->certainty));
	snprintf(text, sizeof(text), "%u", incident_severity(in));
	put_param(m, "severity", text);
	snprintf(text, sizeof(text), "%.2f", in->confidence);
	put_param(m, "confidence", text);
	put_endpoint(m, "client", &in->client);
	put_endpoint(m, "server", &in->server);
	put_param(m, "name", in->server_name);
	put_param(m, "resembles", in->resembles);
	put_param(m, "cause", cause_name(in->cause));
	put_param(m, "direction", direction_name(in->direction));
	put_param(m, "queue_id", in->queue_id);
	if (!stored)
		put_param(m, "stored", "false");
	append(m, "]");
}

size_t
syslog_format(const struct incident *in, bool stored,
    const struct syslog_from *from, int64_t now_ns, char out[SYSLOG_BYTES])
{
	struct message m = { out, 0, SYSLOG_BYTES };
	char client[ADDRESS_TEXT_BYTES], server[ADDRESS_TEXT_BYTES];

	append(&m, "<%u>1 ", priority(in));
	put_time(&m, now_ns);
	append(&m, " %s striplight %ld %s ",
	    from->host[0] != '\0' ? from->host : "-", (long)from->pid,
	    kind_name(in->kind));
	put_data(&m, in, stored);
	append(&m, " %s, %s: %s -> %s: %s", kind_name(in->kind),
	    certainty_name(in->certainty),
	    address_format(&in->client.address, client),
	    address_format(&in->server.address, server), in->observed);
	return m.length;
}

/* --- alerts -------------------------------------------------------------- */

int
syslog_open(struct syslog *s, const char *target, char errbuf[SYSLOG_ERRBUF])
{
	memset(s, 0, sizeof(*s));
	s->target = target;
	s->fd = -1;
	if (target == NULL)
		return 0;
	if (gethostname(s->host, sizeof(s->host) - 1) != 0)
		s->host[0] = '\0';
	s->fd = syslog_connect(target, errbuf);
	return s->fd < 0 ? -1 : 0;
}

bool
syslog_is_refused(const struct syslog *s)
{
	struct pollfd answer = { .fd = s->fd };

	return s->fd >= 0 && poll(&answer, 1, REFUSAL_MS) > 0 &&
	    (answer.revents & POLLERR) != 0;
}

void
syslog_close(struct syslog *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* A name to look up could take long; a datagram over UDP needs no partner. */
static void
connect_again(struct syslog *s)
{
	char errbuf[SYSLOG_ERRBUF];
	int fd;

	if (strncmp(s->target, "udp:", 4) == 0)
		return;
	fd = syslog_connect(s->target, errbuf);
	if (fd < 0)
		return;
	close(s->fd);
	s->fd = fd;
}

bool
syslog_alert(void *syslog, const struct incident *in, bool stored)
{
	struct syslog *s = syslog;
	const struct syslog_from from = { s->host, getpid() };
	char message[SYSLOG_BYTES];
	struct timespec now;
	size_t length;

	if (s->target == NULL)
		return true;
	clock_gettime(CLOCK_REALTIME, &now);
	length = syslog_format(in, stored, &from,
	    (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, message);
	if (syslog_send(s->fd, message, length))
		return true;
	connect_again(s);
	return syslog_send(s->fd, message, length);
}
