#include "word.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "probe/output/json.h"
#include "probe/output/style.h"
#include "store/store.h"

struct saying {
	struct common_options common;
	struct store *store;
	struct json json;
	struct word word;
	bool list, narrowed; /* a rule that says what it is for */
	unsigned matches, rules;
	struct incident incident; /* that an operand names */
};

static const enum command commands[] = {
	[WORD_ACK] = COMMAND_ACK,
	[WORD_LABEL] = COMMAND_LABEL,
	[WORD_SUPPRESS] = COMMAND_SUPPRESS,
};

static int
copy(char *out, size_t room, const char *value, char wrong[SETTING_WRONG_BYTES])
{
	if (strlen(value) < room) {
		strcpy(out, value);
		return 0;
	}
	snprintf(wrong, SETTING_WRONG_BYTES, "is longer than %zu octets",
	    room - 1);
	return -1;
}

static int
set_kind(struct word *word, const char *value, char wrong[SETTING_WRONG_BYTES])
{
	enum kind kind;

	if (kind_parse(value, &kind))
		return copy(word->kind, sizeof(word->kind), value, wrong);
	snprintf(wrong, SETTING_WRONG_BYTES,
	    "is an unknown kind; striplight rules list has them");
	return -1;
}

static int
set_server(struct word *word, const char *value,
    char wrong[SETTING_WRONG_BYTES])
{
	word->has_server = address_parse(value, &word->server);
	if (!word->has_server)
		snprintf(wrong, SETTING_WRONG_BYTES, "is not an IP address");
	return word->has_server ? 0 : -1;
}

static int
set_client(struct word *word, const char *value,
    char wrong[SETTING_WRONG_BYTES])
{
	word->has_client =
	    network_parse(value, &word->client, &word->client_bits);
	if (!word->has_client)
		snprintf(wrong, SETTING_WRONG_BYTES,
		    "is not a network; write 192.0.2.0/24 or 192.0.2.7");
	return word->has_client ? 0 : -1;
}

static int
on_setting(void *context, enum setting_id id, const struct setting_value *value,
    char wrong[SETTING_WRONG_BYTES])
{
	struct saying *s = context;
	struct word *word = &s->word;

	s->narrowed |= id == SET_RULE_SERVER || id == SET_RULE_CLIENT ||
	    id == SET_RULE_KIND || id == SET_RULE_MASK;
	switch ((int)id) {
	case SET_WORD_UNTIL:
	case SET_RULE_UNTIL:
		word->until_ns = value->time_ns;
		return 0;
	case SET_NOTE:
	case SET_RULE_NOTE:
		return copy(word->note, sizeof(word->note), value->text, wrong);
	case SET_RULE_SERVER:
		return set_server(word, value->text, wrong);
	case SET_RULE_CLIENT:
		return set_client(word, value->text, wrong);
	case SET_RULE_KIND:
		return set_kind(word, value->text, wrong);
	case SET_RULE_MASK:
		return copy(word->mask, sizeof(word->mask), value->text, wrong);
	case SET_LIFT:
		word->lifts = value->number;
		return 0;
	case SET_LIST_RULES:
		s->list = true;
		return 0;
	default:
		return 0;
	}
}

/* --- which incident ------------------------------------------------------ */

static int
on_match(void *context, const struct incident *in)
{
	struct saying *s = context;

	s->incident = *in;
	return ++s->matches > 1;
}

/* 0, or an exit status after saying why. */
static int
find_incident(struct saying *s, const char *prefix)
{
	struct incident_filter filter = { .all = true, .id_prefix = prefix };

	s->matches = 0;
	if (store_each_incident(s->store, &filter, on_match, s) < 0) {
		complain("%s", store_error(s->store));
		return STATUS_ERROR;
	}
	if (s->matches == 1 && prefix[0] != '\0')
		return 0;
	if (s->matches > 1)
		complain("\"%s\" begins several incidents: write more of it",
		    prefix);
	else
		complain("no incident \"%s\"; striplight incidents --all "
			 "lists them",
		    prefix);
	return s->matches > 1 ? STATUS_ERROR : STATUS_NO;
}

/* --- saying it ----------------------------------------------------------- */

/* Who and when: an audit of its own. The user of the machine, not of sudo. */
static void
sign(struct word *word)
{
	const struct passwd *user = getpwuid(getuid());
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	word->said_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	word->uid = (int64_t)getuid();
	snprintf(word->user, sizeof(word->user), "%s",
	    user != NULL ? user->pw_name : "unknown");
}

static int
say(struct saying *s)
{
	sign(&s->word);
	if (store_add_word(s->store, &s->word) == 0)
		return STATUS_OK;
	complain("%s", store_error(s->store));
	return STATUS_ERROR;
}

