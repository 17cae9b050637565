#include "case_texts.h"

#include <string.h>

#include "probe/output/account.h"
#include "probe/output/article.h"
#include "probe/output/dialogue.h"
#include "probe/output/page.h"
#include "probe/output/style.h"

#define TEXT_COLUMNS 76

/* Text wrapped for a file, whatever the terminal. */
static void
put_wrapped(FILE *out, const char *text)
{
	int column = 0;

	while (*text != '\0') {
		int n = (int)strcspn(text, " ");

		if (column > 0 && column + 1 + n > TEXT_COLUMNS) {
			fputc('\n', out);
			column = 0;
		} else if (column > 0) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", n, text);
		column += n;
		text += n;
		text += strspn(text, " ");
	}
	fputs("\n\n", out);
}

/* What is known of a capture, for whoever must trust it. */
static void
describe(const struct case_capture *c, char text[ACCOUNT_BYTES])
{
	char path[SAFE_BYTES], first[32], last[32];

	snprintf(text, ACCOUNT_BYTES,
	    "%.900s: %llu packets from %s to %s UTC by its own clock, which %s; "
	    "content XXH3-128 %s; SHA-256 of the file: %s",
	    style_safe(c->row.path, path), (unsigned long long)c->row.packets,
	    style_time(c->row.first_ns, first),
	    style_time(c->row.last_ns, last),
	    c->sha256[0] == '\0' ? "could not be looked at again" :
		c->back_ns > 0	 ? "goes back within it" :
				   "never goes back",
	    c->row.hash, c->sha256[0] ? c->sha256 : c->fault);
}

/* --- how to check it ------------------------------------------------------ */

static void
put_packets(FILE *out, const struct case_packets *p)
{
	char text[ACCOUNT_BYTES];

	if (p->pcapng == NULL) {
		put_wrapped(out,
		    "There are no packets in this case: the capture could not "
		    "be had any more. What striplight kept of the session "
		    "when it read it is in incident.json.");
		return;
	}
	snprintf(text, sizeof(text),
	    "packets.pcapng: %llu packets of the session. Their comments say "
	    "which frame of the capture each was, and what the verdict takes "
	    "from it. %llu packets that hold nothing but message or TLS "
	    "content are left out; %llu fragments of IP in the captures were "
	    "not looked into.",
	    (unsigned long long)p->packets, (unsigned long long)p->left_out,
	    (unsigned long long)p->fragments);
	put_wrapped(out, text);
	put_wrapped(out,
	    p->raw ?
		"They are as they were captured (--raw): they may hold mail "
		"addresses, credentials and messages. That they were handed on "
		"is noted in the database." :
		"Parts of addresses before the @, credentials, messages, and "
		"whatever striplight does not know to be harmless are "
		"overwritten with # in the same length, so that sequence "
		"numbers and lengths are as they were. The comment of such a "
		"packet lists the octets, and a HMAC-SHA-256 of what stood "
		"there: with the key, which whoever made this case keeps, and "
		"the capture, anybody can see that nothing else was changed. "
		"A TCP checksum that was right was computed anew and is right "
		"again; one that was not is 0. Outer checksums of tunnels are "
		"as they were, and no longer fit.");
}

