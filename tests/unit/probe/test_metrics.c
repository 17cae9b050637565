#include "probe/output/metrics.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "health.h"

TestSuite(metrics);

static char *
print(const struct health *h)
{
	struct health before = sample_before(h);
	struct health_signs signs;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	health_assess(&before, h, &signs);
	metrics_print(out, h, &signs);
	fclose(out);
	return text;
}

static bool
has(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	return at != NULL && (at == text || at[-1] == '\n') &&
	    at[strlen(line)] == '\n';
}

Test(metrics, values_stand_under_their_names)
{
	struct health h = sample_health();
	char *text = print(&h);
	static const char *const lines[] = {
		"striplight_build_info{version=\"" STRIPLIGHT_VERSION "\"} 1",
		"striplight_state{state=\"watching\"} 1",
		"striplight_state{state=\"blind\"} 0",
		"striplight_blind{reason=\"kernel-loss\"} 0",
		"striplight_last_packet_timestamp_seconds 1772360100.623",
		"striplight_alerts_total 11",
		"striplight_alerts_held_total 14",
		"striplight_learning 0",
		"striplight_outbox_batches 16",
		"striplight_capture_kernel_packets_total{interface=\"eth1\"} "
		"100000",
		"striplight_incidents_total{kind=\"starttls-garbled\","
		"certainty=\"likely\"} 2",
		"striplight_capture_thread_packets_total{thread=\"0\"} 60000",
		"striplight_capture_thread_lost_total{thread=\"1\"} 22",
		"striplight_sessions_total 390",
		"striplight_sessions_offered_total{offered=\"yes\"} 390",
		"striplight_sessions_unjudged_total{reason=\"gap\"} 0",
		"striplight_store_removed_total{rows=\"profiles\"} 21",
		"striplight_decoder_pkts_total 99000",
		"striplight_decoder_bad_ip_total 3",
		"striplight_tcp_ack_unseen_bytes_total 0",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		cr_expect(has(text, lines[i]), "%s\n%s", lines[i], text);
	free(text);
}

/* Each name has one HELP and one TYPE, before its values and together. */
Test(metrics, every_name_is_explained_once_and_stands_together)
{
	struct health h = sample_health();
	char *text = print(&h), *save = NULL, current[80] = "";
	char seen[200][80];
	int count = 0;

	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char name[80];

		if (sscanf(line, "# HELP %79s", name) == 1) {
			for (int i = 0; i < count; i++)
				cr_expect_str_neq(seen[i], name);
			cr_assert_lt(count, 200);
			snprintf(seen[count++], 80, "%s", name);
			snprintf(current, sizeof(current), "%s", name);
			cr_expect_gt(strlen(line), strlen(name) + 12, "%s",
			    line);
			continue;
		}
		cr_assert(sscanf(line, "# TYPE %79s", name) == 1 ||
			sscanf(line, "%79[a-z0-9_]", name) == 1,
		    "%s", line);
		cr_expect_str_eq(name, current, "%s", line);
		if (strncmp(line, "# TYPE", 6) == 0)
			cr_expect_eq(strstr(line, " counter") != NULL,
			    strcmp(name + strlen(name) - 6, "_total") == 0,
			    "%s", line);
	}
	cr_expect_gt(count, 80);
	free(text);
}

/* Where the file mentions a metric, in `name`; NULL: nowhere behind `at`. */
static const char *
next_metric(const char *at, char name[80])
{
	at = strstr(at, "striplight_");
	return at != NULL && sscanf(at, "%79[a-z0-9_]", name) == 1 ?
	    at + strlen(name) :
	    NULL;
}

Test(metrics, the_dashboard_asks_for_what_there_is)
{
	struct health h = sample_health();
	char *text = print(&h), *dashboard, name[80], line[96];
	FILE *in = fopen(TESTS_DIR "/../probe/install/grafana.json", "r");
	size_t size = 1 << 20;
	int count = 0;

	cr_assert_not_null(in);
	dashboard = calloc(1, size);
	cr_assert_gt(fread(dashboard, 1, size - 1, in), 10000);
	fclose(in);
	for (const char *at = dashboard;
	     (at = next_metric(at, name)) != NULL;) {
		snprintf(line, sizeof(line), "# HELP %s ", name);
		cr_expect(strstr(text, line) != NULL, "%s", name);
		count++;
	}
	cr_expect_gt(count, 40);
	free(dashboard);
	free(text);
}

Test(metrics, an_interface_may_be_called_anything)
{
	struct health h = sample_health();
	char *text;

	snprintf(h.interfaces[0].name, sizeof(h.interfaces[0].name), "a\"\\b");
	text = print(&h);
	cr_expect(has(text,
	    "striplight_interface_up{interface=\"a\\\"\\\\b\"}"
	    " 1"));
	free(text);
}

Test(metrics, the_file_is_replaced_as_a_whole_and_readable_by_all)
{
	char folder[] = "/tmp/striplight-test-XXXXXX", path[64], beside[80];
	char errbuf[METRICS_ERRBUF] = "";
	struct health h = sample_health();
	struct health_signs signs = { 0 };
	struct stat first, second;
	mode_t mask = umask(077);

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/striplight.prom", folder);
	snprintf(beside, sizeof(beside), "%s.new", path);
	cr_assert_eq(metrics_write(path, &h, &signs, errbuf), 0, "%s", errbuf);
	cr_assert_eq(stat(path, &first), 0);
	cr_expect_eq(first.st_mode & 0777, 0644);
	cr_assert_eq(metrics_write(path, &h, &signs, errbuf), 0);
	cr_assert_eq(stat(path, &second), 0);
	cr_expect_neq(first.st_ino, second.st_ino);
	cr_expect_eq(access(beside, F_OK), -1);
	unlink(path);
	rmdir(folder);
	cr_expect_eq(metrics_write(path, &h, &signs, errbuf), -1);
	cr_expect(strstr(errbuf, "No such file") != NULL, "%s", errbuf);
	umask(mask);
}
