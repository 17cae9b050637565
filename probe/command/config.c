#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define LINE_BYTES 1024

struct config {
	const char *path;
	struct site site;
	struct config_value *values; /* in the order of the file */
	size_t count, room;
};

struct place {
	const char *path;
	unsigned line;
};

/* "FILE:LINE: what is wrong"; nothing in a name steers the terminal. */
static int __attribute__((format(printf, 2, 3)))
wrong(const struct place *at, const char *format, ...)
{
	char text[1536];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	complain_at(at->path, at->line, text);
	return -1;
}

/* Takes the next word off `*rest`; "" at the end. */
static char *
next_word(char **rest)
{
	char *word = *rest;

	while (isspace((unsigned char)*word))
		word++;
	*rest = word;
	while (**rest != '\0' && !isspace((unsigned char)**rest))
		++*rest;
	if (**rest != '\0')
		*(*rest)++ = '\0';
	return word;
}

static int
set_network(const struct place *at, const char *text, struct site_network *out)
{
	if (network_parse(text, &out->address, &out->bits))
		return 0;
	return wrong(at,
	    "\"%s\" is not a network; write 192.0.2.0/24, 2001:db8::/32 or an "
	    "address",
	    text);
}

/* Lower case, without a final dot. */
static int
set_name(const struct place *at, const char *text, char out[DOMAIN_TEXT_BYTES])
{
	size_t n = strlen(text);

	if (n > 0 && text[n - 1] == '.')
		n--;
	if (n == 0 || n >= DOMAIN_TEXT_BYTES)
		return wrong(at, "\"%.100s\" is not a domain name", text);
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)text[i]) &&
		    strchr("-._", text[i]) == NULL)
			return wrong(at, "\"%.100s\" is not a domain name",
			    text);
		out[i] = (char)tolower((unsigned char)text[i]);
	}
	out[n] = '\0';
	return 0;
}

/* Nothing may stand behind what was read. */
static int
check_end(const struct place *at, char *rest)
{
	const char *word = next_word(&rest);

	return word[0] == '\0' ? 0 :
				 wrong(at, "\"%s\" is not wanted here", word);
}

/* --- the keys ------------------------------------------------------------ */

static int
add_network(const struct place *at, struct site *out, char *value)
{
	if (out->network_count == SITE_NETWORKS_MAX)
		return wrong(at, "more than %d networks", SITE_NETWORKS_MAX);
	if (set_network(at, next_word(&value),
		&out->networks[out->network_count]) != 0)
		return -1;
	out->network_count++;
	return check_end(at, value);
}

static int
add_domain(const struct place *at, struct site *out, char *value)
{
	if (out->domain_count == SITE_DOMAINS_MAX)
		return wrong(at, "more than %d domains", SITE_DOMAINS_MAX);
	if (set_name(at, next_word(&value), out->domains[out->domain_count]) !=
	    0)
		return -1;
	out->domain_count++;
	return check_end(at, value);
}

static int
set_side(const struct place *at, struct site_box *box, const char *text)
{
	if (strcmp(text, "server") == 0)
		box->side = SIDE_SERVER_OF_TAP;
	else if (strcmp(text, "client") == 0)
		box->side = SIDE_CLIENT_OF_TAP;
	else
		return wrong(at, "side \"%s\" is neither server nor client",
		    text);
	return 0;
}

static int
set_time(const struct place *at, int64_t *ns, const char *text)
{
	if (time_parse(text, ns))
		return 0;
	return wrong(at, "\"%s\" is not a time; write 2026-03-01", text);
}

/* What is none of the words is the box's name, to the end of the line. */
static int
add_box(const struct place *at, struct site *out, char *value)
{
	struct site_box *box = &out->boxes[out->box_count];
	int status;

	if (out->box_count == SITE_BOXES_MAX)
		return wrong(at, "more than %d boxes", SITE_BOXES_MAX);
	*box = (struct site_box){ .from_ns = INT64_MIN, .until_ns = INT64_MAX };
	status = set_network(at, next_word(&value), &box->network);
	while (status == 0) {
		char *word = next_word(&value);

		if (strcmp(word, "side") == 0) {
			status = set_side(at, box, next_word(&value));
		} else if (strcmp(word, "from") == 0) {
			status = set_time(at, &box->from_ns, next_word(&value));
		} else if (strcmp(word, "until") == 0) {
			status =
			    set_time(at, &box->until_ns, next_word(&value));
		} else {
			snprintf(box->name, sizeof(box->name), "%.40s%s%.20s",
			    word, value[0] ? " " : "", value);
			break;
		}
	}
	if (status != 0)
		return -1;
	if (box->name[0] == '\0')
		return wrong(at,
		    "a box wants a name: box = 192.0.2.0/24 side server ASA in "
		    "the basement");
	if (box->from_ns >= box->until_ns)
		return wrong(at, "from is not before until");
	out->box_count++;
	return 0;
}

static int
add_peer(const struct place *at, struct site *out, char *value)
{
	struct site_peer *peer = &out->peers[out->peer_count];
	const char *address = next_word(&value);

	if (out->peer_count == SITE_PEERS_MAX)
		return wrong(at, "more than %d peers", SITE_PEERS_MAX);
	if (!address_parse(address, &peer->address))
		return wrong(at, "\"%s\" is not an IP address", address);
	if (set_name(at, next_word(&value), peer->name) != 0)
		return -1;
	out->peer_count++;
	return check_end(at, value);
}

