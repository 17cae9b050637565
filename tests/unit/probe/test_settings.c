#include <criterion/criterion.h>
#include <string.h>

#include "probe/command/settings.h"

Test(settings, every_default_is_a_value)
{
	for (int i = 0; i < SETTINGS; i++) {
		const char *text = setting((enum setting_id)i)->standard;
		char wrong[SETTING_WRONG_BYTES] = "";
		struct setting_value value;

		cr_expect(text == NULL ||
			setting_parse((enum setting_id)i, text, &value, wrong),
		    "row %d: \"%s\" %s", i, text, wrong);
	}
}

Test(settings, no_command_has_two_rows_of_one_name)
{
	for (int i = 0; i < SETTINGS; i++)
		for (int j = i + 1; j < SETTINGS; j++) {
			const struct setting *a = setting((enum setting_id)i);
			const struct setting *b = setting((enum setting_id)j);

			if ((a->commands & b->commands) == 0)
				continue;
			cr_expect(a->name == NULL || b->name == NULL ||
				strcmp(a->name, b->name) != 0,
			    "--%s", a->name);
			cr_expect(a->key == NULL || b->key == NULL ||
				strcmp(a->key, b->key) != 0,
			    "%s", a->key);
			cr_expect(a->letter == 0 || a->letter != b->letter,
			    "-%c", a->letter);
		}
}

Test(settings, rows_of_one_key_want_the_same_of_its_value)
{
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting *a = setting((enum setting_id)i);
		const struct setting *b;

		if (a->key == NULL)
			continue;
		b = setting((enum setting_id)setting_of_key(a->key, COMMANDS));
		cr_expect(a->kind == b->kind && a->least == b->least &&
			a->most == b->most && a->flags == b->flags,
		    "%s", a->key);
	}
}

Test(settings, what_has_a_default_in_its_help_has_one)
{
	char help[SETTING_HELP_BYTES];

	for (int i = 0; i < SETTINGS; i++)
		cr_expect(strstr(setting_help((enum setting_id)i, help),
			      "{}") == NULL,
		    "%s", help);
	cr_assert_str_eq(setting_help(SET_PORTS, help),
	    "mail ports (25,587,2525)");
	cr_assert(strstr(setting_help(SET_MAX_FLOWS, help), "(262,144)"));
}

Test(settings, values_are_understood_or_their_fault_is_named)
{
	static const struct {
		enum setting_id id;
		const char *text, *wrong; /* NULL: none */
		uint64_t number;
	} cases[] = {
		{ SET_MAX_FLOWS, "64K", NULL, 64 << 10 },
		{ SET_MAX_FLOWS, "1g", NULL, 1 << 30 },
		{ SET_MAX_FLOWS, "0", "is not a size", 0 },
		{ SET_MAX_FLOWS, "-1", "is not a size", 0 },
		{ SET_MAX_FLOWS, "64MB", "is not a size", 0 },
		{ SET_MAX_FLOWS, "99999999999G", "is not a size", 0 },
		{ SET_THREADS, "256", NULL, 256 },
		{ SET_THREADS, "257", "is not a number from 1 to 256", 0 },
		{ SET_THREADS, " 1", "is not a number", 0 },
		{ SET_THREADS, "18446744073709551617", "is not a number", 0 },
		{ SET_LIFT, "x", "is not a number", 0 },
		{ SET_PRIOR, "1/30", NULL, 0 },
		{ SET_PRIOR, "1/0", "is not between 0 and 1", 0 },
		{ SET_PRIOR, "nan", "is not between 0 and 1", 0 },
		{ SET_ALERT_FROM, "possible", NULL, 1 },
		{ SET_ALERT_FROM, "poss", "is neither likely nor possible", 0 },
		{ SET_CERTAINTY, "", "is none of possible|likely|", 0 },
		{ SET_PORTS, "25,", "is not a list of ports", 0 },
		{ SET_PORTS, "25,65536", "is not a list of ports", 0 },
		{ SET_PORTS, "25 587", "is not a list of ports", 0 },
		{ SET_ANY_PORT, "no", NULL, 0 },
		{ SET_ANY_PORT, "maybe", "is neither yes nor no", 0 },
		{ SET_SINCE, "yesterday", "is not a time", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char wrong[SETTING_WRONG_BYTES] = "";
		struct setting_value value;
		bool good =
		    setting_parse(cases[i].id, cases[i].text, &value, wrong);

		cr_expect_eq(good, cases[i].wrong == NULL, "%s", cases[i].text);
		if (cases[i].wrong != NULL)
			cr_expect(strstr(wrong, cases[i].wrong) != NULL,
			    "%s: %s", cases[i].text, wrong);
		else
			cr_expect_eq(value.number, cases[i].number, "%s",
			    cases[i].text);
	}
}

Test(settings, the_nearest_name_is_found)
{
	cr_assert_str_eq(setting_nearest_key("home.netwrok"), "home.network");
	cr_assert_str_eq(setting_nearest_option("strikt", COMMAND_READ),
	    "strict");
	cr_assert_str_neq(setting_nearest_option("strict", COMMAND_SHOW),
	    "strict");
}
