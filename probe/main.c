/* striplight: says when somebody took the encryption of SMTP away. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <pcap/pcap.h>
#include <sqlite3.h>

#include "command/options.h"

static const struct {
	enum command command;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ COMMAND_READ, command_read },
	{ COMMAND_WATCH, command_watch },
	{ COMMAND_INCIDENTS, command_incidents },
	{ COMMAND_SHOW, command_show },
	{ COMMAND_POLICY, command_policy },
	{ COMMAND_COMPARE, command_compare },
	{ COMMAND_REPORT, command_report },
	{ COMMAND_STUDY, command_study },
	{ COMMAND_RULES, command_rules },
	{ COMMAND_STATS, command_stats },
	{ COMMAND_STORE, command_store },
};
#define COMMANDS_HERE (sizeof(commands) / sizeof(*commands))

static const char *
name_of(size_t i)
{
	return command_row(commands[i].command)->name;
}

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
	for (size_t i = 0; i < COMMANDS_HERE; i++)
		fprintf(out, "  %-10s %s\n", name_of(i),
		    command_row(commands[i].command)->summary);
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

	for (size_t i = 1; i < COMMANDS_HERE; i++)
		if (word_distance(name, name_of(i)) <
		    word_distance(name, name_of(best)))
			best = i;
	if (word_distance(name, name_of(best)) <= 2)
		complain("unknown command \"%s\"; did you mean \"%s\"?", name,
		    name_of(best));
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
	for (size_t i = 0; i < COMMANDS_HERE; i++)
		if (strcmp(argv[1], name_of(i)) == 0)
			return commands[i].run(argc - 1, argv + 1);
	return unknown_command(argv[1]);
}
