/* striplight-fetch: what `policy fetch` and `policy refresh` become. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "command/policy_fetch.h"

int
main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	if (argc > 1 && strcmp(argv[1], "fetch") == 0)
		return policy_fetch(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "refresh") == 0)
		return policy_refresh(argc - 1, argv + 1);
	fputs("usage: striplight policy fetch|refresh, which run this\n",
	    stderr);
	return STATUS_ERROR;
}
