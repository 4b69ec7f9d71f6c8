/*
 * What the walk never met, parted into cyclic garbage and what something keeps that tells the collector nothing. That
 * is the collector's own reckoning: an object with more references than the others have to it is kept from outside.
 */
#ifndef PYHEAP_UNREACHED_H
#define PYHEAP_UNREACHED_H
#include "walk.h"

struct inside {
	object *object;
	u32 references; /* from other unreached objects */
	u32 kept;
};

static void count_listed(struct walk *walk, object *o)
{
	struct kind *kind = kinds_find(&walk->kinds, type_of(o));
	if (!kind || (!kind->listed++ && !vector_push(&walk->listed, (u64)(kind - walk->kinds.items)))) walk->failed = 1;
}

static int tell_listed(object *o, void *context)
{
	struct walk *walk = context;
	count_listed(walk, o);
	return walk->failed;
}

static int tell_unreached(object *o, void *context)
{
	struct walk *walk = context;
	if (visited_has(&walk->visited, o)) return 0;
	count_listed(walk, o);
	if (!vector_push(&walk->unreached, (u64)o)) walk->failed = 1;
	return walk->failed;
}

static struct inside *find_inside(const struct walk *walk, const object *o)
{
	u64 slot = ((u64)o >> 4) * 0x9e3779b97f4a7c15ul >> 20 & walk->inside_mask;
	while (walk->inside[slot].object && walk->inside[slot].object != o) slot = (slot + 1) & walk->inside_mask;
	return walk->inside + slot;
}

static int count_inside(object *o, void *context)
{
	struct inside *found = find_inside(context, o);
	if (found->object) found->references++;
	return 0;
}

static int keep(object *o, void *context)
{
	struct walk *walk = context;
	struct inside *found = find_inside(walk, o);
	if (found->object && !found->kept) {
		found->kept = 1;
		if (!vector_push(&walk->stack, (u64)o)) walk->failed = 1;
	}
	return 0;
}

static void traverse(struct walk *walk, object *o, visitor visit)
{
	const struct kind *kind = kinds_find(&walk->kinds, type_of(o));
	if (!kind || !kind->traverse || (kind->learnt && kind->walks == LEAF)) return;
	if (!kind->is_gc || kind->is_gc(o)) kind->traverse(o, visit, walk);
}

static void forget_unreached(struct walk *walk)
{
	if (walk->inside) unmap_pages(walk->inside, (walk->inside_mask + 1) * sizeof(struct inside));
	walk->inside = 0;
	vector_free(&walk->unreached);
}

/* 0 if there is no memory for it. */
static int split(struct walk *walk)
{
	u64 size = 1024;
	const struct vector *all = &walk->unreached;
	while (size < 2 * all->length) size *= 2;
	walk->inside = map_pages(size * sizeof(struct inside));
	walk->inside_mask = size - 1;
	if (!walk->inside) return 0;
	for (u64 n = 0; n < all->length; n++) find_inside(walk, (object *)all->items[n])->object = (object *)all->items[n];
	for (u64 n = 0; n < all->length; n++) traverse(walk, (object *)all->items[n], count_inside);
	for (u64 n = 0; n < all->length; n++) {
		const struct inside *found = find_inside(walk, (object *)all->items[n]);
		if (refcount_of(found->object) > found->references) keep(found->object, walk);
		while (walk->stack.length) traverse(walk, (object *)walk->stack.items[--walk->stack.length], keep);
	}
	return !walk->failed;
}

/* Claims the kept ones or the others and counts them by type; returns the first, puts the rest on the frontier. */
static object *take_group(struct walk *walk, u32 kept)
{
	object *first = 0;
	if (!walk->inside) return 0;
	walk->into = &walk->frontier;
	for (u64 n = 0; n < walk->unreached.length; n++) {
		object *o = (object *)walk->unreached.items[n];
		if (find_inside(walk, o)->kept != kept || visited_has(&walk->visited, o)) continue;
		count_listed(walk, o);
		if (first) visit(o, walk);
		else if (visited_add(&walk->visited, o)) first = o;
	}
	return first;
}
#endif
