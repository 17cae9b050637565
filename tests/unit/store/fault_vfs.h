/*
 * A VFS that fails at its n-th call: the disk is full, or broken, from there
 * on or only once. It stands before the system's own, which raw_open() uses.
 */
#ifndef TESTS_UNIT_STORE_FAULT_VFS_H
#define TESTS_UNIT_STORE_FAULT_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

static struct {
	long at, calls;	      /* the call that fails, from 1; 0: none */
	bool for_good, reads; /* and all later ones; reads fail too */
	int code;
} fault;

struct fault_file {
	sqlite3_file base; /* the real file lies behind it */
};

#define REAL(file) ((sqlite3_file *)((struct fault_file *)(file) + 1))

static inline bool
fault_now(void)
{
	fault.calls++;
	return fault.at > 0 &&
	    (fault.calls == fault.at ||
		(fault.for_good && fault.calls > fault.at));
}

static inline int
fault_close(sqlite3_file *f)
{
	return REAL(f)->pMethods ? REAL(f)->pMethods->xClose(REAL(f)) :
				   SQLITE_OK;
}

static inline int
fault_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	if (fault.reads && fault_now())
		return SQLITE_IOERR_READ;
	return REAL(f)->pMethods->xRead(REAL(f), to, n, at);
}

static inline int
fault_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	if (!fault.reads && fault_now()) {
		/* A disk that fills up takes the first half. */
		if (n > 512)
			REAL(f)->pMethods->xWrite(REAL(f), from, n / 2, at);
		return fault.code;
	}
	return REAL(f)->pMethods->xWrite(REAL(f), from, n, at);
}

static inline int
fault_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return !fault.reads && fault_now() ?
	    SQLITE_IOERR_TRUNCATE :
	    REAL(f)->pMethods->xTruncate(REAL(f), size);
}

/* The kernel's part is not under test: what was written is there. */
static inline int
fault_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	return !fault.reads && fault_now() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static inline int
fault_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), size);
}

static inline int
fault_lock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xLock(REAL(f), level);
}

static inline int
fault_unlock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), level);
}

static inline int
fault_check_lock(sqlite3_file *f, int *out)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}

static inline int
fault_control(sqlite3_file *f, int op, void *argument)
{
	return REAL(f)->pMethods->xFileControl(REAL(f), op, argument);
}

static inline int
fault_sector_size(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static inline int
fault_characteristics(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static inline int
fault_shm_map(sqlite3_file *f, int page, int size, int extend,
    void volatile **out)
{
	if (extend && !fault.reads && fault_now())
		return SQLITE_IOERR_SHMSIZE;
	return REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, out);
}

static inline int
fault_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return REAL(f)->pMethods->xShmLock(REAL(f), offset, n, flags);
}

static inline void
fault_shm_barrier(sqlite3_file *f)
{
	REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static inline int
fault_shm_unmap(sqlite3_file *f, int remove)
{
	return REAL(f)->pMethods->xShmUnmap(REAL(f), remove);
}

static const sqlite3_io_methods fault_methods = { 2, fault_close, fault_read,
	fault_write, fault_truncate, fault_sync, fault_size, fault_lock,
	fault_unlock, fault_check_lock, fault_control, fault_sector_size,
	fault_characteristics, fault_shm_map, fault_shm_lock, fault_shm_barrier,
	fault_shm_unmap, NULL, NULL };

static sqlite3_vfs fault_vfs, *real_vfs;

static inline int
fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags,
    int *out)
{
	int status;

	(void)vfs;
	f->pMethods = NULL;
	if ((flags & SQLITE_OPEN_CREATE) && !fault.reads && fault_now())
		return SQLITE_CANTOPEN;
	status = real_vfs->xOpen(real_vfs, name, REAL(f), flags, out);
	if (status == SQLITE_OK)
		f->pMethods = &fault_methods;
	return status;
}

static inline int
fault_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	if (!fault.reads && fault_now())
		return SQLITE_IOERR_DELETE;
	return real_vfs->xDelete(real_vfs, name, sync);
}

static inline void
fault_install(void)
{
	real_vfs = sqlite3_vfs_find("unix");
	fault_vfs = *real_vfs;
	fault_vfs.zName = "fault";
	fault_vfs.szOsFile += (int)sizeof(struct fault_file);
	fault_vfs.xOpen = fault_open;
	fault_vfs.xDelete = fault_delete;
	sqlite3_vfs_register(&fault_vfs, 1);
}

#endif
