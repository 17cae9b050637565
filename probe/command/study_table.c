/* study table: counts, shares and intervals, by what is asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study_print.h"

struct tabling {
	struct asking asking;
	enum print_format format;
};

static int
table_setting(void *context, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	struct tabling *t = context;

	if (id != SET_STUDY_FORMAT)
		return asking_setting(&t->asking, id, value, wrong);
	t->format = (enum print_format)value->number;
	return 0;
}

static int
show(struct tabling *t)
{
	struct study_tally *tally = NULL;
	const struct tally_result *result;
	int status = asking_open(&t->asking);

	if (status != STATUS_OK)
		return status;
	result = asking_count(&t->asking, &tally);
	status = result == NULL ? STATUS_ERROR :
				  print_result(&t->asking, result, t->format);
	tally_destroy(tally);
	return status;
}

int
study_table(int argc, char **argv)
{
	struct tabling t;
	int operand, status;

	asking_init(&t.asking);
	operand = options_parse(COMMAND_STUDY_TABLE, &t.asking.common,
	    table_setting, &t, argc, argv);
	if (operand < 0)
		status = operand == -1 ? STATUS_OK : STATUS_ERROR;
	else if (operand != argc)
		status = usage_error(COMMAND_STUDY_TABLE, "takes no operand");
	else
		status = show(&t);
	asking_free(&t.asking);
	return status;
}