/* All of them or none. */
static int
say_of_each(struct saying *s, char **prefixes)
{
	int status = STATUS_OK;

	if (store_begin(s->store) != 0) {
		complain("%s", store_error(s->store));
		return STATUS_ERROR;
	}
	for (; *prefixes != NULL && status == STATUS_OK; prefixes++) {
		status = find_incident(s, *prefixes);
		if (status != STATUS_OK)
			break;
		strcpy(s->word.incident, s->incident.id);
		status = say(s);
		if (status == STATUS_OK && !s->common.quiet)
			printf("%.8s  %s%s%s\n", s->incident.id,
			    word_verb_name(s->word.verb),
			    s->word.label ? " " : "",
			    label_name(s->word.label));
	}
	if (status == STATUS_OK && store_commit(s->store) != 0) {
		complain("%s", store_error(s->store));
		return STATUS_ERROR;
	}
	if (status != STATUS_OK)
		store_rollback(s->store);
	return status;
}

/* --- rules --------------------------------------------------------------- */

static void
rule_text(const struct word *rule, char out[512])
{
	char address[ADDRESS_TEXT_BYTES], time[32];
	size_t n;

	snprintf(out, 512, "%s%s%s", rule->kind[0] ? rule->kind : "any kind",
	    rule->mask[0] ? ", mask " : "", rule->mask);
	n = strlen(out);
	if (rule->has_server)
		snprintf(out + n, 512 - n, ", server %s",
		    address_format(&rule->server, address));
	n = strlen(out);
	if (rule->has_client)
		snprintf(out + n, 512 - n, ", clients of %s/%u",
		    address_format(&rule->client, address), rule->client_bits);
	n = strlen(out);
	if (rule->until_ns != INT64_MAX)
		snprintf(out + n, 512 - n, ", until %s UTC",
		    style_time(rule->until_ns, time));
}

static void
rule_json(struct json *j, const struct word *rule)
{
	char address[ADDRESS_TEXT_BYTES], text[ADDRESS_TEXT_BYTES + 8];

	json_object_open(j, NULL);
	json_unsigned(j, "rule", rule->number);
	if (rule->kind[0] != '\0')
		json_text(j, "kind", rule->kind);
	if (rule->mask[0] != '\0')
		json_text(j, "mask", rule->mask);
	if (rule->has_server)
		json_text(j, "server", address_format(&rule->server, address));
	if (rule->has_client) {
		snprintf(text, sizeof(text), "%s/%u",
		    address_format(&rule->client, address), rule->client_bits);
		json_text(j, "client", text);
	}
	if (rule->until_ns != INT64_MAX)
		json_eve_time(j, "until", rule->until_ns);
	if (rule->note[0] != '\0')
		json_text(j, "note", rule->note);
	json_text(j, "user", rule->user);
	json_signed(j, "uid", rule->uid);
	json_eve_time(j, "said", rule->said_ns);
	json_object_close(j);
}

static int
on_rule(void *context, const struct word *rule)
{
	struct saying *s = context;
	char text[512], time[32], safe[SAFE_BYTES];

	s->rules++;
	if (s->common.format == FORMAT_JSON) {
		json_reset(&s->json);
		rule_json(&s->json, rule);
		return json_write(&s->json, stdout) != 0;
	}
	rule_text(rule, text);
	printf("%4llu  %s\n      %s, %s UTC%s%s\n",
	    (unsigned long long)rule->number, text, rule->user,
	    style_time(rule->said_ns, time), rule->note[0] ? ": " : "",
	    style_safe(rule->note, safe));
	return 0;
}

static int
list_rules(struct saying *s)
{
	int status = store_each_rule(s->store, on_rule, s);

	if (status < 0) {
		complain("%s", store_error(s->store));
		return STATUS_ERROR;
	}
	if (s->rules == 0 && s->common.format == FORMAT_TEXT)
		printf("No rule.\n");
	return fflush(stdout) == 0 && status == 0 ? STATUS_OK : STATUS_ERROR;
}

static int
is_that_rule(void *context, const struct word *rule)
{
	return *(const uint64_t *)context == rule->number;
}

static int
lift_rule(struct saying *s)
{
	int found = store_each_rule(s->store, is_that_rule, &s->word.lifts);

	if (found < 0) {
		complain("%s", store_error(s->store));
		return STATUS_ERROR;
	}
	if (found == 0) {
		complain("no rule %llu holds; incidents suppress --list has "
			 "them",
		    (unsigned long long)s->word.lifts);
		return STATUS_NO;
	}
	s->word.verb = WORD_LIFT;
	return say(s);
}

