#include "retention_options.h"

bool
retention_set(struct retention_limits *limits, enum setting_id id,
    const struct setting_value *value)
{
	switch ((int)id) {
	case SET_KEEP_HISTORY:
		limits->history_ns = (int64_t)value->number;
		return true;
	case SET_KEEP_EVIDENCE:
		limits->evidence_ns = (int64_t)value->number;
		return true;
	case SET_KEEP_ROWS:
		limits->rows = value->number;
		return true;
	case SET_KEEP_INCIDENTS:
		limits->incidents = value->number;
		return true;
	case SET_KEEP_BYTES:
		limits->bytes = value->number;
		return true;
	default:
		return false;
	}
}
