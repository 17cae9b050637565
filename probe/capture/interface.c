#include "interface.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "fanout.h"

/* What frames that are handed on together take; a longer one has the room to
 * itself. */
#define GATHERED_BYTES (128u << 10)
/* In a flood there is no end. */
#define FORGOTTEN_MAX (1 << 16)

struct interface {
	pcap_t *pcap;
	uint32_t link_type;
	uint64_t frames;
	uint64_t forgotten; /* frames that were read and not handed on */
	/* 32 bits go round in an hour of much traffic. */
	struct pcap_stat last;
	struct interface_losses losses;
	interface_fn *fn; /* of the read that is going on */
	void *context;
	/* libpcap gives a block of its ring back to the kernel behind the last
	 * packet in it, without a word: frames are copied together. */
	struct frame gathered[INTERFACE_FRAMES_MAX];
	size_t count;
	uint8_t *bytes;
	size_t used, room;
};

/* --- filters ------------------------------------------------------------- */

static void
append(char *out, const char *text)
{
	size_t n = strlen(out);

	snprintf(out + n, INTERFACE_FILTER_BYTES - n, "%s", text);
}

/* Without a VLAN tag before it. */
static void
traffic_filter(const struct interface_traffic *t, char *out)
{
	char port[32];

	out[0] = '\0';
	append(out,
	    "udp port 53 or tcp port 53 or ip[6:2] & 0x1fff != 0 or "
	    "ip6[6] = 44");
	if (t->any_port)
		append(out, " or tcp");
	for (unsigned i = 0; i < t->port_count && !t->any_port; i++) {
		snprintf(port, sizeof(port), " or tcp port %u", t->ports[i]);
		append(out, port);
	}
	if (t->tunnels)
		append(out,
		    " or ip proto 4 or ip proto 41 or ip proto 47 or "
		    "ip6 proto 4 or ip6 proto 41 or ip6 proto 47 or "
		    "udp port 4789 or udp port 6081 or "
		    "udp port 8472 or udp port 4790");
}

void
interface_filter(const struct interface_traffic *traffic, const char *name,
    char out[INTERFACE_FILTER_BYTES])
{
	char inner[INTERFACE_FILTER_BYTES];

	traffic_filter(traffic, inner);
	out[0] = '\0';
	if (traffic->tunnels)
		append(out, "ether proto 0x8847 or ether proto 0x8864 or ");
	append(out, inner);
	if (strcmp(name, INTERFACE_ANY) == 0)
		return;
	/* `vlan` moves what stands behind it. */
	append(out, " or (vlan and (");
	append(out, inner);
	append(out, " or (vlan and (");
	append(out, inner);
	append(out, "))))");
}

static bool
compile(const char *filter, char errbuf[INTERFACE_ERRBUF])
{
	pcap_t *ethernet = pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program program;
	bool ok;

	if (ethernet == NULL)
		return true;
	ok = pcap_compile(ethernet, &program, filter, 1,
		 PCAP_NETMASK_UNKNOWN) == 0;
	if (ok)
		pcap_freecode(&program);
	else
		snprintf(errbuf, INTERFACE_ERRBUF, "%.200s",
		    pcap_geterr(ethernet));
	pcap_close(ethernet);
	return ok;
}

bool
interface_filter_check(const char *filter, char errbuf[INTERFACE_ERRBUF])
{
	return compile(filter, errbuf);
}

/* --- opening ------------------------------------------------------------- */

static void
say_why(struct interface *in, int status, char errbuf[INTERFACE_ERRBUF])
{
	const char *why = pcap_geterr(in->pcap);

	if (status == PCAP_ERROR_PERM_DENIED)
		why = "may not be captured from; that takes root, or "
		      "CAP_NET_RAW";
	else if (status == PCAP_ERROR_NO_SUCH_DEVICE)
		why = "no such interface; ip link lists them";
	else if (status == PCAP_ERROR_IFACE_NOT_UP)
		why = "is down; ip link set it up";
	else if (why[0] == '\0')
		why = pcap_statustostr(status);
	snprintf(errbuf, INTERFACE_ERRBUF, "%.400s", why);
}

static int
configure(struct interface *in, const struct interface_options *options)
{
	size_t buffer = options->buffer_bytes;

	pcap_set_snaplen(in->pcap, (int)options->snaplen);
	pcap_set_promisc(in->pcap, 1);
	pcap_set_timeout(in->pcap, INTERFACE_TIMEOUT_MS);
	pcap_set_tstamp_precision(in->pcap, PCAP_TSTAMP_PRECISION_NANO);
	pcap_set_buffer_size(in->pcap,
	    buffer > INT32_MAX ? INT32_MAX : (int)buffer);
	return pcap_activate(in->pcap);
}

static int
set_filter(struct interface *in, const char *filter,
    char errbuf[INTERFACE_ERRBUF])
{
	struct bpf_program program;
	int status;

	if (pcap_compile(in->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) !=
	    0) {
		snprintf(errbuf, INTERFACE_ERRBUF, "filter: %.300s",
		    pcap_geterr(in->pcap));
		return -1;
	}
	status = pcap_setfilter(in->pcap, &program);
	pcap_freecode(&program);
	if (status != 0)
		say_why(in, status, errbuf);
	return status;
}

