#include "registry.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "data.h"
#include "ehlo.h"
#include "incident.h"

#define KEYWORDS_MAX 1024
#define PRODUCTS_MAX 64
#define MASKS_MAX 32
#define DATA_FILE_MAX_BYTES (1 << 20)
#define FIELDS_MAX 8

struct registry {
	size_t keyword_count, product_count, mask_count;
	char keywords[KEYWORDS_MAX][40];
	struct product products[PRODUCTS_MAX];
	struct mask masks[MASKS_MAX];
	uint64_t digest;
	char version[17];
};

/* One line, cut at its tabs. */
struct row {
	char *fields[FIELDS_MAX];
	size_t count;
};

typedef const char *row_fn(struct registry *, const struct row *);

static void
upper_copy(char *out, size_t room, const char *in)
{
	size_t n = 0;

	for (; in[n] != '\0' && n + 1 < room; n++)
		out[n] = (char)ascii_upper((uint8_t)in[n]);
	out[n] = '\0';
}

/* Each returns NULL, or what is wrong with the row. */
static const char *
add_keyword(struct registry *r, const struct row *row)
{
	if (!ehlo_keyword_legal(slice_str(row->fields[0])))
		return "not an EHLO keyword: write letters, digits and "
		       "hyphens, then a tab";
	if (strlen(row->fields[0]) >= sizeof(r->keywords[0]))
		return "keyword too long: 39 octets are the most";
	if (r->keyword_count == KEYWORDS_MAX)
		return "too many keywords: remove some, 1024 are the most";
	upper_copy(r->keywords[r->keyword_count++], sizeof(r->keywords[0]),
	    row->fields[0]);
	return NULL;
}

static const char *
add_product(struct registry *r, const struct row *row)
{
	struct product *p = &r->products[r->product_count];
	char *save = NULL;

	if (row->count < 3)
		return "too few columns: write product, greeting words, "
		       "order, source, with tabs between";
	if (r->product_count == PRODUCTS_MAX)
		return "too many products: remove some, 64 are the most";
	if (strlen(row->fields[0]) >= sizeof(p->name) ||
	    strlen(row->fields[1]) >= sizeof(p->greeting_words))
		return "name or greeting words too long: 31 and 95 octets "
		       "are the most";
	strcpy(p->title, row->fields[0]);
	for (size_t i = 0; p->title[i] != '\0'; i++)
		p->name[i] = (char)tolower((unsigned char)p->title[i]);
	if (strcmp(row->fields[1], "-") != 0)
		snprintf(p->greeting_words, sizeof(p->greeting_words), "%s",
		    row->fields[1]);
	for (char *word = strtok_r(row->fields[2], " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		if (p->keyword_count == PRODUCT_KEYWORDS_MAX ||
		    strlen(word) >= sizeof(p->keywords[0]))
			return "order too long: 32 keywords of 31 octets are "
			       "the most";
		upper_copy(p->keywords[p->keyword_count++],
		    sizeof(p->keywords[0]), word);
	}
	if (p->keyword_count == 0)
		return "no order: write its keywords with blanks between";
	r->product_count++;
	return NULL;
}

/* One character, or SP for a blank; false: it is neither. */
static bool
parse_run(const char *argument, char *run)
{
	*run = strcmp(argument, "SP") == 0 ? ' ' : argument[0];
	return *run == ' ' || (argument[0] != '\0' && argument[1] == '\0');
}

static const char *
add_mask(struct registry *r, const struct row *row)
{
	struct mask *m = &r->masks[r->mask_count];
	char *end;

	if (row->count < 5)
		return "too few columns: write mask, grammar, argument, "
		       "samples, writer, source, with tabs between";
	if (r->mask_count == MASKS_MAX)
		return "too many masks: remove some, 32 are the most";
	if (strlen(row->fields[0]) >= sizeof(m->name) ||
	    strlen(row->fields[4]) >= sizeof(m->writer))
		return "name or writer too long: 31 and 95 octets are the "
		       "most";
	if (strcmp(row->fields[1], "x-counter") == 0)
		m->grammar = MASK_X_COUNTER;
	else if (strcmp(row->fields[1], "run") == 0)
		m->grammar = MASK_RUN;
	else
		return "unknown grammar: write x-counter or run";
	if (m->grammar == MASK_RUN && !parse_run(row->fields[2], &m->run))
		return "argument of run: write one character, or SP for a "
		       "blank";
	m->samples = (unsigned)strtoul(row->fields[3], &end, 10);
	if (end == row->fields[3] || *end != '\0')
		return "samples: write how many are known, 0 if none";
	snprintf(m->name, sizeof(m->name), "%s", row->fields[0]);
	snprintf(m->writer, sizeof(m->writer), "%s", row->fields[4]);
	r->mask_count++;
	return NULL;
}

static const struct {
	const char *name;
	row_fn *add;
} files[] = {
	{ "keywords.tsv", add_keyword },
	{ "products.tsv", add_product },
	{ "masks.tsv", add_mask },
};
#define FILE_COUNT (sizeof(files) / sizeof(*files))

