#include "fanout.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

/* From the network header on, wherever that is in the frame. */
#define NET(offset) ((uint32_t)SKF_NET_OFF + (offset))
#define PROTOCOL ((uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL))

/* Places for numbers, M[]. */
enum { AT, SUM, SOURCE };

#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define LOAD_WORD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_IND, NET(offset))
#define STORE(place) BPF_STMT(BPF_ST, place)
#define LOAD_X(place) BPF_STMT(BPF_LDX | BPF_W | BPF_MEM, place)
#define XOR_X BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0)
/* A ^= the word at `offset` behind M[AT]. Five statements. */
#define FOLD_WORD(offset) \
	STORE(SUM), LOAD_X(AT), LOAD_WORD(offset), LOAD_X(SUM), XOR_X
/* A = the IPv6 address there, folded to a word. */
#define LOAD_ADDRESS6(offset)                                   \
	LOAD_X(AT), LOAD_WORD(offset), FOLD_WORD((offset) + 4), \
	    FOLD_WORD((offset) + 8), FOLD_WORD((offset) + 12)
/* Where a tag stands in the packet: the type behind it, and how far to go.
 * The kernel has taken the first away, if there is one. */
#define SKIP_TAG(offset)                                       \
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NET((offset) + 2)), \
	    BPF_STMT(BPF_LDX | BPF_IMM, (offset) + 4)

int
fanout_join(const int *sockets, unsigned count, uint32_t key)
{
	/* Symmetric: (source ^ key) * (destination ^ key), stirred; the kernel
	 * takes it modulo the number of sockets. */
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | BPF_IMM, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, PROTOCOL),
		IS(ETH_P_8021Q, 1, 0),
		IS(ETH_P_8021AD, 0, 6),
		SKIP_TAG(0),
		IS(ETH_P_8021Q, 1, 0),
		IS(ETH_P_8021AD, 0, 2),
		SKIP_TAG(4),
		BPF_STMT(BPF_STX, AT),
		IS(ETH_P_IPV6, 6, 0),
		IS(ETH_P_IP, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),

		LOAD_WORD(12),
		STORE(SOURCE),
		LOAD_WORD(16),
		BPF_JUMP(BPF_JMP | BPF_JA, 35, 0, 0),

		LOAD_ADDRESS6(8),
		STORE(SOURCE),
		LOAD_ADDRESS6(24),

		BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, key),
		STORE(SUM),
		BPF_STMT(BPF_LD | BPF_MEM, SOURCE),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, key),
		LOAD_X(SUM),
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_X, 0),
		STORE(SUM),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 15),
		LOAD_X(SUM),
		XOR_X,
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0x85ebca6b),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(*code),
		.filter = (struct sock_filter *)code,
	};
	/* The kernel chooses a number that no other group has. */
	int group = (PACKET_FANOUT_CBPF | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
	socklen_t length = sizeof(group);

	for (unsigned i = 0; i < count; i++) {
		if (setsockopt(sockets[i], SOL_PACKET, PACKET_FANOUT, &group,
			sizeof(group)) != 0)
			return -1;
		/* Without the program all go to the first. */
		if (i == 0 &&
		    (getsockopt(sockets[0], SOL_PACKET, PACKET_FANOUT, &group,
			 &length) != 0 ||
			setsockopt(sockets[0], SOL_PACKET, PACKET_FANOUT_DATA,
			    &program, sizeof(program)) != 0))
			return -1;
	}
	return 0;
}