struct interface *
interface_open(const char *name, const struct interface_options *options,
    char errbuf[INTERFACE_ERRBUF])
{
	struct interface *in = calloc(1, sizeof(*in));
	char why[PCAP_ERRBUF_SIZE];
	int status;

	if (in == NULL) {
		snprintf(errbuf, INTERFACE_ERRBUF, "out of memory");
		return NULL;
	}
	in->room = options->snaplen > GATHERED_BYTES ? options->snaplen :
						       GATHERED_BYTES;
	in->bytes = malloc(in->room);
	if (in->bytes == NULL)
		snprintf(why, sizeof(why), "out of memory");
	else
		in->pcap = pcap_create(name, why);
	if (in->pcap == NULL) {
		snprintf(errbuf, INTERFACE_ERRBUF, "%.300s", why);
		interface_close(in);
		return NULL;
	}
	status = configure(in, options);
	if (status < 0)
		say_why(in, status, errbuf);
	else if (set_filter(in, options->filter, errbuf) == 0 &&
	    pcap_setnonblock(in->pcap, 1, errbuf) == 0) {
		in->link_type = (uint32_t)pcap_datalink(in->pcap);
		return in;
	}
	interface_close(in);
	return NULL;
}

void
interface_close(struct interface *in)
{
	if (in == NULL)
		return;
	if (in->pcap != NULL)
		pcap_close(in->pcap);
	free(in->bytes);
	free(in);
}

uint32_t
interface_link_type(const struct interface *in)
{
	return in->link_type;
}

int
interface_descriptor(const struct interface *in)
{
	return pcap_get_selectable_fd(in->pcap);
}

unsigned
interface_index(const char *name)
{
	return if_nametoindex(name);
}

/* --- sharing ------------------------------------------------------------- */

static void
forget(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct interface *in = (struct interface *)(void *)context;

	(void)header;
	(void)bytes;
	in->forgotten++;
}

int
interface_share(struct interface *const *sockets, unsigned count, uint32_t key,
    char errbuf[INTERFACE_ERRBUF])
{
	/* Until each socket's block is as old as blocks get. */
	const struct timespec pause = { .tv_nsec = 3 * INTERFACE_TIMEOUT_MS *
		    1000000 };
	int descriptors[INTERFACE_SOCKETS_MAX] = { 0 };

	for (unsigned i = 0; i < count; i++)
		descriptors[i] = pcap_fileno(sockets[i]->pcap);
	if (fanout_join(descriptors, count, key) != 0) {
		snprintf(errbuf, INTERFACE_ERRBUF,
		    "the kernel does not share it among %u threads: %s", count,
		    strerror(errno));
		return -1;
	}
	/* Before that each got every packet. */
	nanosleep(&pause, NULL);
	for (unsigned i = 0; i < count; i++)
		pcap_dispatch(sockets[i]->pcap, FORGOTTEN_MAX, forget,
		    (u_char *)sockets[i]);
	return 0;
}

/* --- reading ------------------------------------------------------------- */

static void
hand_on(struct interface *in)
{
	if (in->count > 0)
		in->fn(in->context, in->gathered, in->count);
	in->count = 0;
	in->used = 0;
}

static void
on_packet(u_char *context, const struct pcap_pkthdr *header,
    const u_char *bytes)
{
	struct interface *in = (struct interface *)(void *)context;
	size_t length = header->caplen < in->room ? header->caplen : in->room;

	if (in->count == INTERFACE_FRAMES_MAX || in->room - in->used < length)
		hand_on(in);
	memcpy(in->bytes + in->used, bytes, length);
	/* With nanoseconds asked for, tv_usec holds these. */
	in->gathered[in->count++] =
	    (struct frame){ .bytes = slice_of(in->bytes + in->used, length),
		    .wire_bytes = header->len,
		    .link_type = in->link_type,
		    .number = ++in->frames,
		    .capture_ts_ns = (int64_t)header->ts.tv_sec * 1000000000 +
			header->ts.tv_usec };
	in->used += length;
}

int
interface_read(struct interface *in, interface_fn *fn, void *context)
{
	int count;

	in->fn = fn;
	in->context = context;
	count = pcap_dispatch(in->pcap, INTERFACE_READ_MAX, on_packet,
	    (u_char *)in);
	hand_on(in);
	return count < 0 ? -1 : count;
}

bool
interface_losses(struct interface *in, struct interface_losses *out)
{
	struct pcap_stat now;

	if (pcap_stats(in->pcap, &now) != 0)
		return false;
	in->losses.packets += now.ps_recv - in->last.ps_recv;
	in->losses.drops += now.ps_drop - in->last.ps_drop;
	in->losses.interface_drops += now.ps_ifdrop - in->last.ps_ifdrop;
	in->last = now;
	*out = in->losses;
	out->packets -= in->forgotten;
	return true;
}

/* --- what an interface does to packets ----------------------------------- */

static bool
is_on(int handle, const char *name, uint32_t command, uint32_t bit)
{
	struct ethtool_value value = { .cmd = command };
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	request.ifr_data = (char *)&value;
	return ioctl(handle, SIOCETHTOOL, &request) == 0 &&
	    (bit == 0 ? value.data : value.data & bit) != 0;
}

void
interface_joins(const char *name, char out[64])
{
	int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool gro, lro;

	out[0] = '\0';
	if (handle < 0)
		return;
	gro = is_on(handle, name, ETHTOOL_GGRO, 0);
	lro = is_on(handle, name, ETHTOOL_GFLAGS, ETH_FLAG_LRO);
	snprintf(out, 64, "%s%s%s", gro ? "gro" : "", gro && lro ? ", " : "",
	    lro ? "lro" : "");
	close(handle);
}
