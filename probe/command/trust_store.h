/*
 * probe/command/trust_store.h - the CA certificates that chains are verified
 * against: --trust, or the system's.
 */
#ifndef PROBE_COMMAND_TRUST_STORE_H
#define PROBE_COMMAND_TRUST_STORE_H

#include "probe/pipeline/judge_loop.h"

/*
 * `path` is a file of PEM certificates, or a folder of such files; NULL: the
 * system's ($SSL_CERT_FILE, or where Debian, Fedora and OpenSSL keep it),
 * which is read when the first chain is to be verified; where there is none,
 * no chain is. -1: it was named and has no certificate; the message was
 * printed.
 */
int trust_store_load(const char *path, struct judge_trust *out);
void trust_store_free(struct judge_trust *);

#endif
