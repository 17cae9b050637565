#include "probe/output/notify.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

TestSuite(notify);

/* `name` begins with '@' for one without a file. */
static int
listen_at(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(at.sun_path, name, strlen(name));
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	cr_assert_eq(bind(fd, (struct sockaddr *)&at,
			 (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			     strlen(name))),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void
expect_heard(int listening, const char *said)
{
	char heard[64];
	int fd = notify_connect();
	ssize_t n;

	cr_assert_geq(fd, 0);
	notify_send(fd, said);
	n = recv(listening, heard, sizeof(heard), MSG_DONTWAIT);
	cr_expect_eq(n, (ssize_t)strlen(said));
	cr_expect_eq(memcmp(heard, said, strlen(said)), 0);
	close(fd);
	close(listening);
}

Test(notify, the_manager_hears_what_is_said)
{
	char name[64];

	snprintf(name, sizeof(name), "@striplight-test-%ld", (long)getpid());
	expect_heard(listen_at(name), "READY=1");
	snprintf(name, sizeof(name), "/tmp/striplight-test-%ld",
	    (long)getpid());
	expect_heard(listen_at(name), "WATCHDOG=1");
	unlink(name);
}

Test(notify, without_a_manager_nothing_happens)
{
	unsetenv("NOTIFY_SOCKET");
	cr_expect_eq(notify_connect(), -1);
	notify_send(-1, "READY=1");
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	cr_expect_eq(notify_connect(), -1);
	setenv("NOTIFY_SOCKET", "relative", 1);
	cr_expect_eq(notify_connect(), -1);
}

Test(notify, the_watchdog_is_fed_twice_as_often_as_it_barks)
{
	char pid[24];

	unsetenv("WATCHDOG_USEC");
	cr_expect_eq(notify_watchdog_ns(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	unsetenv("WATCHDOG_PID");
	cr_expect_eq(notify_watchdog_ns(), INT64_C(15000000000));
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	cr_expect_eq(notify_watchdog_ns(), INT64_C(15000000000));
	setenv("WATCHDOG_PID", "1", 1);
	cr_expect_eq(notify_watchdog_ns(), 0);
	setenv("WATCHDOG_USEC", "nonsense", 1);
	cr_expect_eq(notify_watchdog_ns(), 0);
}
