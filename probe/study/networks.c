#include "networks.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include <maxminddb.h>

#define DATABASES_MAX 4
#define LINE_BYTES 512

struct row {
	struct address network;
	struct place place;
};

/* Rows of one family and length, sorted by their network. */
struct table {
	struct row *rows;
	size_t count, room;
};

struct networks {
	MMDB_s databases[DATABASES_MAX];
	unsigned database_count;
	struct table tables[2][129]; /* IPv6 or not; by bits */
	bool countries, as;
};

struct networks *
networks_create(void)
{
	return calloc(1, sizeof(struct networks));
}

void
networks_destroy(struct networks *n)
{
	if (n == NULL)
		return;
	for (unsigned i = 0; i < n->database_count; i++)
		MMDB_close(&n->databases[i]);
	for (int f = 0; f < 2; f++)
		for (int bits = 0; bits <= 128; bits++)
			free(n->tables[f][bits].rows);
	free(n);
}

bool
networks_know_countries(const struct networks *n)
{
	return n != NULL && n->countries;
}

bool
networks_know_as(const struct networks *n)
{
	return n != NULL && n->as;
}

/* --- the text file ------------------------------------------------------- */

static int
compare_rows(const void *a, const void *b)
{
	return memcmp(((const struct row *)a)->network.octets,
	    ((const struct row *)b)->network.octets, 16);
}

static int
add_row(struct networks *n, const struct row *row, unsigned bits)
{
	struct table *t = &n->tables[row->network.family == 6][bits];

	if (t->count == t->room) {
		size_t room = t->room * 2 + 64;
		struct row *more = realloc(t->rows, room * sizeof(*more));

		if (more == NULL)
			return -1;
		t->rows = more;
		t->room = room;
	}
	t->rows[t->count++] = *row;
	n->countries |= row->place.country[0] != '\0';
	n->as |= row->place.as != 0;
	return 0;
}

/* NULL: it is a row, or nothing; else what is wrong with it. */
static const char *
parse_row(char *line, struct row *row, unsigned *bits, bool *empty)
{
	char prefix[64], country[16], as[32];
	const char *digits = as;
	char *end;
	int rest = 0, fields;

	memset(row, 0, sizeof(*row));
	line[strcspn(line, "#\r\n")] = '\0';
	fields = sscanf(line, "%63s %15s %31s %n", prefix, country, as, &rest);
	*empty = fields <= 0;
	if (*empty)
		return NULL;
	if (!network_parse(prefix, &row->network, bits))
		return "not a prefix: write 192.0.2.0/24, with no bits behind "
		       "the network's";
	if (fields < 3)
		return "wants a prefix, a country or \"-\", and an AS or "
		       "\"-\"";
	if (strcmp(country, "-") != 0) {
		if (strlen(country) != 2 || !isupper(country[0]) ||
		    !isupper(country[1]))
			return "a country is two capital letters, or \"-\"";
		memcpy(row->place.country, country, 3);
	}
	if (strcmp(as, "-") == 0)
		return NULL;
	if (strncmp(as, "AS", 2) == 0)
		digits += 2;
	row->place.as = (uint32_t)strtoul(digits, &end, 10);
	if (!isdigit(*digits) || *end != '\0' || row->place.as == 0)
		return "an AS is \"AS64500\", or \"-\"";
	snprintf(row->place.as_name, sizeof(row->place.as_name), "%s",
	    rest > 0 ? line + rest : "");
	return NULL;
}

static int
read_table(struct networks *n, FILE *file, const char *path,
    char errbuf[NETWORKS_ERRBUF])
{
	char line[LINE_BYTES];
	unsigned number = 0, bits;

	while (fgets(line, sizeof(line), file) != NULL) {
		struct row row;
		bool empty;
		const char *wrong = parse_row(line, &row, &bits, &empty);

		number++;
		if (wrong != NULL) {
			snprintf(errbuf, NETWORKS_ERRBUF, "%.300s:%u: %s", path,
			    number, wrong);
			return -1;
		}
		if (!empty && add_row(n, &row, bits) != 0) {
			snprintf(errbuf, NETWORKS_ERRBUF, "out of memory");
			return -1;
		}
	}
	if (number == 0) {
		snprintf(errbuf, NETWORKS_ERRBUF, "%.300s: empty", path);
		return -1;
	}
	for (int f = 0; f < 2; f++)
		for (bits = 0; bits <= 128; bits++)
			if (n->tables[f][bits].count > 0)
				qsort(n->tables[f][bits].rows,
				    n->tables[f][bits].count,
				    sizeof(struct row), compare_rows);
	return 0;
}