/* The keys that are about the place. */
static int
set_site(const struct place *at, enum setting_id id, struct site *out,
    char *value)
{
	switch ((int)id) {
	case SET_HOME_NETWORK:
		return add_network(at, out, value);
	case SET_HOME_DOMAIN:
		return add_domain(at, out, value);
	case SET_BOX:
		return add_box(at, out, value);
	default:
		return add_peer(at, out, value);
	}
}

/* --- lines --------------------------------------------------------------- */

static char *
trim(char *text)
{
	size_t n;

	while (isspace((unsigned char)*text))
		text++;
	for (n = strlen(text); n > 0 && isspace((unsigned char)text[n - 1]);)
		text[--n] = '\0';
	return text;
}

/* A copy that lives as long as the program: a setting may be in use long after
 * the file was read again. Equal ones are one. NULL: out of memory. */
static const char *
lasting(const char *text)
{
	static struct text {
		struct text *next;
		char text[];
	} * texts;
	size_t n = strlen(text) + 1;
	struct text *t = texts;

	while (t != NULL && strcmp(t->text, text) != 0)
		t = t->next;
	if (t == NULL && (t = malloc(sizeof(*t) + n)) != NULL) {
		memcpy(t->text, text, n);
		t->next = texts;
		texts = t;
	}
	return t == NULL ? NULL : t->text;
}

static const struct config_value *
earlier(const struct config *config, const char *key)
{
	for (size_t i = 0; i < config->count; i++)
		if (strcmp(config->values[i].key, key) == 0)
			return &config->values[i];
	return NULL;
}

static struct config_value *
add_value(struct config *config)
{
	if (config->count == config->room) {
		size_t room = config->room ? config->room * 2 : 32;
		void *more =
		    realloc(config->values, room * sizeof(*config->values));

		if (more == NULL)
			return NULL;
		config->values = more;
		config->room = room;
	}
	return &config->values[config->count++];
}

static int
take_value(const struct place *at, struct config *config, enum setting_id id,
    char *text)
{
	const struct setting *s = setting(id);
	const struct config_value *before = earlier(config, s->key);
	struct config_value *value;
	char bad[SETTING_WRONG_BYTES];
	const char *kept = lasting(text);

	if (before != NULL && !(s->flags & MANY))
		return wrong(at, "%s was set in line %u already", s->key,
		    before->line);
	value = kept == NULL ? NULL : add_value(config);
	if (value == NULL)
		return wrong(at, "out of memory");
	value->key = s->key;
	value->line = at->line;
	if (!setting_parse(id, kept, &value->value, bad))
		return wrong(at, "%s: \"%.100s\" %s", s->key, text, bad);
	return s->kind == VALUE_SITE ? set_site(at, id, &config->site, text) :
				       0;
}

static int
take_line(const struct place *at, struct config *config, char *line)
{
	char *key = trim(line), *value;
	int id;

	if (key[0] == '\0' || key[0] == '#')
		return 0;
	value = strchr(key, '=');
	if (value == NULL)
		return wrong(at, "\"%.60s\" is not KEY = VALUE", key);
	*value++ = '\0';
	key = trim(key);
	value = trim(value);
	id = setting_of_key(key, COMMANDS);
	if (id < 0)
		return wrong(at, "unknown key \"%s\"; did you mean \"%s\"?",
		    key, setting_nearest_key(key));
	return value[0] != '\0' ?
	    take_value(at, config, (enum setting_id)id, value) :
	    wrong(at, "%s has no value", key);
}

static int
take_lines(struct place *at, struct config *config, FILE *file)
{
	char line[LINE_BYTES];

	while (fgets(line, sizeof(line), file) != NULL) {
		at->line++;
		if (strlen(line) + 1 == sizeof(line))
			return wrong(at, "a line of more than %d octets",
			    LINE_BYTES - 2);
		if (take_line(at, config, line) != 0)
			return -1;
	}
	return 0;
}

/* --- the file ------------------------------------------------------------ */

static struct config *current;

static void
config_free(struct config *config)
{
	if (config != NULL)
		free(config->values);
	free(config);
}

static int
read_file(struct config *config, const char *path)
{
	struct place at = { path, 0 };
	FILE *file = fopen(path, "r");
	int status;

	config->path = lasting(path);
	if (file == NULL || config->path == NULL) {
		complain("%s: %s", path, strerror(errno));
		return -1;
	}
	errno = 0;
	status = take_lines(&at, config, file);
	if (status == 0 && ferror(file)) {
		complain("%s: %s", path, strerror(errno ? errno : EIO));
		status = -1;
	}
	fclose(file);
	return status;
}

struct config *
config_read(const char *path)
{
	struct config *config = calloc(1, sizeof(*config));

	if (config == NULL) {
		complain("out of memory");
		return NULL;
	}
	if (read_file(config, path) == 0)
		return config;
	config_free(config);
	return NULL;
}

void
config_adopt(struct config *config)
{
	config_free(current);
	current = config;
}

const struct config *
config_current(void)
{
	return current;
}

const char *
config_path(const struct config *config)
{
	return config->path;
}

const struct config_value *
config_value(const struct config *config, size_t i)
{
	return i < config->count ? &config->values[i] : NULL;
}

const struct site *
config_site(void)
{
	return current != NULL ? &current->site : NULL;
}
