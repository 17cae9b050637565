#include "notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
notify_connect(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t length = path == NULL ? 0 : strlen(path);
	int fd;

	if (length < 2 || length >= sizeof(to.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return -1;
	memcpy(to.sun_path, path, length);
	if (path[0] == '@') /* one without a file begins with a NUL */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 &&
	    connect(fd, (struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) !=
		0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int64_t
notify_watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC"),
		   *pid = getenv("WATCHDOG_PID");
	long long value = usec == NULL ? 0 : atoll(usec);

	if (value <= 0 || value > INT64_MAX / 1000 ||
	    (pid != NULL && atoll(pid) != (long long)getpid()))
		return 0;
	return (int64_t)value * 1000 / 2;
}

void
notify_send(int fd, const char *state)
{
	if (fd >= 0 &&
	    send(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return; /* it will see that nothing comes */
}
