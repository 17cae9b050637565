#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATUS_FAILED 2 /* as commands say it */
#define MS_PER_S 1000
/* A child that ends again and again is started ever more slowly. */
#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 5000
#define CALM_MS 60000
/* How long a child may take to end when it was told to. */
#define ENGINE_END_MS 10000
#define JUDGE_END_MS 120000

struct child {
	const char *name;
	pid_t pid;	  /* 0: it does not run */
	int64_t began_ms; /* when it was started last */
	int64_t due_ms;	  /* when it is to be started */
	int64_t kill_ms;  /* when it must have ended; 0: it need not */
	int pause_ms;
};

struct monitor {
	const struct monitor_job *job;
	struct child engine, judge;
	int orders, answers; /* the judge's; -1: it does not run */
	int signals;
	bool ready;    /* the judge was, once */
	bool settling; /* it is told that the engine is gone */
	bool opened;   /* what the engine reads is, and no engine has it */
	bool ending;   /* the engine is to end */
	bool ended;    /* it has, and the judge is to end */
	bool done;     /* so has the judge */
	int status;
};

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / 1000000;
}

static void
say(const struct monitor *m, const char *format, const char *a, int b)
{
	char text[256];

	snprintf(text, sizeof(text), format, a, b);
	m->job->say(text);
}

static void
order(struct monitor *m, char what)
{
	if (m->orders >= 0 && write(m->orders, &what, 1) < 0 && errno != EPIPE)
		say(m, "the judge is not reached: %s", strerror(errno), 0);
}

/* --- starting ------------------------------------------------------------ */

/* The child hears SIGTERM when the monitor is gone. */
static pid_t
start(struct monitor *m, struct child *child)
{
	pid_t parent = getpid(), pid = fork();

	child->began_ms = now_ms();
	child->kill_ms = 0;
	if (pid != 0) {
		child->pid = pid < 0 ? 0 : pid;
		return pid;
	}
	close(m->signals);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(STATUS_FAILED);
	return 0;
}

static void
restore_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
start_engine(struct monitor *m)
{
	int status;

	if (!m->opened && m->job->open(m->job->context) != 0) {
		m->engine.due_ms = now_ms() + MS_PER_S;
		return;
	}
	m->opened = true;
	if (start(m, &m->engine) != 0) {
		m->job->close(m->job->context);
		m->opened = false;
		return;
	}
	close(m->orders);
	close(m->answers);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	restore_signals();
	status = m->job->engine(m->job->context);
	fflush(NULL);
	_exit(status);
}

/* Ignores what is sent to all processes of a group or a service: the monitor
 * tells it when the engine has ended. */
static void
judge_signals(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	restore_signals();
}

static void
start_judge(struct monitor *m)
{
	int orders[2], answers[2], status;

	if (pipe2(orders, O_CLOEXEC) != 0)
		return;
	if (pipe2(answers, O_CLOEXEC) != 0) {
		close(orders[0]);
		close(orders[1]);
		return;
	}
	if (start(m, &m->judge) != 0) {
		close(orders[0]);
		close(answers[1]);
		m->orders = orders[1];
		m->answers = answers[0];
		/* The one before did not see to the end of an engine. */
		if (m->settling)
			order(m, MONITOR_ENGINE_GONE);
		if (m->ended)
			order(m, MONITOR_END);
		return;
	}
	close(orders[1]);
	close(answers[0]);
	if (m->opened)
		m->job->close(m->job->context);
	judge_signals();
	status = m->job->judge(m->job->context, orders[0], answers[1]);
	fflush(NULL);
	_exit(status);
}

/* --- ends ---------------------------------------------------------------- */

static void
schedule(struct child *child)
{
	int64_t now = now_ms();

	if (child->pause_ms == 0 || now - child->began_ms > CALM_MS)
		child->pause_ms = PAUSE_FIRST_MS;
	else if (child->pause_ms < PAUSE_MAX_MS)
		child->pause_ms *= 2;
	child->due_ms = now + child->pause_ms;
}

static void
tell_end(const struct monitor *m, const struct child *child, int status)
{
	if (WIFSIGNALED(status))
		say(m, "the %s was ended by signal %d; starting it again",
		    child->name, WTERMSIG(status));
	else
		say(m, "the %s ended with status %d; starting it again",
		    child->name, WEXITSTATUS(status));
}

static void
end_judge(struct monitor *m)
{
	m->ended = true;
	m->judge.kill_ms = now_ms() + JUDGE_END_MS;
	order(m, MONITOR_END);
}

