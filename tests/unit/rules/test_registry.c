#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/data.h"
#include "rules/registry.h"

static char folder[64];
static char errbuf[REGISTRY_ERRBUF];

static void
write_file(const char *name, const char *text, size_t len)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "wb");
	cr_assert_not_null(f, "%s", path);
	cr_assert_eq(fwrite(text, 1, len, f), len);
	cr_assert_eq(fclose(f), 0);
}

static const char keywords[] = "# a comment\nSIZE\tregistered\tRFC 1870\n"
			       "\r\nSTARTTLS\tregistered\tRFC 3207\r\n";
static const char products[] = "lab\tlabmta lab-mta\tsize STARTTLS\tnone\n";
static const char masks[] = "hash-run\trun\t#\t7\tnobody\tnone\n"
			    "blanks\trun\tSP\t0\tnobody\tnone\n";

static void
make_folder(void)
{
	strcpy(folder, "/tmp/striplight-rules-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	write_file("keywords.tsv", keywords, sizeof(keywords) - 1);
	write_file("products.tsv", products, sizeof(products) - 1);
	write_file("masks.tsv", masks, sizeof(masks) - 1);
	errbuf[0] = '\0';
}

static void
remove_folder(void)
{
	static const char *const names[] = { "keywords.tsv", "products.tsv",
		"masks.tsv" };
	char path[128];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (unlink(path) != 0)
			rmdir(path);
	}
	rmdir(folder);
}

Test(registry, the_files_that_are_built_in_parse)
{
	struct registry *r = registry_load(NULL, errbuf);
	const struct product *p;
	const struct mask *m;
	size_t files = 0;

	cr_assert_not_null(r, "%s", errbuf);
	cr_expect_str_empty(errbuf);
	for (const struct rules_file *f = rules_builtin; f->name; f++)
		files++;
	cr_expect_eq(files, 3);
	cr_expect(registry_knows(r, slice_str("STARTTLS")));
	cr_expect(registry_knows(r, slice_str("coremail")));
	cr_expect_not(registry_knows(r, slice_str("XXXXXXXA")));
	cr_expect_not(registry_knows(r, slice_str("")));
	cr_expect_geq(registry_products(r, &p), 12);
	cr_expect_geq(registry_masks(r, &m), 5);
	cr_expect_eq(strlen(registry_version(r)), 16);
	registry_free(r);
}

/* An order without STARTTLS could never say that STARTTLS is missing. */
Test(registry, every_built_in_order_is_one_of_known_keywords)
{
	struct registry *r = registry_load(NULL, errbuf);
	const struct product *products_of;
	size_t count;

	cr_assert_not_null(r, "%s", errbuf);
	count = registry_products(r, &products_of);
	for (size_t i = 0; i < count; i++) {
		const struct product *p = &products_of[i];
		unsigned starttls = 0;

		for (unsigned j = 0; j < p->keyword_count; j++) {
			const char *word = p->keywords[j];
			size_t n = strcspn(word, "=");

			cr_expect(registry_knows(r, slice_of(word, n)),
			    "%s: %s", p->name, word);
			starttls += strcmp(word, "STARTTLS") == 0;
		}
		cr_expect_eq(starttls, 1, "%s", p->name);
	}
	registry_free(r);
}

Test(registry, a_folder_replaces_the_built_in_files, .init = make_folder,
    .fini = remove_folder)
{
	struct registry *r = registry_load(folder, errbuf);
	struct registry *builtin = registry_load(NULL, errbuf);
	const struct product *p;
	const struct mask *m;

	cr_assert_not_null(r, "%s", errbuf);
	cr_assert_not_null(builtin);
	cr_expect(registry_knows(r, slice_str("size")));
	cr_expect_not(registry_knows(r, slice_str("CHUNKING")));
	cr_assert_eq(registry_products(r, &p), 1);
	cr_expect_str_eq(p[0].name, "lab");
	cr_expect_str_eq(p[0].keywords[0], "SIZE");
	cr_expect_eq(p[0].keyword_count, 2);
	cr_assert_eq(registry_masks(r, &m), 2);
	cr_expect_eq(m[0].run, '#');
	cr_expect_eq(m[0].samples, 7);
	cr_expect_eq(m[1].run, ' ');
	cr_expect_str_neq(registry_version(r), registry_version(builtin));
	registry_free(r);
	registry_free(builtin);
}

static void
expect_error(const char *name, const char *text, size_t len, const char *where,
    const char *remedy)
{
	struct registry *r;
	char place[160];

	make_folder();
	write_file(name, text, len);
	r = registry_load(folder, errbuf);
	cr_expect_null(r, "%s", text);
	registry_free(r);
	snprintf(place, sizeof(place), "%s/%s", folder, where);
	cr_expect(strncmp(errbuf, place, strlen(place)) == 0,
	    "wants \"%s\": \"%s\"", place, errbuf);
	cr_expect_not_null(strstr(errbuf, remedy), "wants \"%s\": \"%s\"",
	    remedy, errbuf);
	cr_expect_null(strchr(errbuf, '\n'));
	remove_folder();
}

