/* What is neither pcap nor pcapng, but libpcap can read. */
#include <stdio.h>

#include <pcap/pcap.h>

#include "format.h"

static ssize_t
cookie_read(void *cookie, char *out, size_t room)
{
	struct capture *c = cookie;
	struct slice bytes = capture_peek(c, room < 4096 ? room : 4096);

	memcpy(out, bytes.ptr, bytes.len);
	capture_take(c, bytes.len);
	return (ssize_t)bytes.len;
}

void *
libpcap_open(struct capture *c)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	size_t used = c->used;
	uint64_t offset = c->offset;
	FILE *file =
	    fopencookie(c, "r", (cookie_io_functions_t){ .read = cookie_read });
	pcap_t *pcap;

	if (file == NULL)
		return NULL;
	pcap = pcap_fopen_offline_with_tstamp_precision(file,
	    PCAP_TSTAMP_PRECISION_NANO, errbuf);
	if (pcap == NULL) {
		fclose(file);
		/* stdio reads ahead, but never past the first block. */
		c->used = used;
		c->offset = offset;
	}
	return pcap;
}

void
libpcap_close(void *pcap)
{
	if (pcap != NULL)
		pcap_close(pcap);
}

/* libpcap keeps a frame until the next one only: it is copied. */
static enum capture_result
next(struct capture *c, struct frame *frame)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int status = pcap_next_ex(c->pcap, &header, &bytes);
	int64_t ts_ns;

	if (status == PCAP_ERROR_BREAK)
		return CAPTURE_END;
	if (status != 1)
		return capture_fail(c, "%s; read up to there",
		    pcap_geterr(c->pcap));
	ts_ns = (int64_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec;
	return capture_copied(c, frame, slice_of(bytes, header->caplen),
	    header->len, (uint32_t)pcap_datalink(c->pcap), ts_ns);
}

const struct format format_libpcap = { "libpcap", next };