/* --- either of them ------------------------------------------------------ */

static int
add_table(struct networks *n, const char *path, char errbuf[NETWORKS_ERRBUF])
{
	FILE *file = fopen(path, "r");
	int status;

	if (file == NULL) {
		snprintf(errbuf, NETWORKS_ERRBUF, "%.300s: cannot be read",
		    path);
		return -1;
	}
	status = read_table(n, file, path, errbuf);
	fclose(file);
	return status;
}

int
networks_add(struct networks *n, const char *path, char errbuf[NETWORKS_ERRBUF])
{
	MMDB_s *db = &n->databases[n->database_count];
	int code;

	if (n->database_count == DATABASES_MAX) {
		snprintf(errbuf, NETWORKS_ERRBUF,
		    "%.300s: more than %d databases", path, DATABASES_MAX);
		return -1;
	}
	code = MMDB_open(path, MMDB_MODE_MMAP, db);
	if (code == MMDB_INVALID_METADATA_ERROR || code == MMDB_IO_ERROR ||
	    code == MMDB_FILE_OPEN_ERROR)
		return add_table(n, path, errbuf);
	if (code != MMDB_SUCCESS) {
		snprintf(errbuf, NETWORKS_ERRBUF, "%.300s: %s; fetch it again",
		    path, MMDB_strerror(code));
		return -1;
	}
	n->database_count++;
	if (strstr(db->metadata.database_type, "ASN") != NULL ||
	    strstr(db->metadata.database_type, "ISP") != NULL)
		n->as = true;
	else
		n->countries = true;
	return 0;
}

/* --- finding ------------------------------------------------------------- */

static struct address
masked(const struct address *address, unsigned bits)
{
	struct address out = *address;

	for (unsigned i = bits; i < 128; i += 8 - i % 8)
		out.octets[i / 8] &= (uint8_t)(0xff00 >> i % 8);
	return out;
}

static void
find_in_tables(const struct networks *n, const struct address *a,
    struct place *out)
{
	const struct table *tables = n->tables[a->family == 6];

	for (int bits = a->family == 6 ? 128 : 32; bits >= 0; bits--) {
		struct row wanted;
		const struct row *row;

		if (tables[bits].count == 0)
			continue;
		wanted.network = masked(a, (unsigned)bits);
		row = bsearch(&wanted, tables[bits].rows, tables[bits].count,
		    sizeof(*row), compare_rows);
		if (row != NULL) {
			*out = row->place;
			return;
		}
	}
}

static void
copy_utf8(const MMDB_entry_data_s *data, char *out, size_t room)
{
	if (data->has_data && data->type == MMDB_DATA_TYPE_UTF8_STRING)
		snprintf(out, room, "%.*s", (int)data->data_size,
		    data->utf8_string);
}

/* What is damaged is not known. */
static void
find_in_database(const MMDB_s *db, const struct sockaddr *address,
    struct place *out)
{
	MMDB_entry_data_s data;
	MMDB_lookup_result_s result;
	int error;

	result = MMDB_lookup_sockaddr(db, address, &error);
	if (error != MMDB_SUCCESS || !result.found_entry)
		return;
	if (MMDB_get_value(&result.entry, &data, "country", "iso_code", NULL) ==
	    MMDB_SUCCESS)
		copy_utf8(&data, out->country, sizeof(out->country));
	if (MMDB_get_value(&result.entry, &data, "autonomous_system_number",
		NULL) == MMDB_SUCCESS &&
	    data.has_data && data.type == MMDB_DATA_TYPE_UINT32)
		out->as = data.uint32;
	if (MMDB_get_value(&result.entry, &data,
		"autonomous_system_organization", NULL) == MMDB_SUCCESS)
		copy_utf8(&data, out->as_name, sizeof(out->as_name));
}

void
networks_find(const struct networks *n, const struct address *a,
    struct place *out)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	memset(out, 0, sizeof(*out));
	if (n == NULL || a->family == 0)
		return;
	find_in_tables(n, a, out);
	memcpy(&v6.sin6_addr, a->octets, 16);
	memcpy(&v4.sin_addr, a->octets, 4);
	for (unsigned i = 0; i < n->database_count; i++)
		find_in_database(&n->databases[i],
		    a->family == 6 ? (const struct sockaddr *)&v6 :
				     (const struct sockaddr *)&v4,
		    out);
}
