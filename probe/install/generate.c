/*
 * Makes at build time what says the settings once more: manual pages, the
 * example of a configuration file, shell completion.
 *
 *	generate TEMPLATE >OUT
 *
 * copies the template; of it, a line @NAME@ becomes the fragment NAME.
 */
#include "fragments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *mark;
	void (*write)(FILE *);
} fragments[] = {
	{ "@COMMANDS@", manual_commands },
	{ "@COMMON@", manual_common },
	{ "@KEYS@", manual_keys },
	{ "@EXAMPLE@", example_keys },
	{ "@NAMES@", completion_names },
	{ "@WORDS@", completion_words },
	{ "@VALUES@", completion_values },
};

static void
copy_line(const char *line)
{
	size_t n = strcspn(line, "\n");

	for (size_t i = 0; i < sizeof(fragments) / sizeof(*fragments); i++)
		if (strlen(fragments[i].mark) == n &&
		    memcmp(fragments[i].mark, line, n) == 0) {
			fragments[i].write(stdout);
			return;
		}
	fputs(line, stdout);
}

int
main(int argc, char **argv)
{
	char line[1024];
	FILE *in = argc == 2 ? fopen(argv[1], "r") : NULL;

	if (in == NULL) {
		fprintf(stderr, "generate: one template: %s\n",
		    strerror(argc == 2 ? errno : EINVAL));
		return EXIT_FAILURE;
	}
	while (fgets(line, sizeof(line), in) != NULL)
		copy_line(line);
	fclose(in);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
