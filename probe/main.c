/* striplight: says when somebody took the encryption of SMTP away. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <pcap/pcap.h>
#include <sqlite3.h>

#include "command/options.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "read", command_read,
	    "read captures (pcap, pcapng, gz, zst; folders recursively)" },
	{ "incidents", command_incidents, "list incidents" },
	{ "show", command_show,
	    "one incident: verdict, evidence, the dialogue with the "
	    "tampered bytes marked" },
	{ "policy", command_policy,
	    "known MTA-STS policies: add, fetch, import, list, show, ..." },
	{ "compare", command_compare,
	    "two captures of the same traffic, from both sides of a "
	    "suspect" },
	{ "report", command_report,
	    "RFC 8460 JSON of what was seen, for mail operators" },
	{ "rules", command_rules,
	    "what is looked for, and why, with every weight" },
	{ "stats", command_stats,
	    "what was seen and what was lost, per capture" },
	{ "store", command_store,
	    "the database: is it sound (check), take away what is old "
	    "(prune)" },
};
#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void
print_help(FILE *out)
{
	fputs(
	    "striplight watches SMTP from the side and says when somebody took "
	    "the\nencryption away: a STARTTLS that was overwritten in the "
	    "server's EHLO reply,\nor that is gone though the server offers it "
	    "at other times or its domain's\nMTA-STS policy promises it.\n\n"
	    "usage: striplight COMMAND [OPTIONS] ...\n\n",
	    out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name,
		    commands[i].summary);
	fputs("\nstriplight COMMAND --help says more. For a start:\n\n"
	      "  striplight policy add example.org mta-sts.txt\n"
	      "  striplight read capture.pcapng\n"
	      "  striplight incidents\n"
	      "  striplight show 9f0c\n\n"
	      "What is found is kept in a database, striplight.db in the "
	      "working folder,\n$STRIPLIGHT_DB, or --db PATH. Message bodies "
	      "and credentials never are.\n\n"
	      "Exit status of read: 0 no incident, 1 a likely one, 2 something "
	      "could not be\nread. Of the others: 0 done, 1 no, 2 error.\n",
	    out);
}

static void
print_version(void)
{
	printf("striplight %s\n%s\nSQLite %s\n%s\n", STRIPLIGHT_VERSION,
	    pcap_lib_version(), sqlite3_libversion(),
	    OpenSSL_version(OPENSSL_VERSION));
}

static int
unknown_command(const char *name)
{
	size_t best = 0;

	for (size_t i = 1; i < COMMANDS; i++)
		if (word_distance(name, commands[i].name) <
		    word_distance(name, commands[best].name))
			best = i;
	if (word_distance(name, commands[best].name) <= 2)
		complain("unknown command \"%s\"; did you mean \"%s\"?", name,
		    commands[best].name);
	else
		complain("unknown command \"%s\"", name);
	fputs("usage: striplight COMMAND [OPTIONS] ... (--help lists them)\n",
	    stderr);
	return STATUS_ERROR;
}

int
main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	if (argc < 2) {
		print_help(stderr);
		return STATUS_ERROR;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return STATUS_OK;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		print_version();
		return STATUS_OK;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	return unknown_command(argv[1]);
}
