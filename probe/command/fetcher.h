/*
 * probe/command/fetcher.h - `policy fetch` and `refresh` are a program of
 * their own: who reads packets loads no HTTP stack and opens no connection.
 */
#ifndef PROBE_COMMAND_FETCHER_H
#define PROBE_COMMAND_FETCHER_H

/* Becomes striplight-fetch, which stands beside this program (as built) or in
 * libexec (as installed), with the same arguments; argv[0] is "fetch" or
 * "refresh". Returns only when there is none: the exit status, after saying
 * so. */
int fetcher_run(int argc, char **argv);

#endif