void
case_readme(FILE *out, const struct incident *in,
    const struct sighting_facts *seen, const struct case_packets *p)
{
	char text[ACCOUNT_BYTES];
	uint64_t first = 0, last = 0;

	fprintf(out, "Incident %s: %s\n\n", in->id, account_title(in->kind));
	put_wrapped(out, account(in, 1 << ACCOUNT_OBSERVED, text));
	fputs("WHAT IS IN HERE\n\n"
	      "page.html              for people, in any browser\n"
	      "for-the-recipient.txt  for whoever the mail was for\n"
	      "incident.json          for programs\n",
	    out);
	if (p->pcapng != NULL)
		fputs("packets.pcapng         for Wireshark\n", out);
	fputs("SHA256SUMS             hashes of all of these\n\n"
	      "HAS IT BEEN CHANGED?\n\n"
	      "    sha256sum -c SHA256SUMS\n\n",
	    out);
	put_wrapped(out,
	    "This tells of changes to the files. That the manifest itself is "
	    "the one that was made, only somebody to whom its hash was given "
	    "otherwise can say: write down the result of sha256sum SHA256SUMS, "
	    "or sign it.");
	fputs("WITHOUT STRIPLIGHT\n\n", out);
	put_packets(out, p);
	if (p->pcapng != NULL)
		fputs("    tshark -r packets.pcapng -Y frame.comment -T fields "
		      "-e frame.number -e frame.comment\n"
		      "    tshark -r packets.pcapng -Y smtp\n\n",
		    out);
	if (!dialogue_frames(in, seen->facts, &first, &last))
		first = last = 0;
	put_wrapped(out, "In the capture itself, Wireshark's display filter:");
	fprintf(out, "    %s\n\nTHE CAPTURES\n\n",
	    account_filter(in, first, last, text));
	for (unsigned i = 0; i < p->capture_count; i++) {
		describe(&p->captures[i], text);
		put_wrapped(out, text);
	}
	fputs("THE VERDICT\n\n", out);
	put_wrapped(out,
	    account(in, 1 << ACCOUNT_SURE | 1 << ACCOUNT_SUPPORT, text));
	snprintf(text, sizeof(text), "It stands on %s; revision %u.",
	    in->provenance, in->revision);
	put_wrapped(out, text);
}

/* --- the letter ----------------------------------------------------------- */

void
case_letter(FILE *out, const struct incident *in,
    const struct sighting_facts *seen, const struct case_packets *p)
{
	char text[ACCOUNT_BYTES], time[32], server[ENDPOINT_TEXT_BYTES];

	(void)seen;
	(void)p;
	put_wrapped(out,
	    "To whoever runs the mail of the domain below, or of the server.");
	snprintf(text, sizeof(text),
	    "On %s UTC mail on its way to the server %s was seen to lose its "
	    "encryption. Mail servers offer to encrypt (STARTTLS, RFC 3207); "
	    "where the offer does not arrive, most senders send in clear, and "
	    "whoever is on the way can read.",
	    style_time(in->capture_ts_ns, time),
	    endpoint_format(&in->server, server));
	put_wrapped(out, text);
	static const struct {
		const char *title;
		unsigned parts;
	} paragraphs[] = {
		{ "What was seen", 1 << ACCOUNT_OBSERVED | 1 << ACCOUNT_ACT },
		{ "Your mail", 1 << ACCOUNT_MAIL | 1 << ACCOUNT_POLICY },
		{ "How sure this is", 1 << ACCOUNT_SURE },
		{ "Who did it", 1 << ACCOUNT_WHOSE },
		{ "It may also be", 1 << ACCOUNT_BENIGN },
		{ "What helps to find out", 1 << ACCOUNT_NEXT_STEP },
	};
	for (size_t i = 0; i < sizeof(paragraphs) / sizeof(*paragraphs); i++) {
		if (account(in, paragraphs[i].parts, text)[0] == '\0')
			continue;
		fprintf(out, "%s:\n", paragraphs[i].title);
		put_wrapped(out, text);
	}
	put_wrapped(out,
	    "If a firewall of your own inspects SMTP, look there first: such "
	    "inspection overwrites the offer (on Cisco devices: inspect esmtp). "
	    "Publishing an MTA-STS policy (RFC 8461) or TLSA records (RFC "
	    "7672) tells senders not to send in clear to you.");
	fprintf(out, "Incident %s\n", in->id);
}

/* --- the page ------------------------------------------------------------- */

void
case_page(FILE *out, const struct incident *in,
    const struct sighting_facts *seen, const struct case_packets *p)
{
	static const struct page_part parts[] = {
		{ "incident", "The incident" },
		{ "words", "The words on this page" },
		{ NULL, NULL },
	};
	char title[64], text[ACCOUNT_BYTES];

	snprintf(title, sizeof(title), "Case %.8s", in->id);
	page_open(out, title, account_title(in->kind));
	page_contents(out, parts);
	page_part_open(out, &parts[0]);
	article_open(out, in, seen->facts);
	for (unsigned i = 0; i < p->capture_count; i++) {
		describe(&p->captures[i], text);
		article_record(out, "Capture", text);
	}
	article_close(out);
	page_part_close(out);
	page_part_open(out, &parts[1]);
	page_words(out);
	page_part_close(out);
	page_close(out);
}
