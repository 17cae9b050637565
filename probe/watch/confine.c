#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

static int
fail(char errbuf[CONFINE_ERRBUF], const char *what)
{
	snprintf(errbuf, CONFINE_ERRBUF, "%s: %s", what, strerror(errno));
	return -1;
}

bool
confine_user_find(const char *name, struct confine_user *out)
{
	const struct passwd *entry = getpwnam(name);

	if (entry == NULL)
		return false;
	out->given = true;
	out->uid = entry->pw_uid;
	out->gid = entry->pw_gid;
	return true;
}

/* What came over the wire is in memory: it goes to no core file, and nobody
 * looks at it with a debugger. */
static int
keep_memory_private(char errbuf[CONFINE_ERRBUF])
{
	struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return fail(errbuf, "RLIMIT_CORE");
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return fail(errbuf, "PR_SET_DUMPABLE");
	return 0;
}

static int
drop_capabilities(char errbuf[CONFINE_ERRBUF])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	/* EINVAL: the kernel is older than they are. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 &&
	    errno != EINVAL)
		return fail(errbuf, "PR_CAP_AMBIENT");
	if (syscall(SYS_capset, &header, none) != 0)
		return fail(errbuf, "capset");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(errbuf, "PR_SET_NO_NEW_PRIVS");
	return 0;
}

static int
become(uid_t uid, gid_t gid, char errbuf[CONFINE_ERRBUF])
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		return fail(errbuf, "setresuid");
	return 0;
}

/* Root's engine sees a folder that is there no more, and nothing in it. */
static int
leave_file_system(char errbuf[CONFINE_ERRBUF])
{
	char folder[] = "/tmp/striplight.XXXXXX";
	int status;

	if (geteuid() != 0)
		return 0;
	if (mkdtemp(folder) == NULL)
		return fail(errbuf, folder);
	status = chdir(folder);
	if (rmdir(folder) != 0 || status != 0)
		return fail(errbuf, folder);
	/* In a container root need not have this right. */
	if (chroot(".") != 0 && errno != EPERM)
		return fail(errbuf, "chroot");
	return 0;
}

/* --- seccomp ------------------------------------------------------------- */

/* What the engine does with what it has; the rest is not there. */
static const int engine_calls[] = { SCMP_SYS(brk), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(close),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(futex), SCMP_SYS(getpid),
	SCMP_SYS(getrandom), SCMP_SYS(getsockopt), SCMP_SYS(gettimeofday),
	SCMP_SYS(lseek), SCMP_SYS(madvise), SCMP_SYS(mmap), SCMP_SYS(mprotect),
	SCMP_SYS(mremap), SCMP_SYS(munmap), SCMP_SYS(nanosleep), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(pread64), SCMP_SYS(read), SCMP_SYS(readv),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sched_yield), SCMP_SYS(sigaltstack),
	SCMP_SYS(write), SCMP_SYS(writev) };

/* Nothing that the judge does needs these. */
static const int judge_never[] = { SCMP_SYS(execve), SCMP_SYS(execveat),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(kexec_load), SCMP_SYS(keyctl),
	SCMP_SYS(add_key), SCMP_SYS(unshare), SCMP_SYS(setns),
	SCMP_SYS(userfaultfd), SCMP_SYS(listen), SCMP_SYS(accept),
	SCMP_SYS(accept4) };

static int
load_filter(uint32_t otherwise, uint32_t action, const int *calls, size_t count,
    char errbuf[CONFINE_ERRBUF])
{
	scmp_filter_ctx filter = seccomp_init(otherwise);
	/* For all threads that there are. */
	int status = filter == NULL ?
	    -ENOMEM :
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	for (size_t i = 0; i < count && status == 0; i++)
		status = seccomp_rule_add(filter, action, calls[i], 0);
	if (status == 0)
		status = seccomp_load(filter);
	seccomp_release(filter);
	if (status == 0)
		return 0;
	errno = -status;
	return fail(errbuf, "seccomp");
}

/* --- landlock ------------------------------------------------------------ */

/* Rights of the first version of it: what a kernel of 5.13 has. */
#define LANDLOCK_READS \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define LANDLOCK_ALL ((UINT64_C(1) << 13) - 1)

static void
allow(int ruleset, const char *folder, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights,
		.parent_fd = open(folder, O_PATH | O_CLOEXEC) };

	if (rule.parent_fd < 0)
		return;
	syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
	    &rule, 0);
	close(rule.parent_fd);
}

/* The file system may be read, and written to in `folders` alone. */
static int
write_only_to(const char *const *folders, char errbuf[CONFINE_ERRBUF])
{
	struct landlock_ruleset_attr attr = { .handled_access_fs =
						  LANDLOCK_ALL };
	int ruleset =
	    (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int status;

	if (ruleset < 0) /* the kernel does not have it, or it is off */
		return 0;
	allow(ruleset, "/", LANDLOCK_READS);
	allow(ruleset, "/dev", LANDLOCK_READS | LANDLOCK_ACCESS_FS_WRITE_FILE);
	for (; *folders != NULL; folders++)
		allow(ruleset, *folders,
		    LANDLOCK_ALL & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE);
	status = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	close(ruleset);
	return status == 0 ? 0 : fail(errbuf, "landlock");
}

/* --- the three ----------------------------------------------------------- */

int
confine_engine(int (*threads)(void *context), void *context,
    char errbuf[CONFINE_ERRBUF])
{
	if (leave_file_system(errbuf) != 0 ||
	    become(NOBODY, NOBODY, errbuf) != 0 ||
	    drop_capabilities(errbuf) != 0 || keep_memory_private(errbuf) != 0)
		return -1;
	/* Becoming another one has undone what the monitor asked for: nobody
	 * reads on when it is gone. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		return fail(errbuf, "PR_SET_PDEATHSIG");
	if (threads != NULL && threads(context) != 0)
		return fail(errbuf, "threads");
	/* ENOSYS: libraries fall back on what they may do. */
	return load_filter(SCMP_ACT_ERRNO(ENOSYS), SCMP_ACT_ALLOW, engine_calls,
	    sizeof(engine_calls) / sizeof(*engine_calls), errbuf);
}

int
confine_judge(const struct confine_user *user, const char *const *folders,
    char errbuf[CONFINE_ERRBUF])
{
	if (user->given && become(user->uid, user->gid, errbuf) != 0)
		return -1;
	if (drop_capabilities(errbuf) != 0 ||
	    keep_memory_private(errbuf) != 0 ||
	    write_only_to(folders, errbuf) != 0)
		return -1;
	return load_filter(SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EPERM), judge_never,
	    sizeof(judge_never) / sizeof(*judge_never), errbuf);
}

int
confine_monitor(char errbuf[CONFINE_ERRBUF])
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(errbuf, "PR_SET_NO_NEW_PRIVS");
	return keep_memory_private(errbuf);
}
