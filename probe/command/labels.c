#include "labels.h"

#include "probe/study/interval.h"

static uint64_t
labelled(const uint64_t counts[LABELS])
{
	return counts[LABEL_TRUE] + counts[LABEL_FALSE] + counts[LABEL_KNOWN];
}

bool
labels_text(const uint64_t counts[LABELS], char *out, size_t room)
{
	uint64_t all = labelled(counts);
	struct interval share = interval_wilson(counts[LABEL_FALSE], all);

	if (all == 0)
		return false;
	snprintf(out, room,
	    "true %llu, false %llu, known %llu: %.0f %% false alarms "
	    "(%.0f to %.0f %%)",
	    (unsigned long long)counts[LABEL_TRUE],
	    (unsigned long long)counts[LABEL_FALSE],
	    (unsigned long long)counts[LABEL_KNOWN],
	    100.0 * (double)counts[LABEL_FALSE] / (double)all, 100 * share.low,
	    100 * share.high);
	return true;
}

void
labels_print(FILE *out, const uint64_t counts[KINDS][LABELS])
{
	bool any = false;
	char text[128];

	for (int k = 0; k < KINDS; k++) {
		if (!labels_text(counts[k], text, sizeof(text)))
			continue;
		if (!any)
			fprintf(out,
			    "\nOf the incidents that were labelled here, with "
			    "95 %% intervals as if they were picked blindly:\n");
		any = true;
		fprintf(out, "  %-24s %s\n", kind_name((enum kind)k), text);
	}
}

void
labels_json(struct json *j, const uint64_t counts[KINDS][LABELS])
{
	json_object_open(j, "labels");
	for (int k = 0; k < KINDS; k++) {
		uint64_t all = labelled(counts[k]);
		struct interval share =
		    interval_wilson(counts[k][LABEL_FALSE], all);

		if (all == 0)
			continue;
		json_object_open(j, kind_name((enum kind)k));
		for (int l = LABEL_NONE + 1; l < LABELS; l++)
			json_unsigned(j, label_name((enum label)l),
			    counts[k][l]);
		json_number(j, "false_share",
		    (double)counts[k][LABEL_FALSE] / (double)all, 4);
		json_number(j, "low", share.low, 4);
		json_number(j, "high", share.high, 4);
		json_object_close(j);
	}
	json_object_close(j);
}
