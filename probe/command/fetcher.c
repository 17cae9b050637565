#include "fetcher.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

#define NAME "striplight-fetch"

/* The folder of this program; false: there is no /proc. */
static bool
own_folder(char out[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);

	if (n <= 0)
		return false;
	out[n] = '\0';
	*strrchr(out, '/') = '\0';
	return true;
}

int
fetcher_run(int argc, char **argv)
{
	char folder[PATH_MAX], path[PATH_MAX + 64];
	char **arguments = calloc((size_t)argc + 2, sizeof(*arguments));

	if (arguments == NULL) {
		complain("out of memory");
		return STATUS_ERROR;
	}
	arguments[0] = (char *)NAME;
	memcpy(arguments + 1, argv, (size_t)argc * sizeof(*argv));
	if (!own_folder(folder)) {
		complain("policy %s: /proc/self/exe: %s", argv[0],
		    strerror(errno));
		goto out;
	}
	snprintf(path, sizeof(path), "%s/" NAME, folder);
	execv(path, arguments);
	if (errno == ENOENT) {
		snprintf(path, sizeof(path),
		    "%s/" STRIPLIGHT_LIBEXEC_FROM_BIN "/" NAME, folder);
		execv(path, arguments);
	}
	complain("policy %s: %s: %s; it is installed together with striplight",
	    argv[0], path, strerror(errno));
out:
	free(arguments);
	return STATUS_ERROR;
}
