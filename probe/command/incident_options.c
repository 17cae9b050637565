#include "incident_options.h"

#include <stdio.h>

static int
set_address(struct address *out, const struct address **filter,
    const char *text, char wrong[SETTING_WRONG_BYTES])
{
	if (!address_parse(text, out)) {
		snprintf(wrong, SETTING_WRONG_BYTES, "is not an IP address");
		return -1;
	}
	*filter = out;
	return 0;
}

int
incident_setting(struct incident_options *o, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	const char *text = value->text;
	enum kind kind;

	switch ((int)id) {
	case SET_ALL:
		o->filter.all = true;
		return 0;
	case SET_KIND:
		if (!kind_parse(text, &kind)) {
			snprintf(wrong, SETTING_WRONG_BYTES,
			    "is an unknown kind; striplight rules list has "
			    "them");
			return -1;
		}
		o->filter.kind = kind_name(kind);
		return 0;
	case SET_CERTAINTY:
		certainty_parse(text, &o->filter.certainty);
		return 0;
	case SET_SERVER:
		return set_address(&o->server, &o->filter.server, text, wrong);
	case SET_CLIENT:
		return set_address(&o->client, &o->filter.client, text, wrong);
	case SET_DOMAIN:
		o->filter.domain = text;
		return 0;
	case SET_SINCE:
		o->filter.since_ns = value->time_ns;
		return 0;
	case SET_UNTIL:
		o->filter.until_ns = value->time_ns;
		return 0;
	default:
		return 0;
	}
}
