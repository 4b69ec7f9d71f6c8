/*
 * pymalloc's pools, in which all small objects lie: how much of them is in use. They are found where objects were met, by
 * their headers, which are alike in 3.8 to 3.14.
 */
#ifndef PYHEAP_POOLS_H
#define PYHEAP_POOLS_H
#include "answer.h"

#define PAGE 4096ul
#define PIECE (1ul << 16) /* that mincore() is asked about at once; a whole number of pools */
#define POOL_HEADER 48

struct pool { /* struct pool_header of Objects/obmalloc.c */
	u32 count, padding; /* blocks in use */
	u64 free_block, next, previous;
	u32 arena, size_class; /* blocks have 16 * (size_class + 1) bytes */
	u32 next_offset, last_offset;
};

struct pools {
	u64 count;
	u64 resident; /* bytes of theirs that take memory */
	u64 used;     /* bytes of blocks in use */
};

/* The bytes in use if a pool begins there, else -1. */
static i64 pool_used(u64 at, u64 pool_bytes)
{
	const struct pool *pool = (const struct pool *)at;
	u64 block = 16 * ((u64)pool->size_class + 1);
	if (pool->size_class >= 32 || pool->last_offset != pool_bytes - block || pool->next_offset > pool_bytes) return -1;
	if (pool->next_offset < POOL_HEADER + block || (pool->next_offset - POOL_HEADER) % block) return -1;
	if (pool->count > (pool_bytes - POOL_HEADER) / block || pool->arena >> 24) return -1;
	if (pool->free_block && (pool->free_block < at || pool->free_block >= at + pool_bytes)) return -1;
	return (i64)(pool->count * block);
}

/*
 * Whether a page can be read without a fault, which mincore() does not know of files: a call that is refused for what it
 * asks reads its argument first, and is refused for that if it cannot.
 */
static int is_readable(u64 at)
{
	return raw_syscall(SYS_rt_sigprocmask, 99 /* no such thing to do */, (i64)at, 0, 8, 0) != -14 /* EFAULT */;
}

static int is_resident(u64 at, u64 bytes, unsigned char *pages)
{
	return raw_syscall(SYS_mincore, (i64)at, (i64)bytes, (i64)pages, 0, 0) == 0;
}

static void count_pool(struct pools *pools, u64 at, u64 pool_bytes, const unsigned char *pages)
{
	i64 used = (pages[0] & 1) && is_readable(at) ? pool_used(at, pool_bytes) : -1;
	if (used < 0) return;
	pools->count++;
	pools->used += (u64)used;
	for (u64 page = 0; page < pool_bytes / PAGE; page++) pools->resident += (pages[page] & 1) * PAGE;
}

static void count_piece(struct pools *pools, u64 piece, u64 pool_bytes)
{
	unsigned char pages[PIECE / PAGE];
	int is_whole = is_resident(piece, PIECE, pages);
	for (u64 at = piece; at < piece + PIECE; at += pool_bytes) {
		unsigned char *own = pages + (at - piece) / PAGE;
		if (is_whole || is_resident(at, pool_bytes, own)) count_pool(pools, at, pool_bytes, own);
	}
}

/* Counts the pools in the addresses of one leaf; how many there are. */
static u64 count_region(struct pools *pools, u64 leaf, u64 pool_bytes)
{
	u64 before = pools->count;
	for (u64 piece = leaf << LEAF_SHIFT; piece < (leaf + 1) << LEAF_SHIFT; piece += PIECE)
		count_piece(pools, piece, pool_bytes);
	return pools->count - before;
}

/*
 * pools(bytes of a pool in this version): [pools, bytes of them in memory, bytes of blocks in use]. Looked at are the
 * regions in which objects were met, and beside them as far as there are pools: what nothing leads to may fill some.
 */
static object *count_pools(object *self, object *bytes)
{
	struct walk *walk = walk_of(self);
	struct pools pools = {0, 0, 0};
	u64 **leaves = walk->visited.leaves, looked_at = 0; /* everything below this number */
	u64 pool_bytes = (u64)walk->python->PyLong_AsSsize_t(bytes);
	if (pool_bytes != 4096 && pool_bytes != 16384) pool_bytes = 16384;
	for (u64 n = 0; n < LEAVES; n++) {
		if (!leaves[n] || n < looked_at) continue;
		for (u64 below = n; below > looked_at && count_region(&pools, below - 1, pool_bytes); below--) ;
		count_region(&pools, n, pool_bytes);
		for (looked_at = n + 1; looked_at < LEAVES && !leaves[looked_at]; looked_at++)
			if (!count_region(&pools, looked_at, pool_bytes)) break;
	}
	object *list = new_list(walk);
	put_number(walk, list, pools.count);
	put_number(walk, list, pools.resident);
	put_number(walk, list, pools.used);
	return answer(walk, list);
}
#endif
