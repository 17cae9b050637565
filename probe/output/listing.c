#include "listing.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "account.h"
#include "article.h"
#include "html.h"
#include "json.h"
#include "page.h"

#define INLINE_MAX 20 /* as many stand open in the page */
#define STATIC_MAX 50 /* rows for who runs no scripts; a page of page.js */
#define CHUNK 50      /* articles that are deflated together */

/* A file in memory. */
struct part {
	FILE *file;
	char *text;
	size_t length;
};

struct listing {
	/* Rows with their articles, rows alone, what page.js searches, and
	 * the articles, deflated. */
	struct part inlined, rows, index, chunks;
	struct json json, chunk;
	size_t count;
	uint32_t kinds; /* 1 << each that there is */
	bool failed;
};

static bool
part_open(struct part *p)
{
	p->file = open_memstream(&p->text, &p->length);
	return p->file != NULL;
}

static struct slice
part_text(struct part *p)
{
	fflush(p->file);
	return slice_of(p->text, p->length);
}

static void
part_free(struct part *p)
{
	if (p->file != NULL)
		fclose(p->file);
	free(p->text);
}

struct listing *
listing_create(void)
{
	struct listing *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	json_init(&l->json);
	json_init(&l->chunk);
	if (part_open(&l->inlined) && part_open(&l->rows) &&
	    part_open(&l->index) && part_open(&l->chunks))
		return l;
	listing_free(l);
	return NULL;
}

void
listing_free(struct listing *l)
{
	if (l == NULL)
		return;
	part_free(&l->inlined);
	part_free(&l->rows);
	part_free(&l->index);
	part_free(&l->chunks);
	json_free(&l->json);
	json_free(&l->chunk);
	free(l);
}

/* --- one incident --------------------------------------------------------- */

/* What is searched and stands in no row. */
static void
put_search(struct listing *l, const struct incident *in)
{
	const char *words[] = { in->id, kind_name(in->kind), in->server_name,
		in->helo, in->queue_id, in->product, in->resembles, in->seen,
		in->capture_path };
	char text[4096] = "";

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s ", words[i]);
	}
	for (unsigned i = 2; i < in->domain_count; i++) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s ",
		    in->rcpt_domains[i]);
	}
	json_text(&l->json, "x", text);
}

static void
add_index(struct listing *l, const struct incident *in, struct slice row)
{
	json_reset(&l->json);
	json_object_open(&l->json, NULL);
	json_text(&l->json, "i", in->id);
	json_text(&l->json, "k", kind_name(in->kind));
	json_text(&l->json, "c",
	    in->state == STATE_WITHDRAWN ? "withdrawn" :
					   certainty_name(in->certainty));
	json_unsigned(&l->json, "s", incident_severity(in));
	json_signed(&l->json, "t", in->capture_ts_ns / 1000000000);
	json_slice(&l->json, "r", row);
	put_search(l, in);
	json_object_close(&l->json);
	l->failed |= l->json.failed;
	fputs(l->count > 0 ? ",\n" : "", l->index.file);
	html_json(l->index.file, slice_of(l->json.text, l->json.length));
}

static void
end_chunk(struct listing *l)
{
	uLongf length;
	uint8_t *deflated;

	json_array_close(&l->chunk);
	length = compressBound(l->chunk.length);
	deflated = malloc(length);
	if (l->chunk.failed || deflated == NULL ||
	    compress2(deflated, &length, (const Bytef *)l->chunk.text,
		l->chunk.length, 9) != Z_OK) {
		l->failed = true;
	} else {
		fputs("<script type=\"application/octet-stream\" "
		      "class=\"chunk\">",
		    l->chunks.file);
		page_base64(l->chunks.file, slice_of(deflated, length));
		fputs("</script>\n", l->chunks.file);
	}
	free(deflated);
}

static void
add_article(struct listing *l, struct slice article)
{
	if (l->count % CHUNK == 0) {
		json_reset(&l->chunk);
		json_array_open(&l->chunk, NULL);
	}
	json_slice(&l->chunk, NULL, article);
	if (l->count % CHUNK == CHUNK - 1)
		end_chunk(l);
}

static void
put_body(FILE *out, const struct incident *in, struct slice row,
    struct slice article)
{
	html_print(out, "<tbody id=\"i%s\">", in->id);
	fwrite(row.ptr, 1, row.len, out);
	if (article.len > 0) {
		html_print(out, "<tr class=\"detail\"><td colspan=\"%u\">",
		    ARTICLE_COLUMNS);
		fwrite(article.ptr, 1, article.len, out);
		fputs("</td></tr>", out);
	}
	fputs("</tbody>\n", out);
}

