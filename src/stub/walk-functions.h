/* The walk, as Python calls it. */
#ifndef PYHEAP_WALK_FUNCTIONS_H
#define PYHEAP_WALK_FUNCTIONS_H
#include "answer.h"
#include "unreached.h"

/* start(learn, refs_of): the functions that the walk calls. */
static object *start(object *self, object *const *arguments, i64 count)
{
	struct walk *walk = walk_of(self);
	walk->visited.leaves = map_pages(ROOT_BYTES);
	walk->learn = count == 2 ? arguments[0] : 0;
	walk->refs_of = count == 2 ? arguments[1] : 0;
	walk->floor = LARGE;
	walk->failed = !walk->visited.leaves || count != 2;
	return answer(walk, number(walk, 0));
}

/* hide(address): what lies there is neither counted nor entered. */
static object *hide(object *self, object *address)
{
	struct walk *walk = walk_of(self);
	u64 at = (u64)walk->python->PyLong_AsSsize_t(address);
	if (visited_add(&walk->visited, (object *)at) && !vector_push(&walk->hidden, at)) walk->failed = 1;
	return answer(walk, number(walk, 0));
}

/* claim(o): whether it was not met before; it is from now on. */
static object *claim(object *self, object *o)
{
	struct walk *walk = walk_of(self);
	return answer(walk, number(walk, (u64)visited_add(&walk->visited, o)));
}

static object *has(object *self, object *o)
{
	struct walk *walk = walk_of(self);
	return number(walk, (u64)visited_has(&walk->visited, o));
}

/* enter(list of claimed objects): counts them; what they lead to is put on the frontier, whose length is told. */
static object *enter(object *self, object *starts)
{
	struct walk *walk = walk_of(self);
	i64 length = walk->python->PyList_Size(starts);
	walk->into = &walk->frontier;
	for (i64 n = 0; n < length && !walk->failed; n++) count(walk, walk->python->PyList_GetItem(starts, n));
	return answer(walk, number(walk, walk->frontier.length));
}

/* open(begin, end): the part of the frontier that drain() walks. */
static object *open(object *self, object *const *arguments, i64 count)
{
	struct walk *walk = walk_of(self);
	walk->begin = count == 2 ? (u64)walk->python->PyLong_AsSsize_t(arguments[0]) : 0;
	walk->end = count == 2 ? (u64)walk->python->PyLong_AsSsize_t(arguments[1]) : 0;
	if (walk->end > walk->frontier.length) walk->end = walk->frontier.length;
	return number(walk, walk->end);
}

/* close(): forgets the frontier, of which every part has been walked, and what was unreached. */
static object *close_frontier(object *self, object *none)
{
	struct walk *walk = walk_of(self);
	(void)none;
	vector_free(&walk->frontier);
	forget_unreached(walk);
	walk->begin = walk->end = 0;
	return number(walk, 0);
}

static object *drain_open(object *self, object *none)
{
	struct walk *walk = walk_of(self);
	(void)none;
	u64 done = drain(walk);
	return answer(walk, number(walk, done));
}

/* tally(): [type's address, count, bytes, ...] since it was asked last. */
static object *tally(object *self, object *none)
{
	struct walk *walk = walk_of(self);
	object *list = new_list(walk);
	(void)none;
	for (u64 n = 0; n < walk->touched.length; n++) {
		struct kind *kind = walk->kinds.items + walk->touched.items[n];
		put_number(walk, list, (u64)kind->type);
		put_number(walk, list, kind->count);
		put_number(walk, list, kind->bytes);
		kind->count = kind->bytes = 0;
	}
	walk->touched.length = 0;
	return answer(walk, list);
}

/* largest(): [size, object, ...] of the largest single objects. */
static object *largest(object *self, object *none)
{
	struct walk *walk = walk_of(self);
	object *list = new_list(walk);
	(void)none;
	for (int n = 0; n < walk->large_count; n++) {
		put_number(walk, list, walk->largest[n].size);
		put(walk, list, walk->largest[n].object);
	}
	return list;
}
#endif
