/* Memory of our own: straight from the kernel, never from an allocator that a lost thread may have left locked. */
#ifndef PYHEAP_VECTOR_H
#define PYHEAP_VECTOR_H
#include "python.h"

#define SYS_mmap 9
#define SYS_munmap 11
#define SYS_mremap 25

struct vector {
	u64 *items;
	u64 length;
	u64 capacity;
};

static inline i64 memory_call(i64 nr, u64 a, u64 b, u64 c, u64 d)
{
	register u64 r10 __asm__("r10") = d;
	register i64 r8 __asm__("r8") = -1;
	register u64 r9 __asm__("r9") = 0;
	i64 result;
	__asm__ volatile("syscall"
	                 : "=a"(result)
	                 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
	                 : "rcx", "r11", "memory");
	return result;
}

/* Zeroed pages, taken from the machine when they are first written; 0 if there are none. */
static void *map_pages(u64 bytes)
{
	i64 found = memory_call(SYS_mmap, 0, bytes, 3 /* read, write */, 0x4022 /* private, anonymous, no reserve */);
	return found < 0 && found > -4096 ? 0 : (void *)found;
}

static void unmap_pages(void *pages, u64 bytes) { memory_call(SYS_munmap, (u64)pages, bytes, 0, 0); }

/* Twice the room; 0 if the machine has none. */
static __attribute__((noinline)) int vector_grow(struct vector *v)
{
	u64 capacity = v->capacity ? 2 * v->capacity : 8192;
	i64 found = v->capacity
	                ? memory_call(SYS_mremap, (u64)v->items, v->capacity * 8, capacity * 8, 1 /* may move */)
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
