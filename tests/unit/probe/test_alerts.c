/* What is alerted, and that each output gets it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/output/alerts.h"

static char folder[40], path[64];
static struct alerts_options options;

static void
make(void)
{
	snprintf(folder, sizeof(folder), "/tmp/striplight-test-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/eve.json", folder);
	options = (struct alerts_options){ .path = path };
}

static void
take_away(void)
{
	unlink(path);
	rmdir(folder);
}

TestSuite(alerts, .init = make, .fini = take_away);

/* A syslog that takes as many as it is told to. */
struct log {
	unsigned room, taken;
};

static bool
on_alert(void *context, const struct incident *in, bool stored)
{
	struct log *log = context;

	(void)in;
	(void)stored;
	if (log->room == 0) {
		errno = ECONNREFUSED;
		return false;
	}
	log->room--;
	log->taken++;
	return true;
}

static struct alerts *
begin(struct log *log)
{
	struct alerts *a = alerts_create(&options, on_alert, log);

	cr_assert_not_null(a);
	return a;
}

static struct incident *
incident(const char *id, enum certainty certainty)
{
	static struct incident in;

	memset(&in, 0, sizeof(in));
	snprintf(in.id, sizeof(in.id), "%s", id);
	in.revision = 1;
	in.kind = KIND_STARTTLS_GARBLED;
	in.certainty = certainty;
	in.client.address = (struct address){ { 192, 0, 2, 1 }, 4 };
	in.server.address = (struct address){ { 198, 51, 100, 1 }, 4 };
	return &in;
}

static unsigned
lines(void)
{
	FILE *file = fopen(path, "r");
	unsigned n = 0;

	for (int c; file != NULL && (c = getc(file)) != EOF;)
		n += c == '\n';
	if (file != NULL)
		fclose(file);
	return n;
}

Test(alerts, an_output_that_took_it_is_not_told_again)
{
	struct log log = { .room = 0 };
	struct alerts *a = begin(&log);
	struct incident *in = incident("0a", CERTAINTY_LIKELY);
	struct alert_mark mark;

	cr_expect_not(alerts_tell(a, in, true, &mark));
	cr_expect_eq(mark.revision, 1);
	cr_expect_neq(mark.owed, 0);
	cr_expect_str_eq(alerts_fault(a), "syslog: Connection refused");
	cr_expect_not(alerts_tell(a, in, true, &mark));
	log.room = 5;
	cr_expect(alerts_tell(a, in, true, &mark));
	cr_expect_eq(mark.owed, 0);
	cr_expect(alerts_tell(a, in, true, &mark));
	cr_expect_eq(log.taken, 1);
	cr_expect_eq(lines(), 1);
	cr_expect_eq(alerts_totals(a)->alerted, 1);
	alerts_destroy(a);
}

Test(alerts, what_an_earlier_run_owed_is_given_by_the_next)
{
	struct log log = { .room = 0 };
	struct alerts *a = begin(&log);
	struct incident *in = incident("0a", CERTAINTY_LIKELY);
	struct alert_mark mark;

	cr_expect_not(alerts_tell(a, in, true, &mark));
	alerts_destroy(a);
	log.room = 5;
	a = begin(&log);
	alerts_known(a, in, &mark);
	cr_expect(alerts_tell(a, in, true, &mark));
	cr_expect_eq(log.taken, 1);
	cr_expect_eq(lines(), 1);
	alerts_destroy(a);
}

Test(alerts, what_was_alerted_earlier_is_told_when_it_is_withdrawn)
{
	struct log log = { .room = 5 };
	struct alerts *a = begin(&log);
	struct incident *in = incident("0a", CERTAINTY_LIKELY);
	const struct alert_mark never = { .severity = 2 },
				once = { .revision = 1, .severity = 2 };
	struct alert_mark mark;

	alerts_known(a, in, &once);
	/* Of its campaign another one is no news. */
	cr_expect(
	    alerts_tell(a, incident("0b", CERTAINTY_LIKELY), true, &mark));
	cr_expect_eq(mark.revision, 0);
	alerts_known(a, incident("0c", CERTAINTY_LIKELY), &never);
	for (const char *const *id =
		 (const char *const[]){ "0a", "0b", "0c", NULL };
	     *id != NULL; id++) {
		in = incident(*id, CERTAINTY_LIKELY);
		in->state = STATE_WITHDRAWN;
		cr_expect(alerts_tell(a, in, true, &mark));
	}
	cr_expect_eq(lines(), 1);
	alerts_destroy(a);
}

/* What nobody was told of keeps nobody from being told. */
Test(alerts, what_was_too_small_to_be_alerted_silences_nothing)
{
	struct log log = { .room = 5 };
	struct alerts *a = begin(&log);
	const struct alert_mark mark = { .severity = 3 };
	struct alert_mark now;
	struct incident *in = incident("0a", CERTAINTY_POSSIBLE);

	alerts_known(a, in, &mark);
	in = incident("0b", CERTAINTY_POSSIBLE);
	in->outcome = OUTCOME_CONTENT_EXPOSED;
	in->policy_count = 1;
	strcpy(in->policies[0].mode, "enforce");
	in->policies[0].result = POLICY_UNMET;
	cr_assert_eq(incident_severity(in), 2);
	cr_expect(alerts_tell(a, in, true, &now));
	cr_expect_eq(now.revision, 1);
	alerts_destroy(a);
}

Test(alerts, half_a_line_of_one_who_was_killed_is_ended)
{
	struct log log = { .room = 5 };
	FILE *file = fopen(path, "w");
	struct alert_mark mark;
	struct alerts *a;
	char text[16];

	fputs("{\"timestamp\":", file);
	fclose(file);
	a = begin(&log);
	alerts_tell(a, incident("0a", CERTAINTY_LIKELY), true, &mark);
	alerts_destroy(a);
	file = fopen(path, "r");
	cr_expect_not_null(fgets(text, sizeof(text), file));
	cr_expect_str_eq(text, "{\"timestamp\":\n");
	cr_expect_not_null(fgets(text, sizeof(text), file));
	cr_expect_eq(strncmp(text, "{\"timestamp\":\"", 14), 0);
	fclose(file);
	a = begin(&log);
	alerts_tell(a, incident("0b", CERTAINTY_DEMONSTRATED), true, &mark);
	alerts_destroy(a);
	cr_expect_eq(lines(), 3, "a whole line was ended again");
}

Test(alerts, a_file_that_was_deleted_is_made_anew)
{
	struct log log = { .room = 5 };
	struct alerts *a = begin(&log);
	struct alert_mark mark;

	unlink(path);
	cr_expect(
	    alerts_tell(a, incident("0a", CERTAINTY_LIKELY), true, &mark));
	cr_expect_eq(lines(), 1);
	unlink(path);
	rmdir(folder);
	cr_expect_not(alerts_tell(a, incident("0b", CERTAINTY_DEMONSTRATED),
	    true, &mark));
	cr_expect_eq(mark.owed, 1);
	mkdir(folder, 0700);
	cr_expect(alerts_tell(a, incident("0b", CERTAINTY_DEMONSTRATED), true,
	    &mark));
	cr_expect_eq(lines(), 1);
	cr_expect_eq(log.taken, 2);
	alerts_destroy(a);
}
