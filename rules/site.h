/*
 * rules/site.h - what the operator says of his own place: his networks and
 * domains, boxes that he knows to alter SMTP, and the names of peers.
 */
#ifndef RULES_SITE_H
#define RULES_SITE_H

#include "incident.h"

#define SITE_NETWORKS_MAX 64
#define SITE_DOMAINS_MAX 128
#define SITE_BOXES_MAX 64
#define SITE_PEERS_MAX 256
#define SITE_NAME_BYTES 64

struct site_network {
	struct address address;
	unsigned bits;
};

/* Something of the operator's own that alters what passes it. */
struct site_box {
	struct site_network network; /* whom it stands before */
	enum side side; /* of the tap; UNDETERMINED: either, and then both
			 * ends of a session may be in the network */
	int64_t from_ns, until_ns; /* capture time in which it stood there */
	char name[SITE_NAME_BYTES];
};

struct site_peer {
	struct address address;
	char name[DOMAIN_TEXT_BYTES]; /* lower case, no final dot */
};

struct site {
	unsigned network_count, domain_count, box_count, peer_count;
	struct site_network networks[SITE_NETWORKS_MAX];
	char domains[SITE_DOMAINS_MAX][DOMAIN_TEXT_BYTES];
	struct site_box boxes[SITE_BOXES_MAX];
	struct site_peer peers[SITE_PEERS_MAX];
};

/* Which way mail goes. Without home networks the recipients' domains may tell
 * of `inbound`, and nothing of the others. */
enum direction site_direction(const struct site *, const struct incident *);
/* The declared box that the session must have passed; NULL: none. */
const struct site_box *
site_box_of(const struct site *, const struct incident *);
/* The MX name that the operator gives an address; NULL: none. */
const char *site_peer_name(const struct site *, const struct address *);
/* Sets direction, and with a box `box`, cause and the benign explanation. */
void site_apply(const struct site *, struct incident *);

#endif
