/* What the walk knows about types. The payload tells it, once for each, by its function `learn`. */
#ifndef PYHEAP_KINDS_H
#define PYHEAP_KINDS_H
#include "object.h"
#include "vector.h"

/* In the order of HOW in src/payload/native.py. */
enum walks { LEAF, PLAIN, DICT, MAPPING, ARRAY };

struct kind {
	object *type;
	u64 count; /* since the last tally */
	u64 bytes; /* likewise, where each instance has its own size */
	u64 listed; /* a counter for other purposes than the walk's */
	traverser traverse;
	int (*is_gc)(object *);
	no_arguments sizeof_function; /* 0: `measure` is asked */
	object *measure;
	object *sample; /* the first instance that was met; borrowed */
	u64 size;    /* of every instance, or 0 */
	u64 header;  /* what sizeof_function leaves out */
	u32 walks;
	u32 learnt;
};

struct kinds {
	struct kind *items;
	u64 length, capacity;
	u32 *slots; /* number of the kind + 1 by its type's address; 0 is free */
	u64 mask;
};

static inline u64 slot_of(const struct kinds *kinds, const object *type)
{
	return (((u64)type >> 4) * 0x9e3779b97f4a7c15ul >> 32) & kinds->mask;
}

/* Room for one more; the slots are never more than half full. 0 if there is no memory. */
static __attribute__((noinline)) int kinds_grow(struct kinds *kinds)
{
	struct kinds more = {0, kinds->length, kinds->capacity ? 2 * kinds->capacity : 4096, 0, 0};
	more.mask = 2 * more.capacity - 1;
	more.items = map_pages(more.capacity * sizeof(struct kind));
	more.slots = map_pages((more.mask + 1) * sizeof(u32));
	if (!more.items || !more.slots) return 0;
	for (u64 n = 0; n < kinds->length; n++) {
		u64 slot = slot_of(&more, kinds->items[n].type);
		while (more.slots[slot]) slot = (slot + 1) & more.mask;
		more.slots[slot] = (u32)n + 1;
		more.items[n] = kinds->items[n];
	}
	if (kinds->capacity) {
		unmap_pages(kinds->items, kinds->capacity * sizeof(struct kind));
		unmap_pages(kinds->slots, (kinds->mask + 1) * sizeof(u32));
	}
	*kinds = more;
	return 1;
}

static __attribute__((noinline)) struct kind *kinds_add(struct kinds *kinds, object *type)
{
	if (kinds->length == kinds->capacity && !kinds_grow(kinds)) return 0;
	u64 slot = slot_of(kinds, type);
	while (kinds->slots[slot]) slot = (slot + 1) & kinds->mask;
	kinds->slots[slot] = (u32)kinds->length + 1;
	struct kind *kind = kinds->items + kinds->length++;
	kind->type = type;
	kind->traverse = flags_of(type) & HAS_GC ? traverse_of(type) : 0;
	kind->is_gc = is_gc_of(type);
	return kind;
}

/* The kind for a type, or 0 if it was never asked for. */
static inline struct kind *kinds_known(const struct kinds *kinds, const object *type)
{
	for (u64 slot = slot_of(kinds, type); kinds->slots && kinds->slots[slot]; slot = (slot + 1) & kinds->mask)
		if (kinds->items[kinds->slots[slot] - 1].type == type) return kinds->items + kinds->slots[slot] - 1;
	return 0;
}

/* The kind for a type, which may be one that nothing was learnt about yet; 0 if there is no memory. */
static inline struct kind *kinds_find(struct kinds *kinds, object *type)
{
	struct kind *known = kinds_known(kinds, type);
	return known ? known : kinds_add(kinds, type);
}
#endif
