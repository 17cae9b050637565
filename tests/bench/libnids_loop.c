/*
 * tests/bench/libnids_loop FILE - libnids puts the same streams together,
 * both sides, and nobody reads them. It knows IPv4 only.
 */
#include <stdio.h>
#include <stdlib.h>

/* Before nids.h, which uses BSD's names of integers. */
#include <sys/types.h>

#include <nids.h>

static unsigned long long streams, octets;

static void
on_stream(struct tcp_stream *stream, void **user)
{
	(void)user;
	switch (stream->nids_state) {
	case NIDS_JUST_EST:
		streams++;
		stream->client.collect++;
		stream->server.collect++;
		break;
	case NIDS_DATA:
		octets += (unsigned)stream->client.count_new +
		    (unsigned)stream->server.count_new;
		break;
	default:
		break;
	}
}

/* It would write about every odd packet to syslog. */
static void
on_complaint(int type, int number, void *header, void *data)
{
	(void)type;
	(void)number;
	(void)header;
	(void)data;
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: libnids_loop FILE\n");
		return 2;
	}
	nids_params.filename = argv[1];
	nids_params.scan_num_hosts = 0;
	nids_params.multiproc = 0;
	/* The default, 1,040, is less than the workloads need. */
	nids_params.n_tcp_streams = 16384;
	nids_params.syslog = on_complaint;
	if (!nids_init()) {
		fprintf(stderr, "libnids_loop: %s\n", nids_errbuf);
		return 1;
	}
	nids_register_tcp((void *)on_stream);
	nids_run();
	printf("%llu streams, %llu octets\n", streams, octets);
	return 0;
}
