/*
 * probe/watch/confine.h - what a process gives up for good before it reads
 * what came from the network.
 *
 * Both: no new privileges, no capabilities, no core dump, no ptrace, no
 * program started. What the kernel does not have is left out and told; what it
 * has and refuses is an error.
 */
#ifndef PROBE_WATCH_CONFINE_H
#define PROBE_WATCH_CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

#define CONFINE_ERRBUF 256

/* Who to be from here on. */
struct confine_user {
	bool given;
	uid_t uid;
	gid_t gid;
};

/* False: nobody is called so. */
bool confine_user_find(const char *name, struct confine_user *);

/*
 * The engine: it can use the descriptors that it has, memory, and clocks;
 * there is no file system and no socket any more, and root becomes nobody.
 * 0, or -1 with a message. `threads`, or NULL, is called when the rights are
 * gone: the last time that threads can be started; they are confined as well.
 * They must run when it returns; -1: they do not, errno says why.
 */
int confine_engine(int (*threads)(void *context), void *context,
    char errbuf[CONFINE_ERRBUF]);
/* The judge: it opens files in its folders only, as far as their permissions
 * and the kernel's Landlock say so, and becomes `user`, if one is given.
 * `folders`: those it may write to; ends with NULL. */
int confine_judge(const struct confine_user *, const char *const *folders,
    char errbuf[CONFINE_ERRBUF]);
/* The monitor: what it does not need to open interfaces. */
int confine_monitor(char errbuf[CONFINE_ERRBUF]);

#endif
