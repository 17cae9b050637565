/*
 * store/statement.h - SQLite, a little shorter; private to store/.
 */
#ifndef STORE_STATEMENT_H
#define STORE_STATEMENT_H

#include <sqlite3.h>

#include "store.h"

#define STATEMENTS_MAX 80

struct store {
	sqlite3 *db;
	char path[1024];
	char error[STORE_ERRBUF];
	struct {
		const char *sql; /* a literal: its address is the key */
		sqlite3_stmt *statement;
	} cache[STATEMENTS_MAX];
	char capture[CAPTURE_HASH_BYTES]; /* between begin and commit */
	int patience_ms; /* how long it waits for who else writes */
	bool unbound;	 /* no memory for a value: the next step fails */
};

/*
 * Rows of the domain ?1, or of all where it is NULL, found by their key: a
 * text is between '' and the empty blob. `?1 IS NULL OR domain = ?1` would look
 * at every row for one domain.
 */
#define OF_DOMAIN "domain BETWEEN ifnull(?1, '') AND ifnull(?1, x'')"

/* A prepared statement, reset and ready to bind; NULL after store_failed().
 * `sql` is a string literal. */
sqlite3_stmt *statement(struct store *, const char *sql);
/* Always -1; keeps what SQLite says, and what can be done about it. */
int store_failed(struct store *);
/* Runs SQL without parameters and results. */
int store_execute(struct store *, const char *sql);
/* Up to two numbers of the one row of `sql`. 0, 1: the first is NULL, -1. */
int store_ask(struct store *, const char *sql, int64_t *first, int64_t *second);
/* Replies that no sighting needs any more; within a transaction. */
int store_delete_unused_replies(struct store *);
/* Fills incident->words with what holds now. */
int store_words_of(struct store *, struct incident *);
/* Only whether a rule suppresses it. */
int store_rules_cover(struct store *, struct incident *);
/* SQLITE_ROW, SQLITE_DONE, or a code for store_failed(): also when a value
 * could not be bound, which would otherwise go in as NULL. */
int step(struct store *, sqlite3_stmt *);
/* Steps a statement that gives no rows. 0 or -1. */
int step_done(struct store *, sqlite3_stmt *);
/* Behind the last step() of a walk, which gave `code`: `status`, which whoever
 * was told the rows gave, or -1 if it was a fault that ended them. */
int rows_end(struct store *, sqlite3_stmt *, int code, int status);

void bind_text(struct store *, sqlite3_stmt *, int, const char *);
/* "" becomes NULL. */
void bind_text_or_null(struct store *, sqlite3_stmt *, int, const char *);
void bind_address(struct store *, sqlite3_stmt *, int, const struct address *);
void bind_blob(struct store *, sqlite3_stmt *, int, const void *, size_t);
/* 64 unsigned bits keep their pattern. */
void bind_u64(sqlite3_stmt *, int, uint64_t);

/* Copies a text column; "" for NULL. */
void column_text(sqlite3_stmt *, int, char *out, size_t room);
void column_address(sqlite3_stmt *, int, struct address *);
struct slice column_blob(sqlite3_stmt *, int);

#endif