void
listing_add(struct listing *l, const struct incident *in, struct slice article)
{
	struct part row = { 0 };

	if (!part_open(&row)) {
		l->failed = true;
		return;
	}
	article_row(row.file, in);
	add_index(l, in, part_text(&row));
	add_article(l, article);
	if (l->count < INLINE_MAX)
		put_body(l->inlined.file, in, part_text(&row), article);
	if (l->count < STATIC_MAX)
		put_body(l->rows.file, in, part_text(&row), slice_of(NULL, 0));
	part_free(&row);
	l->kinds |= 1u << in->kind;
	l->count++;
}

/* --- all of them ---------------------------------------------------------- */

static void
put_select(FILE *out, const char *id, const char *label, const char *options)
{
	html_print(out, "<p><label for=\"%s\">%s</label><select id=\"%s\">", id,
	    label, id);
	fputs(options, out);
	fputs("</select></p>", out);
}

static void
put_kinds(FILE *out, uint32_t kinds)
{
	fputs("<p><label for=\"kind\">What happened</label>"
	      "<select id=\"kind\"><option value=\"\">anything</option>",
	    out);
	for (unsigned k = 0; k < KINDS; k++)
		if (kinds >> k & 1)
			html_print(out, "<option value=\"%s\">%s</option>",
			    kind_name((enum kind)k),
			    account_title((enum kind)k));
	fputs("</select></p>", out);
}

/* Shown by page.js, without which it does nothing. */
static void
put_form(FILE *out, uint32_t kinds)
{
	fputs("<form id=\"filter\" role=\"search\" "
	      "aria-label=\"Filter incidents\" hidden>"
	      "<p class=\"wide\"><label for=\"search\">Search</label>"
	      "<input id=\"search\" type=\"search\" autocomplete=\"off\" "
	      "spellcheck=\"false\" placeholder=\"address, domain, host, "
	      "queue id\"></p>",
	    out);
	put_select(out, "certainty", "How sure",
	    "<option value=\"\">any</option>"
	    "<option>demonstrated</option><option>likely</option>"
	    "<option>possible</option><option>withdrawn</option>");
	put_select(out, "severity", "Severity",
	    "<option value=\"\">any</option><option>1</option>"
	    "<option>2</option><option>3</option>");
	put_kinds(out, kinds);
	put_select(out, "order", "Order",
	    "<option value=\"old\">oldest first</option>"
	    "<option value=\"new\">newest first</option>"
	    "<option value=\"grave\">gravest first</option>");
	fputs("<p><button type=\"reset\">Show all</button></p></form>", out);
}

static void
put_part(FILE *out, struct part *p)
{
	struct slice text = part_text(p);

	fwrite(text.ptr, 1, text.len, out);
}

int
listing_write(struct listing *l, FILE *out)
{
	bool few = l->count <= INLINE_MAX;

	if (l->count % CHUNK != 0)
		end_chunk(l);
	if (l->count == 0) {
		fputs("<p>No incident.</p>", out);
		return 0;
	}
	put_form(out, l->kinds);
	fputs("<p id=\"shown\" role=\"status\"></p>", out);
	if (!few)
		html_print(out,
		    "<noscript><p>Without scripts this page lists the first "
		    "%u incidents only: striplight incidents lists all, "
		    "striplight show ID shows one.</p></noscript>",
		    STATIC_MAX);
	fputs("<table id=\"incidents\"><caption class=\"unseen\">Incidents"
	      "</caption><thead>",
	    out);
	article_row_head(out);
	fputs("</thead>\n", out);
	put_part(out, few ? &l->inlined : &l->rows);
	fputs("</table><p id=\"pages\" hidden>"
	      "<button type=\"button\" id=\"before\">Earlier page</button> "
	      "<span id=\"page\"></span> "
	      "<button type=\"button\" id=\"after\">Next page</button></p>\n",
	    out);
	fputs("<script type=\"application/json\" id=\"index\">[", out);
	put_part(out, &l->index);
	fputs("]</script>\n", out);
	if (!few)
		put_part(out, &l->chunks);
	return l->failed || ferror(l->index.file) || ferror(l->chunks.file) ?
	    -1 :
	    0;
}
