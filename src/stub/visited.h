/*
 * Which objects were met: a bit for every 16 bytes of address space. No two objects begin in the same 16 bytes, for
 * none is shorter.
 */
#ifndef PYHEAP_VISITED_H
#define PYHEAP_VISITED_H
#include "vector.h"

#define LEAF_SHIFT 26 /* one leaf for 64 MiB of addresses: 512 KiB, of which only the touched pages exist */
#define LEAF_BYTES (1ul << (LEAF_SHIFT - 4 - 3))
#define ROOT_BYTES ((1ul << (47 - LEAF_SHIFT)) * 8)

struct visited {
	u64 **leaves;
	int failed; /* no memory: what was asked for since is not recorded */
};

static __attribute__((noinline)) u64 *visited_leaf(struct visited *visited, u64 address)
{
	u64 *leaf = visited->leaves ? map_pages(LEAF_BYTES) : 0;
	if (leaf) visited->leaves[address >> LEAF_SHIFT] = leaf;
	else visited->failed = 1;
	return leaf;
}

/* Whether the object was not met before; it is from now on. What cannot be an address counts as met. */
static inline int visited_add(struct visited *visited, const object *o)
{
	u64 address = (u64)o;
	if (address < 4096 || address >> 47) return 0;
	u64 *leaf = visited->leaves[address >> LEAF_SHIFT];
	if (!leaf && !(leaf = visited_leaf(visited, address))) return 0;
	u64 *word = leaf + ((address >> 10) & (LEAF_BYTES / 8 - 1));
	u64 bit = 1ul << ((address >> 4) & 63);
	if (*word & bit) return 0;
	*word |= bit;
	return 1;
}

static inline int visited_has(const struct visited *visited, const object *o)
{
	u64 address = (u64)o;
	if (address >> 47) return 1;
	u64 *leaf = visited->leaves[address >> LEAF_SHIFT];
	return leaf && (leaf[(address >> 10) & (LEAF_BYTES / 8 - 1)] >> ((address >> 4) & 63) & 1);
}
#endif
