#include <string.h>

#include "fragments.h"
#include "probe/command/settings.h"

#define COLUMNS 78

static void
put_comment(FILE *out, const char *text)
{
	size_t column = 1;

	fputc('#', out);
	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		if (column + 1 + n > COLUMNS) {
			fputs("\n#", out);
			column = 1;
		}
		fprintf(out, " %.*s", (int)n, text);
		column += 1 + n;
		text += n + (text[n] != '\0');
	}
	fputc('\n', out);
}

void
example_keys(FILE *out)
{
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting *s = setting((enum setting_id)i);
		char help[SETTING_HELP_BYTES];

		if (s->key == NULL || setting_of_key(s->key, COMMANDS) != i)
			continue;
		fputc('\n', out);
		put_comment(out, setting_help((enum setting_id)i, help));
		fprintf(out, "#%s = %s\n", s->key,
		    s->standard ? s->standard : s->argument);
	}
}