/* What the incident stands for, where no option says otherwise. */
static void
take_from(struct word *word, const struct incident *in)
{
	if (!word->has_server) {
		word->has_server = true;
		word->server = in->server.address;
	}
	if (!word->has_client) {
		word->has_client = true;
		word->client = address_network(&in->client.address);
		word->client_bits = in->client.address.family == 4 ? 24 : 48;
	}
	if (word->kind[0] == '\0')
		strcpy(word->kind, kind_name(in->kind));
	if (word->mask[0] == '\0')
		strcpy(word->mask, in->resembles);
}

static int
on_covered(void *context, const struct incident *in)
{
	struct saying *s = context;

	s->matches += word_covers(&s->word, in);
	return 0;
}

static int
make_rule(struct saying *s, const char *prefix)
{
	struct incident_filter filter = { 0 };
	char text[512];
	int status;

	if (prefix != NULL) {
		status = find_incident(s, prefix);
		if (status != STATUS_OK)
			return status;
		take_from(&s->word, &s->incident);
	}
	status = say(s);
	s->matches = 0;
	if (status != STATUS_OK || s->common.quiet)
		return status;
	if (store_each_incident(s->store, &filter, on_covered, s) < 0) {
		complain("%s", store_error(s->store));
		return STATUS_ERROR;
	}
	rule_text(&s->word, text);
	printf("Rule %llu: %s\n%u incident%s that %s known now; to end it: "
	       "striplight incidents suppress --lift %llu\n",
	    (unsigned long long)s->word.number, text, s->matches,
	    s->matches == 1 ? "" : "s", s->matches == 1 ? "is" : "are",
	    (unsigned long long)s->word.number);
	return STATUS_OK;
}

/* --- the command line ---------------------------------------------------- */

bool
word_is_command(const char *name)
{
	for (int verb = 0; verb <= WORD_SUPPRESS; verb++)
		if (strcmp(name, word_verb_name((enum word_verb)verb)) == 0)
			return true;
	return false;
}

/* 0: run it; else the exit status, after saying what is wrong. */
static int
check_operands(struct saying *s, int count, char **operands)
{
	enum command command = commands[s->word.verb];
	bool whole = s->list || s->word.lifts != 0;

	if (s->word.verb == WORD_SUPPRESS) {
		if (count > (whole ? 0 : 1))
			return usage_error(command, "\"%s\" is not wanted here",
			    operands[count - 1]);
		if (!whole && count == 0 && !s->narrowed)
			return usage_error(command,
			    "say which: an incident, or --server, --client, "
			    "--kind, --mask");
		return 0;
	}
	if (s->word.verb == WORD_LABEL &&
	    (count == 0 || !label_parse(operands[0], &s->word.label)))
		return usage_error(command,
		    "say what it was first: true, false or known");
	if (count <= (s->word.verb == WORD_LABEL ? 1 : 0))
		return usage_error(command, "name an incident");
	return 0;
}

static int
run(struct saying *s, int count, char **operands)
{
	if (s->word.verb == WORD_ACK)
		return say_of_each(s, operands);
	if (s->word.verb == WORD_LABEL)
		return say_of_each(s, operands + 1);
	if (s->list)
		return list_rules(s);
	if (s->word.lifts != 0)
		return lift_rule(s);
	return make_rule(s, count > 0 ? operands[0] : NULL);
}

int
word_command(int argc, char **argv)
{
	struct saying *s = calloc(1, sizeof(*s));
	char errbuf[STORE_ERRBUF];
	int first, status;

	if (s == NULL) {
		complain("out of memory");
		return STATUS_ERROR;
	}
	while (strcmp(argv[0], word_verb_name(s->word.verb)) != 0)
		s->word.verb++;
	s->word.until_ns = INT64_MAX;
	json_init(&s->json);
	first = options_parse(commands[s->word.verb], &s->common, on_setting, s,
	    argc, argv);
	if (first < 0)
		status = first == -1 ? STATUS_OK : STATUS_ERROR;
	else
		status = check_operands(s, argc - first, argv + first);
	if (first >= 0 && status == STATUS_OK) {
		style_color(s->common.color);
		/* To write would make one. */
		s->store = store_open(s->common.db,
		    s->list || access(s->common.db, F_OK) != 0 ? STORE_READ :
								 STORE_WRITE,
		    errbuf);
		if (s->store == NULL) {
			complain("%s", errbuf);
			status = STATUS_ERROR;
		} else {
			status = run(s, argc - first, argv + first);
		}
	}
	store_close(s->store);
	json_free(&s->json);
	free(s);
	return status;
}
