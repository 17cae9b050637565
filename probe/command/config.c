#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "options.h"

#define LINE_BYTES 1024

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

static const struct {
	const char *key;
	int (*set)(const struct place *, struct site *, char *value);
} keys[] = {
	{ "home.network", add_network },
	{ "home.domain", add_domain },
	{ "box", add_box },
	{ "peer", add_peer },
};
#define KEYS (sizeof(keys) / sizeof(*keys))

static int
unknown_key(const struct place *at, const char *key)
{
	size_t best = 0;

	for (size_t i = 1; i < KEYS; i++)
		if (word_distance(key, keys[i].key) <
		    word_distance(key, keys[best].key))
			best = i;
	return wrong(at, "unknown key \"%s\"; did you mean \"%s\"?", key,
	    keys[best].key);
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

static int
take_line(const struct place *at, struct site *out, char *line)
{
	char *key = trim(line), *value;

	if (key[0] == '\0' || key[0] == '#')
		return 0;
	value = strchr(key, '=');
	if (value == NULL)
		return wrong(at, "\"%.60s\" is not KEY = VALUE", key);
	*value++ = '\0';
	key = trim(key);
	value = trim(value);
	for (size_t i = 0; i < KEYS; i++)
		if (strcmp(key, keys[i].key) == 0)
			return value[0] != '\0' ?
			    keys[i].set(at, out, value) :
			    wrong(at, "%s has no value", key);
	return unknown_key(at, key);
}

static int
take_lines(struct place *at, struct site *out, FILE *file)
{
	char line[LINE_BYTES];

	while (fgets(line, sizeof(line), file) != NULL) {
		at->line++;
		if (strlen(line) + 1 == sizeof(line))
			return wrong(at, "a line of more than %d octets",
			    LINE_BYTES - 2);
		if (take_line(at, out, line) != 0)
			return -1;
	}
	return 0;
}

static struct site site;
static bool loaded;

int
config_load(const char *path)
{
	struct place at = { path, 0 };
	FILE *file = fopen(path, "r");

	memset(&site, 0, sizeof(site));
	loaded = false;
	if (file == NULL) {
		complain("%s: %s", path, strerror(errno));
		return -1;
	}
	errno = 0;
	loaded = take_lines(&at, &site, file) == 0;
	if (loaded && ferror(file)) {
		complain("%s: %s", path, strerror(errno ? errno : EIO));
		loaded = false;
	}
	fclose(file);
	return loaded ? 0 : -1;
}

const struct site *
config_site(void)
{
	return loaded ? &site : NULL;
}