static void
engine_has_ended(struct monitor *m, int status)
{
	bool done = WIFEXITED(status) && WEXITSTATUS(status) == ENGINE_ENDED;

	m->engine.pid = 0;
	if (m->ending || done) {
		m->ending = true;
		end_judge(m);
		return;
	}
	tell_end(m, &m->engine, status);
	schedule(&m->engine);
	m->settling = true;
	order(m, MONITOR_ENGINE_GONE);
}

static void
judge_has_ended(struct monitor *m, int status)
{
	m->judge.pid = 0;
	close(m->orders);
	close(m->answers);
	m->orders = m->answers = -1;
	if (!m->ready || (m->ended && WIFEXITED(status))) {
		m->status = WIFEXITED(status) ? WEXITSTATUS(status) :
						STATUS_FAILED;
		m->ending = m->ended = m->done = true;
		if (m->engine.pid > 0)
			kill(m->engine.pid, SIGTERM);
		return;
	}
	tell_end(m, &m->judge, status);
	schedule(&m->judge);
}

static void
reap(struct monitor *m)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == m->engine.pid)
			engine_has_ended(m, status);
		else if (pid == m->judge.pid)
			judge_has_ended(m, status);
	}
}

/* --- what comes in ------------------------------------------------------- */

static void
end_engine(struct monitor *m)
{
	m->ending = true;
	m->engine.kill_ms = now_ms() + ENGINE_END_MS;
	if (m->engine.pid > 0)
		kill(m->engine.pid, SIGTERM);
	else if (!m->ended)
		end_judge(m);
}

static void
take_signals(struct monitor *m)
{
	struct signalfd_siginfo info;

	while (read(m->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap(m);
			break;
		case SIGHUP:
			order(m, MONITOR_HANGUP);
			break;
		case SIGUSR1:
			order(m, MONITOR_TELL);
			break;
		default:
			if (!m->ending)
				end_engine(m);
			break;
		}
	}
}

static void
take_answers(struct monitor *m)
{
	char answers[64];
	ssize_t n = read(m->answers, answers, sizeof(answers));

	for (ssize_t i = 0; i < n; i++) {
		switch (answers[i]) {
		case JUDGE_READY:
			m->ready = true;
			break;
		case JUDGE_SETTLED:
			m->settling = false;
			break;
		case JUDGE_DISTRUSTS:
			say(m, "the engine writes nonsense%s", "", 0);
			if (m->engine.pid > 0)
				kill(m->engine.pid, SIGKILL);
			break;
		}
	}
}

static void
wait_for_something(struct monitor *m)
{
	struct pollfd fds[2] = { { .fd = m->signals, .events = POLLIN },
		{ .fd = m->answers, .events = POLLIN } };

	if (poll(fds, 2, PAUSE_FIRST_MS) <= 0)
		return;
	if (fds[1].revents & POLLIN)
		take_answers(m);
	if (fds[0].revents & POLLIN)
		take_signals(m);
}

/* --- the loop ------------------------------------------------------------ */

static void
kill_late(const struct child *child, int64_t now)
{
	if (child->pid > 0 && child->kill_ms != 0 && now > child->kill_ms)
		kill(child->pid, SIGKILL);
}

static void
keep_running(struct monitor *m, int64_t now)
{
	if (m->judge.pid == 0 && !m->done && now >= m->judge.due_ms)
		start_judge(m);
	if (m->engine.pid == 0 && m->ready && !m->ending && !m->settling &&
	    now >= m->engine.due_ms)
		start_engine(m);
}

static void
look_for_changes(struct monitor *m)
{
	if (m->engine.pid > 0 && !m->ending &&
	    m->job->changed(m->job->context)) {
		say(m, "an interface is another one now; starting the %s again",
		    m->engine.name, 0);
		kill(m->engine.pid, SIGKILL);
	}
}

static int
block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
monitor_run(const struct monitor_job *job)
{
	struct monitor m = { .job = job,
		.engine = { .name = "engine" },
		.judge = { .name = "judge" },
		.orders = -1,
		.answers = -1 };
	int64_t looked_ms = now_ms();

	/* Said now, and not by a process that is started again and again. */
	if (job->open(job->context) != 0)
		return STATUS_FAILED;
	m.opened = true;
	m.signals = block_signals();
	if (m.signals < 0)
		return STATUS_FAILED;
	while (!m.done || m.engine.pid > 0) {
		int64_t now = now_ms();

		keep_running(&m, now);
		kill_late(&m.engine, now);
		kill_late(&m.judge, now);
		if (now - looked_ms >= MS_PER_S) {
			looked_ms = now;
			look_for_changes(&m);
		}
		wait_for_something(&m);
	}
	close(m.signals);
	return m.status;
}
