/* striplight study: prevalence, from scans and from what was counted. */
#include "study.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} subcommands[] = {
	{ "import", study_import },
	{ "table", study_table },
	{ "plot", study_plot },
	{ "export", study_export },
};
#define SUBCOMMANDS (sizeof(subcommands) / sizeof(*subcommands))

void
study_rules_text(const struct registry *registry, char out[64])
{
	snprintf(out, 64, "striplight %s, rules %.16s", STRIPLIGHT_VERSION,
	    registry_version(registry));
}

int
command_study(int argc, char **argv)
{
	struct common_options common;
	int operand;

	for (size_t i = 0; argc > 1 && i < SUBCOMMANDS; i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	if (argc > 1 && argv[1][0] != '-')
		return usage_error(COMMAND_STUDY, "unknown sub-command \"%s\"",
		    argv[1]);
	operand = options_parse(COMMAND_STUDY, &common, NULL, NULL, argc, argv);
	if (operand < 0)
		return operand == -1 ? STATUS_OK : STATUS_ERROR;
	return usage_error(COMMAND_STUDY, "wants a sub-command");
}
