/* Memory of our own: straight from the kernel, never from an allocator that a lost thread may have left locked. */
#ifndef PYHEAP_VECTOR_H
#define PYHEAP_VECTOR_H
#include "python.h"
#include "syscalls.h"

struct vector {
	u64 *items;
	u64 length;
	u64 capacity;
};

/* Zeroed pages, taken from the machine when they are first written; 0 if there are none. */
static void *map_pages(u64 bytes)
{
	i64 found = raw_syscall(SYS_mmap, 0, (i64)bytes, 3 /* read, write */, 0x4022 /* private, anonymous, no reserve */, -1);
	return found < 0 && found > -4096 ? 0 : (void *)found;
}

static void unmap_pages(void *pages, u64 bytes) { raw_syscall(SYS_munmap, (i64)pages, (i64)bytes, 0, 0, 0); }

/* Twice the room; 0 if the machine has none. */
static __attribute__((noinline)) int vector_grow(struct vector *v)
{
	u64 capacity = v->capacity ? 2 * v->capacity : 8192;
	i64 found = v->capacity
	                ? raw_syscall(SYS_mremap, (i64)v->items, (i64)v->capacity * 8, (i64)capacity * 8, 1 /* may move */, 0)
	                : (i64)map_pages(capacity * 8);
	if (!found || (found < 0 && found > -4096)) return 0;
	v->items = (u64 *)found;
	v->capacity = capacity;
	return 1;
}

static inline int vector_push(struct vector *v, u64 item)
{
	if (v->length == v->capacity && !vector_grow(v)) return 0;
	v->items[v->length++] = item;
	return 1;
}

static void vector_free(struct vector *v)
{
	if (v->capacity) unmap_pages(v->items, v->capacity * 8);
	v->items = 0;
	v->length = v->capacity = 0;
}
#endif
