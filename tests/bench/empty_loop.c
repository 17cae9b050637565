/*
 * tests/bench/empty_loop FILE - the least that reading a capture with libpcap
 * costs: the measure of everything else.
 */
#include <stdio.h>

#include <pcap/pcap.h>

static void
on_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	(void)user;
	(void)header;
	(void)bytes;
}

int
main(int argc, char **argv)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *pcap;
	int status;

	if (argc != 2) {
		fprintf(stderr, "usage: empty_loop FILE\n");
		return 2;
	}
	pcap = pcap_open_offline(argv[1], errbuf);
	if (pcap == NULL) {
		fprintf(stderr, "empty_loop: %s\n", errbuf);
		return 1;
	}
	status = pcap_loop(pcap, -1, on_packet, NULL);
	if (status < 0)
		fprintf(stderr, "empty_loop: %s\n", pcap_geterr(pcap));
	pcap_close(pcap);
	return status < 0;
}