/* FNV-1a: names a version of the data, defends against nobody. */
static uint64_t
digest_over(uint64_t digest, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		digest = (digest ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
	return digest;
}

/* A verdict stands on the weights as it does on the data files. */
static uint64_t
digest_weights(uint64_t digest)
{
	char text[64];

	for (int i = 0; i < EVIDENCE_CODES; i++) {
		enum evidence_code code = (enum evidence_code)i;
		int n = snprintf(text, sizeof(text), "%s %.3f %d\n",
		    evidence_name(code), evidence_weight(code),
		    (int)evidence_admits(code));

		digest = digest_over(digest, text, (size_t)n);
	}
	return digest;
}

static void
split_row(char *line, struct row *row)
{
	row->count = 0;
	while (line != NULL && row->count < FIELDS_MAX)
		row->fields[row->count++] = strsep(&line, "\t");
}

/* `text` ends in NUL and is cut up. */
static int
parse_file(struct registry *r, const char *path, row_fn *add, char *text,
    char errbuf[REGISTRY_ERRBUF])
{
	unsigned number = 0;
	struct row row;

	for (char *line; (line = strsep(&text, "\n")) != NULL;) {
		const char *wrong;

		number++;
		line[strcspn(line, "\r")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		split_row(line, &row);
		wrong = row.fields[0][0] == '\0' ?
		    "begins with a tab: write the first column" :
		    add(r, &row);
		if (wrong != NULL) {
			snprintf(errbuf, REGISTRY_ERRBUF, "%.300s:%u: %s", path,
			    number, wrong);
			return -1;
		}
	}
	return 0;
}

/* Half a file would be rules that nobody wrote. */
static bool
is_whole_text(const char *path, FILE *f, const char *text, size_t len,
    char errbuf[REGISTRY_ERRBUF])
{
	if (ferror(f))
		snprintf(errbuf, REGISTRY_ERRBUF,
		    "%.300s: %s; --rules wants a folder with files that can "
		    "be read",
		    path, strerror(errno));
	else if (len > DATA_FILE_MAX_BYTES)
		snprintf(errbuf, REGISTRY_ERRBUF,
		    "%.300s: larger than 1 MiB; remove what is not needed",
		    path);
	else if (memchr(text, '\0', len) != NULL)
		snprintf(errbuf, REGISTRY_ERRBUF,
		    "%.300s: holds a NUL octet; write tab-separated text",
		    path);
	else
		return true;
	return false;
}

/* A copy that ends in NUL, from the folder or the program; NULL: said why. */
static char *
read_file(const char *path, size_t *len, char errbuf[REGISTRY_ERRBUF])
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;

	if (f == NULL) {
		snprintf(errbuf, REGISTRY_ERRBUF,
		    "%.300s: %s; --rules wants a folder with keywords.tsv, "
		    "products.tsv and masks.tsv",
		    path, strerror(errno));
		return NULL;
	}
	text = calloc(1, DATA_FILE_MAX_BYTES + 2);
	if (text == NULL) {
		snprintf(errbuf, REGISTRY_ERRBUF, "out of memory");
	} else {
		*len = fread(text, 1, DATA_FILE_MAX_BYTES + 1, f);
		if (!is_whole_text(path, f, text, *len, errbuf)) {
			free(text);
			text = NULL;
		}
	}
	fclose(f);
	return text;
}

static char *
builtin_file(const char *name, size_t *len)
{
	for (const struct rules_file *f = rules_builtin; f->name != NULL; f++) {
		if (strcmp(f->name, name) == 0) {
			*len = f->len;
			return strndup((const char *)f->bytes, f->len);
		}
	}
	return NULL;
}

static int
load_file(struct registry *r, const char *folder, size_t which,
    char errbuf[REGISTRY_ERRBUF])
{
	const char *name = files[which].name;
	char path[REGISTRY_ERRBUF - 128];
	size_t len = 0;
	char *text;
	int status;

	snprintf(path, sizeof(path), "%s%s%s", folder ? folder : "",
	    folder ? "/" : "", name);
	text = folder ? read_file(path, &len, errbuf) :
			builtin_file(name, &len);
	if (text == NULL)
		return -1;
	r->digest = digest_over(r->digest, text, len);
	status = parse_file(r, path, files[which].add, text, errbuf);
	free(text);
	return status;
}

struct registry *
registry_load(const char *folder, char errbuf[REGISTRY_ERRBUF])
{
	struct registry *r = calloc(1, sizeof(*r));

	snprintf(errbuf, REGISTRY_ERRBUF, "out of memory");
	if (r == NULL)
		return NULL;
	r->digest = digest_weights(UINT64_C(0xcbf29ce484222325));
	for (size_t i = 0; i < FILE_COUNT; i++) {
		if (load_file(r, folder, i, errbuf) != 0) {
			registry_free(r);
			return NULL;
		}
	}
	snprintf(r->version, sizeof(r->version), "%016llx",
	    (unsigned long long)r->digest);
	errbuf[0] = '\0';
	return r;
}

void
registry_free(struct registry *r)
{
	free(r);
}

const char *
registry_version(const struct registry *r)
{
	return r->version;
}

bool
registry_knows(const struct registry *r, struct slice keyword)
{
	for (size_t i = 0; i < r->keyword_count; i++)
		if (slice_equal_nocase(keyword, slice_str(r->keywords[i])))
			return true;
	return false;
}

bool
registry_resembles(const struct registry *r, struct slice word)
{
	for (size_t i = 0; i < r->keyword_count; i++) {
		const char *known = r->keywords[i];
		unsigned wrong = 0;

		if (strlen(known) != word.len || word.len < 6)
			continue;
		for (size_t j = 0; j < word.len; j++)
			wrong += ascii_upper(word.ptr[j]) != (uint8_t)known[j];
		if (wrong == 1 || wrong == 2)
			return true;
	}
	return false;
}

size_t
registry_products(const struct registry *r, const struct product **out)
{
	*out = r->products;
	return r->product_count;
}

size_t
registry_masks(const struct registry *r, const struct mask **out)
{
	*out = r->masks;
	return r->mask_count;
}
