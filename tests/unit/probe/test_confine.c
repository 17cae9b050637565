/* What the engine can still do, tried from inside. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/watch/confine.h"

/* What it tries; a success is what must not be. */
static bool
opens(const char *path, int flags)
{
	return open(path, flags, 0600) >= 0;
}

static bool
makes_socket(int family, int type)
{
	return socket(family, type, 0) >= 0;
}

static int
escapes(int inherited)
{
	struct stat st;
	int pair[2];

	if (opens("/etc/passwd", O_RDONLY) || opens("/", O_RDONLY) ||
	    opens("/tmp/striplight-escaped", O_WRONLY | O_CREAT) ||
	    opens("/proc/self/mem", O_RDWR) || opens("/dev/null", O_RDWR))
		return 1;
	if (makes_socket(AF_INET, SOCK_STREAM) ||
	    makes_socket(AF_INET6, SOCK_DGRAM) ||
	    makes_socket(AF_UNIX, SOCK_STREAM) ||
	    makes_socket(AF_NETLINK, SOCK_RAW) ||
	    makes_socket(AF_PACKET, SOCK_RAW) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)
		return 2;
	if (execl("/bin/true", "true", (char *)NULL) != -1 || fork() >= 0)
		return 3;
	if (kill(getppid(), 0) == 0)
		return 4;
	if (unlink("/etc/hostname") == 0 || mkdir("escaped", 0700) == 0 ||
	    stat("/etc/passwd", &st) == 0)
		return 5;
	if (setuid(0) == 0 || prctl(PR_SET_DUMPABLE, 1) == 0 ||
	    memfd_create("escaped", 0) >= 0)
		return 6;
	/* And what it is for. */
	if (write(inherited, "x", 1) != 1 || malloc(1 << 20) == NULL)
		return 7;
	return 0;
}

static int
in_a_child(int (*run)(int inherited))
{
	int ends[2], status;
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGCHLD, SIG_DFL);
		_exit(run(ends[1]));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	close(ends[0]);
	close(ends[1]);
	cr_assert(WIFEXITED(status), "signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static int
confined_engine(int inherited)
{
	char errbuf[CONFINE_ERRBUF];

	if (confine_engine(NULL, NULL, errbuf) != 0)
		return 99;
	return escapes(inherited);
}

Test(confine, the_engine_opens_nothing_and_starts_nothing)
{
	cr_assert_eq(in_a_child(confined_engine), 0);
}

struct thread {
	pthread_t id;
	pthread_barrier_t begun, confined;
	int inherited, escaped;
};

static void *
escape_in_thread(void *context)
{
	struct thread *t = context;

	pthread_barrier_wait(&t->begun);
	pthread_barrier_wait(&t->confined);
	t->escaped = escapes(t->inherited);
	return NULL;
}

static int
start_thread(void *context)
{
	struct thread *t = context;

	if (pthread_create(&t->id, NULL, escape_in_thread, t) != 0)
		return -1;
	pthread_barrier_wait(&t->begun);
	return 0;
}

static int
confined_thread(int inherited)
{
	struct thread t = { .inherited = inherited, .escaped = 98 };
	char errbuf[CONFINE_ERRBUF];

	pthread_barrier_init(&t.begun, NULL, 2);
	pthread_barrier_init(&t.confined, NULL, 2);
	if (confine_engine(start_thread, &t, errbuf) != 0)
		return 99;
	pthread_barrier_wait(&t.confined);
	pthread_join(t.id, NULL);
	return t.escaped;
}

Test(confine, nor_does_a_thread_that_was_there_before)
{
	cr_assert_eq(in_a_child(confined_thread), 0);
}

/* The monitor that started an engine is killed: the engine goes, too. */
static int
leaves_an_engine(int inherited)
{
	char errbuf[CONFINE_ERRBUF];

	if (fork() == 0) {
		if (confine_engine(NULL, NULL, errbuf) != 0)
			_exit(1);
		if (write(inherited, "x", 1) != 1)
			_exit(1);
		poll(NULL, 0, 60000);
		_exit(0);
	}
	poll(NULL, 0, 300);
	return 0;
}

Test(confine, an_engine_does_not_outlive_its_monitor, .timeout = 30)
{
	int ends[2];
	char octet;
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0)
		_exit(leaves_an_engine(ends[1]));
	close(ends[1]);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	cr_assert_eq(read(ends[0], &octet, 1), 1);
	/* Its end of the pipe is closed with it. */
	cr_assert_eq(read(ends[0], &octet, 1), 0);
	close(ends[0]);
}

/* A test that cannot fail is none: free, it gets out. */
Test(confine, without_it_the_same_gets_out)
{
	cr_assert_eq(in_a_child(escapes), 1);
	unlink("/tmp/striplight-escaped");
}

static int
confined_judge(int inherited)
{
	static const char *const folders[] = { "/tmp", NULL };
	struct confine_user user = { .given = false };
	char errbuf[CONFINE_ERRBUF];
	int file;

	(void)inherited;
	if (confine_judge(&user, folders, errbuf) != 0)
		return 99;
	if (execl("/bin/true", "true", (char *)NULL) != -1 || errno != EPERM)
		return 1;
	file = open("/tmp/striplight-judged", O_WRONLY | O_CREAT, 0600);
	if (file < 0 || unlink("/tmp/striplight-judged") != 0)
		return 2;
	return opens("/etc/passwd", O_RDONLY) ? 0 : 3;
}

Test(confine, the_judge_stores_and_starts_nothing)
{
	cr_assert_eq(in_a_child(confined_judge), 0);
}

Test(confine, a_user_is_found_by_name)
{
	struct confine_user user = { .given = false };

	cr_assert(confine_user_find("root", &user));
	cr_assert(user.given);
	cr_assert_eq(user.uid, 0);
	cr_assert_not(confine_user_find("nobody-is-called-so", &user));
}
