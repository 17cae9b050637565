#include <ctype.h>
#include <string.h>

#include "fragments.h"
#include "probe/command/settings.h"

#define COLUMNS 72 /* with room for what escapes take */

/* One word of running text: nothing in it is a request or an escape. */
static void
put_word(FILE *out, const char *word, size_t n, bool first)
{
	bool quoted = false;

	if (first && (word[0] == '.' || word[0] == '\''))
		fputs("\\&", out);
	for (size_t i = 0; i < n; i++) {
		if (word[i] == '\\') {
			fputs("\\e", out);
		} else if (word[i] == '`') {
			fputs(quoted ? "\\(cq" : "\\(oq", out);
			quoted = !quoted;
		} else {
			fputc(word[i], out);
		}
	}
}

/* Words, a sentence begins a line; an empty line begins a paragraph. */
static void
put_text(FILE *out, const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t n = strcspn(text, " \n");

		if (column > 0 && column + 1 + n > COLUMNS) {
			fputc('\n', out);
			column = 0;
		} else if (column > 0) {
			fputc(' ', out);
		}
		put_word(out, text, n, column == 0);
		column += n + 1;
		text += n;
		if (text[0] == '\n' && text[1] == '\n') {
			fputs("\n.Pp\n", out);
			column = 0;
			text++;
		} else if (n > 0 && text[-1] == '.' && *text != '\0' &&
		    (n < 4 || memcmp(text - 3, "...", 3) != 0)) {
			fputc('\n', out);
			column = 0;
		}
		text += *text != '\0';
	}
	if (column > 0)
		fputc('\n', out);
}

/* As a sentence. */
static void
put_sentence(FILE *out, const char *text)
{
	char sentence[SETTING_HELP_BYTES + 2];
	size_t n = (size_t)snprintf(sentence, sizeof(sentence), "%s", text);

	/* No name of a file begins with a capital. */
	if (memchr(sentence, '.', strcspn(sentence, " ")) == NULL)
		sentence[0] = (char)toupper((unsigned char)sentence[0]);
	if (sentence[n - 1] != '.')
		strcpy(sentence + n, ".");
	put_text(out, sentence);
}

static void
put_what(FILE *out, enum setting_id id)
{
	char help[SETTING_HELP_BYTES];

	put_sentence(out, setting_help(id, help));
	if (setting(id)->manual != NULL)
		put_text(out, setting(id)->manual);
}

static void
put_option(FILE *out, enum setting_id id)
{
	const struct setting *s = setting(id);

	fputs(".It ", out);
	if (s->letter != 0)
		fprintf(out, "Fl %c , ", s->letter);
	fprintf(out, "Fl -%s", s->name);
	if (s->kind == VALUE_SWITCH)
		fprintf(out, " , Fl -no-%s", s->name);
	if (s->argument != NULL)
		fprintf(out, " Ar \"%s\"", s->argument);
	fputc('\n', out);
	put_what(out, id);
}

static bool
is_of_all(enum setting_id id)
{
	return setting_is_for(id, COMMAND_READ) &&
	    setting_is_for(id, COMMAND_RULES) &&
	    setting_is_for(id, COMMAND_POLICY);
}

static void
put_options(FILE *out, enum command command)
{
	bool any = false;

	for (int i = 0; i < SETTINGS; i++) {
		enum setting_id id = (enum setting_id)i;

		if (setting(id)->name == NULL || is_of_all(id) ||
		    !setting_is_for(id, command))
			continue;
		if (!any)
			fputs(".Bl -tag -width Ds\n", out);
		any = true;
		put_option(out, id);
	}
	if (any)
		fputs(".El\n", out);
}

void
manual_commands(FILE *out)
{
	for (int i = 0; i < COMMANDS; i++) {
		const struct command_row *row = command_row((enum command)i);

		fprintf(out, ".Ss %s\n", row->name);
		fputs(".Bd -literal\n", out);
		fprintf(out, "striplight %s\n.Ed\n.Pp\n", row->usage);
		put_text(out, row->about);
		put_options(out, (enum command)i);
	}
}

void
manual_common(FILE *out)
{
	for (int i = 0; i < SETTINGS; i++)
		if (setting((enum setting_id)i)->name != NULL &&
		    is_of_all((enum setting_id)i))
			put_option(out, (enum setting_id)i);
}

/* "Used by read, watch." A key of all commands says nothing. */
static void
put_users(FILE *out, const char *key)
{
	char text[512] = "Used by";
	size_t n = strlen(text);
	const char *comma = "";

	for (int i = 0; i < COMMANDS; i++)
		if (setting_of_key(key, (enum command)i) >= 0) {
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "%s %s", comma, command_row((enum command)i)->name);
			comma = ",";
		}
	put_sentence(out, text);
}

void
manual_keys(FILE *out)
{
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting *s = setting((enum setting_id)i);

		if (s->key == NULL || setting_of_key(s->key, COMMANDS) != i)
			continue;
		fprintf(out, ".It Ic %s Li = Ar \"%s\"\n", s->key,
		    s->argument ? s->argument : "yes|no");
		put_what(out, (enum setting_id)i);
		if (s->flags & MANY)
			put_text(out, "It may come again.");
		if (s->flags & LIVE)
			put_text(out, "SIGHUP is enough to change it.");
		if (!is_of_all((enum setting_id)i))
			put_users(out, s->key);
	}
}
