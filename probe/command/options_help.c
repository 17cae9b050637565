#include "options_help.h"

#include <stdio.h>
#include <string.h>

#define HELP_COLUMN 30 /* where explanations begin */

/* Words between `indent` and column 79; an empty line stays one. */
static void
print_wrapped(const char *text, int indent)
{
	int column = indent;

	while (*text != '\0') {
		int n = (int)strcspn(text, " \n");

		if (column > indent && column + 1 + n > 79) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", n, text);
		column += n;
		text += n;
		if (text[0] == '\n' && text[1] == '\n') {
			printf("\n\n%*s", indent, "");
			column = indent;
			text++;
		}
		text += *text != '\0';
	}
	putchar('\n');
}

static void
print_row(enum setting_id id)
{
	const struct setting *s = setting(id);
	char left[64], help[SETTING_HELP_BYTES];

	snprintf(left, sizeof(left), "%s%c%s--%s%s%s%s", s->letter ? "-" : "",
	    s->letter ? s->letter : ' ', s->letter ? ", " : "   ",
	    s->kind == VALUE_SWITCH ? "[no-]" : "", s->name,
	    s->argument ? " " : "", s->argument ? s->argument : "");
	printf("  %s", left);
	if (strlen(left) + 4 > HELP_COLUMN)
		printf("\n%*s", HELP_COLUMN, "");
	else
		printf("%*s", HELP_COLUMN - 2 - (int)strlen(left), "");
	print_wrapped(setting_help(id, help), HELP_COLUMN);
}

void
options_help(enum command command)
{
	const struct command_row *row = command_row(command);

	printf("usage: striplight %s\n\n", row->usage);
	print_wrapped(row->about, 0);
	putchar('\n');
	for (int i = 0; i < SETTINGS; i++)
		if (setting((enum setting_id)i)->name != NULL &&
		    setting_is_for((enum setting_id)i, command))
			print_row((enum setting_id)i);
}
