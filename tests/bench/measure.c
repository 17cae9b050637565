/*
 * tests/bench/measure COMMAND ... - runs it without its output and prints
 * "CPU wall RSS status": seconds, seconds, KiB, exit status.
 *
 * A program of its own because a child's peak RSS is never below that of the
 * process it was forked from, and Python's is not small.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

int
main(int argc, char **argv)
{
	struct rusage usage;
	double before = now();
	int status;
	pid_t child;

	if (argc < 2) {
		fprintf(stderr, "usage: measure COMMAND [ARGUMENT ...]\n");
		return 2;
	}
	child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		if (null >= 0)
			dup2(null, STDOUT_FILENO);
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child) {
		perror("measure");
		return 1;
	}
	printf("%.6f %.6f %ld %d\n",
	    seconds(usage.ru_utime) + seconds(usage.ru_stime), now() - before,
	    usage.ru_maxrss,
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
