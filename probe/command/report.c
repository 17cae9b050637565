/* striplight report: what was seen, for somebody else to read. */
#include "report.h"

#include <string.h>

#include "options.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} reports[] = {
	{ "html", report_html },
	{ "case", report_case },
	{ "tlsrpt", report_tlsrpt },
};

int
command_report(int argc, char **argv)
{
	struct common_options common;
	int first;

	for (size_t i = 0; argc > 1 && i < sizeof(reports) / sizeof(*reports);
	     i++)
		if (strcmp(argv[1], reports[i].name) == 0)
			return reports[i].run(argc - 1, argv + 1);
	if (argc > 1 && argv[1][0] != '-')
		return usage_error(COMMAND_REPORT, "unknown report \"%s\"",
		    argv[1]);
	first = options_parse(COMMAND_REPORT, &common, NULL, NULL, argc, argv);
	if (first < 0)
		return first == -1 ? STATUS_OK : STATUS_ERROR;
	return usage_error(COMMAND_REPORT, "wants a report");
}
