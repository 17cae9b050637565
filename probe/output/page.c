#include "page.h"

#include <string.h>

#include <openssl/evp.h>

#include "asset.h"
#include "html.h"

static const struct asset *
find_asset(const char *name)
{
	const struct asset *a = assets;

	while (strcmp(a->name, name) != 0)
		a++;
	return a;
}

void
page_base64(FILE *out, struct slice s)
{
	unsigned char text[1024 + 4];

	while (s.len > 0) {
		struct slice part = slice_first(s, 768);

		EVP_EncodeBlock(text, part.ptr, (int)part.len);
		fputs((const char *)text, out);
		s = slice_after(s, part.len);
	}
}

static void
put_hash(FILE *out, const struct asset *asset)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	EVP_Digest(asset->bytes, asset->len, digest, &length, EVP_sha256(),
	    NULL);
	fputs("'sha256-", out);
	page_base64(out, slice_of(digest, length));
	fputs("'", out);
}

static void
put_policy(FILE *out)
{
	fputs("<meta http-equiv=\"Content-Security-Policy\" content=\""
	      "default-src 'none'; base-uri 'none'; form-action 'none'; "
	      "img-src data:; script-src ",
	    out);
	put_hash(out, find_asset("page.js"));
	fputs("; style-src ", out);
	put_hash(out, find_asset("page.css"));
	fputs("\">", out);
}

static void
put_asset(FILE *out, const char *element, const char *name)
{
	const struct asset *asset = find_asset(name);

	fprintf(out, "<%s>", element);
	fwrite(asset->bytes, 1, asset->len, out);
	fprintf(out, "</%s>\n", element);
}

void
page_open(FILE *out, const char *title, const char *lead)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head>"
	      "<meta charset=\"utf-8\">\n",
	    out);
	put_policy(out);
	html_print(out,
	    "\n<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n<meta name=\"color-scheme\" "
	    "content=\"light dark\">\n<meta name=\"referrer\" "
	    "content=\"no-referrer\">\n<meta name=\"generator\" "
	    "content=\"striplight %s\">\n<link rel=\"icon\" href=\"data:,\">\n"
	    "<title>%s</title>\n",
	    STRIPLIGHT_VERSION, title);
	put_asset(out, "style", "page.css");
	html_print(out,
	    "</head>\n<body><a class=\"skip\" href=\"#main\">To the report"
	    "</a><header class=\"top\"><p class=\"brand\">striplight</p>"
	    "<h1>%s</h1><p>%s</p></header>\n",
	    title, lead);
}

void
page_contents(FILE *out, const struct page_part *parts)
{
	fputs("<nav aria-label=\"Parts of this page\"><ul>", out);
	for (; parts->id != NULL; parts++)
		html_print(out, "<li><a href=\"#%s\">%s</a></li>", parts->id,
		    parts->title);
	fputs("</ul></nav>\n<main id=\"main\" tabindex=\"-1\">\n", out);
}

void
page_part_open(FILE *out, const struct page_part *part)
{
	html_print(out,
	    "<section id=\"%s\" aria-labelledby=\"%s-title\">"
	    "<h2 id=\"%s-title\">%s</h2>\n",
	    part->id, part->id, part->id, part->title);
}

void
page_part_close(FILE *out)
{
	fputs("</section>\n", out);
}

void
page_words(FILE *out)
{
	static const char *const words[][2] = {
		{ "possible",
		    "Somebody should look. Something innocent explains it "
		    "about as well." },
		{ "likely",
		    "That a third party did it is the better explanation." },
		{ "demonstrated",
		    "Two versions of the same octets were seen. That they "
		    "were altered is no estimate." },
		{ "confidence, prior",
		    "How probable tampering is, given how probable it was "
		    "held to be before looking (the prior). Another prior "
		    "gives another confidence; what the packets add is the "
		    "support." },
		{ "support",
		    "How many times better a third party explains what was "
		    "seen than the best innocent explanation: 10^2 is a "
		    "hundred times." },
		{ "severity",
		    "1: likely or demonstrated, and mail or credentials were "
		    "exposed. 2: otherwise likely or demonstrated, or possible "
		    "against a policy that forbids clear text. 3: otherwise "
		    "possible." },
		{ "place of the capture",
		    "Where the packets were recorded. What came altered to "
		    "this place was altered before it." },
		{ "…",
		    "Blanked: the parts of addresses before the @, "
		    "credentials and messages are not kept." },
		{ "STARTTLS",
		    "How a mail server offers encryption and a client asks "
		    "for it (RFC 3207). Without the offer most clients send "
		    "in clear." },
	};

	fputs("<dl class=\"words\">", out);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		html_print(out, "<div><dt>%s</dt><dd>%s</dd></div>",
		    words[i][0], words[i][1]);
	fputs("</dl>", out);
}

void
page_close(FILE *out)
{
	html_print(out,
	    "</main><footer><p>Written by striplight %s. This page holds all "
	    "that it shows and asks nothing of any network.</p></footer>\n",
	    STRIPLIGHT_VERSION);
	put_asset(out, "script", "page.js");
	fputs("</body></html>\n", out);
}
