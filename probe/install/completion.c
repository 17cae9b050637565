#include <string.h>

#include "fragments.h"
#include "probe/command/settings.h"
#include "rules/incident.h"

/* Is `name` a sub-command of `command`: which word begins it, else NULL. */
static const char *
behind(const char *command, const char *name)
{
	size_t n = strlen(command);

	if (n == 0)
		return strchr(name, ' ') == NULL ? name : NULL;
	return strncmp(name, command, n) == 0 && name[n] == ' ' ? name + n + 1 :
								  NULL;
}

static void
put_commands(FILE *out, const char *command)
{
	for (int i = 0; i < COMMANDS; i++) {
		const char *word =
		    behind(command, command_row((enum command)i)->name);

		if (word != NULL)
			fprintf(out, "%s ", word);
	}
}

void
completion_names(FILE *out)
{
	for (int i = 0; i < COMMANDS; i++)
		fprintf(out, "%s'%s'", i == 0 ? "\t\t" : " | ",
		    command_row((enum command)i)->name);
	fputs(")\n", out);
}

static void
put_option(FILE *out, const struct setting *s)
{
	fprintf(out, "--%s ", s->name);
	if (s->kind == VALUE_SWITCH)
		fprintf(out, "--no-%s ", s->name);
	if (s->letter != 0)
		fprintf(out, "-%c ", s->letter);
}

void
completion_words(FILE *out)
{
	fputs("\t'') words='", out);
	put_commands(out, "");
	fputs("--help --version' ;;\n", out);
	for (int i = 0; i < COMMANDS; i++) {
		enum command command = (enum command)i;

		fprintf(out, "\t'%s') words='", command_row(command)->name);
		put_commands(out, command_row(command)->name);
		for (int j = 0; j < SETTINGS; j++)
			if (setting((enum setting_id)j)->name != NULL &&
			    setting_is_for((enum setting_id)j, command))
				put_option(out, setting((enum setting_id)j));
		fputs("' ;;\n", out);
	}
}

/* 'read --alert-from'|'watch --alert-from'); all commands: *' --db'). */
static void
put_pattern(FILE *out, enum setting_id id)
{
	const char *bar = "\t", *name = setting(id)->name;
	bool all = true;

	for (int i = 0; i < COMMANDS; i++)
		all &= setting_is_for(id, (enum command)i);
	for (int i = 0; i < COMMANDS && !all; i++) {
		if (!setting_is_for(id, (enum command)i))
			continue;
		fprintf(out, "%s'%s --%s'", bar,
		    command_row((enum command)i)->name, name);
		bar = " | ";
	}
	if (all)
		fprintf(out, "\t*' --%s'", name);
	fputs(") ", out);
}

static void
put_kinds(FILE *out)
{
	fputs("words='", out);
	for (int k = 0; k < KINDS; k++)
		fprintf(out, "%s ", kind_name((enum kind)k));
	fputs("' files=", out);
}

static void
put_choice(FILE *out, const char *argument)
{
	fputs("words='", out);
	for (; *argument != '\0'; argument++)
		fputc(*argument == '|' ? ' ' : *argument, out);
	fputs("' files=", out);
}

void
completion_values(FILE *out)
{
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting *s = setting((enum setting_id)i);

		if (s->name == NULL || s->argument == NULL)
			continue;
		put_pattern(out, (enum setting_id)i);
		if (s->kind == VALUE_WORD)
			put_choice(out, s->argument);
		else if (s->kind == VALUE_KIND)
			put_kinds(out);
		else if (s->kind == VALUE_FILE)
			fputs("words= files=-f", out);
		else if (s->kind == VALUE_FOLDER)
			fputs("words= files=-d", out);
		else
			fputs("words= files=", out);
		fputs(" ;;\n", out);
	}
}