Test(registry, every_error_names_file_line_and_remedy)
{
	static const struct {
		const char *name, *text, *where, *remedy;
	} rows[] = {
		{ "keywords.tsv", "SIZE\tx\ty\n\tx\ty\n",
		    "keywords.tsv:2: ", "write the first column" },
		{ "keywords.tsv", "SIZE with blanks\n",
		    "keywords.tsv:1: ", "then a tab" },
		{ "keywords.tsv", "#\n\nX*X\tx\ty\n",
		    "keywords.tsv:3: ", "write letters, digits and hyphens" },
		{ "keywords.tsv",
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\tx\n",
		    "keywords.tsv:1: ", "39 octets" },
		{ "products.tsv", "lab\tlabmta\n", "products.tsv:1: ",
		    "write product, greeting words, order, source" },
		{ "products.tsv", "lab\t-\t \tx\n",
		    "products.tsv:1: ", "write its keywords" },
		{ "products.tsv",
		    "a-name-that-is-longer-than-there-is-room\t-\tSIZE\tx\n",
		    "products.tsv:1: ", "31 and 95 octets" },
		{ "products.tsv",
		    "lab\t-\tA B C D E F G H I J K L M N O P Q R S T U V W X "
		    "Y Z A1 A2 A3 A4 A5 A6 A7\tx\n",
		    "products.tsv:1: ", "32 keywords" },
		{ "masks.tsv", "m\trun\tX\t1\n",
		    "masks.tsv:1: ", "write mask, grammar, argument, samples" },
		{ "masks.tsv", "m\tregex\tX\t1\tx\tx\n",
		    "masks.tsv:1: ", "write x-counter or run" },
		{ "masks.tsv", "m\trun\tXY\t1\tx\tx\n",
		    "masks.tsv:1: ", "write one character, or SP" },
		{ "masks.tsv", "m\trun\t\t1\tx\tx\n",
		    "masks.tsv:1: ", "write one character, or SP" },
		{ "masks.tsv", "m\trun\tX\tmany\tx\tx\n",
		    "masks.tsv:1: ", "write how many" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_error(rows[i].name, rows[i].text, strlen(rows[i].text),
		    rows[i].where, rows[i].remedy);
}

Test(registry, too_many_rows_name_the_first_that_is_too_much)
{
	static char text[1100 * 12];
	size_t n = 0;

	for (int i = 0; i < 1025; i++)
		n += (size_t)sprintf(text + n, "K%d\tx\n", i);
	expect_error("keywords.tsv", text, n,
	    "keywords.tsv:1025: ", "remove some");
	n = 0;
	for (int i = 0; i < 65; i++)
		n += (size_t)sprintf(text + n, "P%d\t-\tSIZE\tx\n", i);
	expect_error("products.tsv", text, n,
	    "products.tsv:65: ", "remove some");
	n = 0;
	for (int i = 0; i < 33; i++)
		n += (size_t)sprintf(text + n, "M%d\trun\tX\t0\tx\tx\n", i);
	expect_error("masks.tsv", text, n, "masks.tsv:33: ", "remove some");
}

/* Rules that were read by half are rules that nobody wrote. */
Test(registry, a_file_that_is_not_read_whole_is_an_error)
{
	static char large[(1 << 20) + 2];

	expect_error("keywords.tsv", "SIZE\tx\0DSN\tx\n", 13,
	    "keywords.tsv: ", "write tab-separated text");
	memset(large, '#', sizeof(large));
	expect_error("masks.tsv", large, sizeof(large),
	    "masks.tsv: ", "remove what is not needed");
}

Test(registry, a_folder_in_the_place_of_a_file_is_an_error, .init = make_folder,
    .fini = remove_folder)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/masks.tsv", folder);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_null(registry_load(folder, errbuf));
	cr_expect_not_null(strstr(errbuf, "masks.tsv: "), "%s", errbuf);
	cr_expect_not_null(strstr(errbuf, "--rules wants"), "%s", errbuf);
}

Test(registry, a_missing_file_is_named_with_what_the_folder_needs,
    .init = make_folder, .fini = remove_folder)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/products.tsv", folder);
	cr_assert_eq(unlink(path), 0);
	cr_expect_null(registry_load(folder, errbuf));
	cr_expect(strncmp(errbuf, path, strlen(path)) == 0, "%s", errbuf);
	cr_expect_not_null(strstr(errbuf,
	    "keywords.tsv, products.tsv and "
	    "masks.tsv"));
	cr_expect_null(registry_load("/nowhere/at/all", errbuf));
	cr_expect_not_null(strstr(errbuf, "/nowhere/at/all/keywords.tsv"));
}

Test(registry, a_product_is_written_as_its_makers_do_and_named_in_lower_case)
{
	struct registry *r = registry_load(NULL, errbuf);
	const struct product *list;
	size_t count = registry_products(r, &list);
	bool found = false;

	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].title, "OpenSMTPD") == 0)
			found = strcmp(list[i].name, "opensmtpd") == 0;
	cr_expect(found);
	registry_free(r);
}
