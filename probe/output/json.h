/*
 * probe/output/json.h - writes JSON by hand, one object a line.
 *
 * Keys and values go into a growing buffer; strings are checked for UTF-8,
 * and what is none is replaced, so that every line is valid JSON. No library
 * on this path: formatting is most of its cost.
 */
#ifndef PROBE_OUTPUT_JSON_H
#define PROBE_OUTPUT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "dissect/slice.h"

struct json {
	char *text;
	size_t length, room;
	bool comma;  /* the next member needs one */
	bool failed; /* memory ran out: nothing is written */
};

void json_init(struct json *);
void json_free(struct json *);
/* Empties it for the next object. */
void json_reset(struct json *);

/* `key` NULL inside arrays. */
void json_object_open(struct json *, const char *key);
void json_object_close(struct json *);
void json_array_open(struct json *, const char *key);
void json_array_close(struct json *);
void json_text(struct json *, const char *key, const char *value);
void json_slice(struct json *, const char *key, struct slice value);
void json_unsigned(struct json *, const char *key, uint64_t value);
void json_signed(struct json *, const char *key, int64_t value);
/* Rounded to `decimals`, without trailing zeros. */
void json_number(struct json *, const char *key, double value, int decimals);
void json_bool(struct json *, const char *key, bool value);
/* "2026-03-01T10:15:02.123456+0000", as Suricata writes it. */
void json_eve_time(struct json *, const char *key, int64_t ns);
/* The line and a newline; -1 when it could not be written. */
int json_write(struct json *, FILE *);

#endif
