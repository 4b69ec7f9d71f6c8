/* Numbers for the objects that were met, in the order of their addresses: how many bits of `visited` lie below. */
#ifndef PYHEAP_NUMBERING_H
#define PYHEAP_NUMBERING_H
#include "visited.h"

#define LEAVES (ROOT_BYTES / 8)
#define LEAF_WORDS (LEAF_BYTES / 8)
#define BLOCK 4 /* words between two counts that are kept */

struct numbering {
	u32 **counts; /* by leaf: how many objects lie below each block */
	u64 objects;
};

static inline u32 bits_of(u64 word)
{
	word -= word >> 1 & 0x5555555555555555ul;
	word = (word & 0x3333333333333333ul) + (word >> 2 & 0x3333333333333333ul);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0ful;
	return (u32)(word * 0x0101010101010101ul >> 56);
}

static void visited_remove(struct visited *visited, u64 address)
{
	u64 *leaf = address >> 47 ? 0 : visited->leaves[address >> LEAF_SHIFT];
	if (leaf) leaf[(address >> 10) & (LEAF_WORDS - 1)] &= ~(1ul << ((address >> 4) & 63));
}

/* 0 if there is no memory. What is met later has no place in it. */
static int numbering_make(struct numbering *numbering, const struct visited *visited)
{
	u64 objects = 0;
	numbering->counts = map_pages(ROOT_BYTES);
	if (!numbering->counts) return 0;
	for (u64 n = 0; n < LEAVES; n++) {
		const u64 *leaf = visited->leaves[n];
		if (!leaf) continue;
		u32 *counts = numbering->counts[n] = map_pages(LEAF_WORDS / BLOCK * sizeof(u32));
		if (!counts) return 0;
		for (u64 word = 0; word < LEAF_WORDS; word++) {
			if (word % BLOCK == 0) counts[word / BLOCK] = (u32)objects;
			objects += bits_of(leaf[word]);
		}
	}
	numbering->objects = objects;
	return 1;
}

/* The object's number from 1 on, or 0 if it was not met. */
static inline u64 number_of(const struct numbering *numbering, const struct visited *visited, const object *o)
{
	u64 address = (u64)o;
	if (address >> 47 || address & 7) return 0;
	const u64 *leaf = visited->leaves[address >> LEAF_SHIFT];
	u64 word = (address >> 10) & (LEAF_WORDS - 1), bit = (address >> 4) & 63;
	if (!leaf || !(leaf[word] >> bit & 1)) return 0;
	u64 below = numbering->counts[address >> LEAF_SHIFT][word / BLOCK];
	for (u64 w = word / BLOCK * BLOCK; w < word; w++) below += bits_of(leaf[w]);
	return below + bits_of(leaf[word] & ((1ul << bit) - 1)) + 1;
}
#endif
