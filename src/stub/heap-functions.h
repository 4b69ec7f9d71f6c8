/* What can be read without a walk, or after one: layouts, the collector's lists, entries of containers. */
#ifndef PYHEAP_HEAP_FUNCTIONS_H
#define PYHEAP_HEAP_FUNCTIONS_H
#include "answer.h"
#include "unreached.h"

/* layout(instance of a type): [the type, its basic size, item size, flags] as this code reads them. */
static object *layout(object *self, object *o)
{
	struct walk *walk = walk_of(self);
	object *list = new_list(walk), *type = type_of(o);
	put_number(walk, list, (u64)type);
	put_number(walk, list, basicsize_of(type));
	put_number(walk, list, itemsize_of(type));
	put_number(walk, list, flags_of(type) & ~(1ul << 19)); /* whose method cache is valid changes as one looks */
	return list;
}

static int collect_referent(object *o, void *context)
{
	struct walk *walk = context;
	return !vector_push(&walk->stack, (u64)o);
}

/* referents(o): the addresses of what its type tells that it refers to. */
static object *referents(object *self, object *o)
{
	struct walk *walk = walk_of(self);
	object *list = new_list(walk);
	traverse(walk, o, collect_referent);
	for (u64 n = 0; n < walk->stack.length; n++) put_number(walk, list, walk->stack.items[n]);
	walk->stack.length = 0;
	return list;
}

/* seal(new list, where frozen objects are listed): whether the collector's lists were found; the list is their end. */
static object *seal(object *self, object *const *arguments, i64 count)
{
	struct walk *walk = walk_of(self);
	return number(walk, count == 2 && collector_find(&walk->collector, arguments[0],
	                                                 (u64)walk->python->PyLong_AsSsize_t(arguments[1])));
}

/* Appends type, count, ... of what count_listed() has counted. */
static object *listed_counts(struct walk *walk, object *list)
{
	for (u64 n = 0; n < walk->listed.length; n++) {
		struct kind *kind = walk->kinds.items + walk->listed.items[n];
		put(walk, list, kind->type);
		put_number(walk, list, kind->listed);
		kind->listed = 0;
	}
	walk->listed.length = 0;
	return answer(walk, list);
}

/* tracked(): [type, count, ...] of what the collector lists of the service. */
static object *tracked(object *self, object *none)
{
	struct walk *walk = walk_of(self);
	(void)none;
	collector_each(&walk->collector, tell_listed, walk);
	return listed_counts(walk, new_list(walk));
}

/* unreached(): the same of what is listed but was not met. */
static object *unreached(object *self, object *none)
{
	struct walk *walk = walk_of(self);
	(void)none;
	walk->unreached.length = 0;
	collector_each(&walk->collector, tell_unreached, walk);
	return listed_counts(walk, new_list(walk));
}

/* split(): parts what unreached() has found, for group(). */
static object *split_unreached(object *self, object *none)
{
	struct walk *walk = walk_of(self);
	(void)none;
	if (!split(walk)) walk->failed = 1;
	return answer(walk, number(walk, walk->unreached.length));
}

/* group(0: garbage, 1: kept): [the frontier's length behind them, first, type, count, ...]; [] where there are none. */
static object *group(object *self, object *kept)
{
	struct walk *walk = walk_of(self);
	object *list = new_list(walk), *first = take_group(walk, walk->python->PyLong_AsSsize_t(kept) != 0);
	if (!first) return answer(walk, list);
	put_number(walk, list, walk->frontier.length);
	put(walk, list, first);
	return listed_counts(walk, list);
}

static int tell_instance(object *o, void *context)
{
	struct walk *walk = context;
	for (u64 n = 0; n < walk->stack.length; n++)
		if ((u64)type_of(o) == walk->stack.items[n]) put(walk, walk->answer, o);
	return 0;
}

/* instances(list of types): what the collector lists of exactly these. */
static object *instances(object *self, object *types)
{
	struct walk *walk = walk_of(self);
	i64 length = walk->python->PyList_Size(types);
	walk->answer = new_list(walk);
	for (i64 n = 0; n < length; n++) collect_referent(walk->python->PyList_GetItem(types, n), walk);
	collector_each(&walk->collector, tell_instance, walk);
	walk->stack.length = 0;
	return answer(walk, walk->answer);
}

static int tell_entry(object *o, void *context)
{
	struct walk *walk = context;
	if (o != walk->not_entry) count_listed(walk, o);
	return walk->failed;
}

/* entry_types(container, its builtin type): [type, count, ...] of a dict's values, of the items of the others. */
static object *entry_types(object *self, object *const *arguments, i64 count)
{
	struct walk *walk = walk_of(self);
	object *key, *value, *list = new_list(walk);
	i64 position = 0;
	if (count != 2) return list;
	walk->not_entry = type_of(arguments[0]); /* types that are no static ones tell of themselves as well */
	if (arguments[1] == walk->python->PyDict_Type) {
		while (walk->python->PyDict_Next(arguments[0], &position, &key, &value)) tell_entry(value, walk);
	} else if (traverse_of(arguments[1])) traverse_of(arguments[1])(arguments[0], tell_entry, walk);
	return listed_counts(walk, list);
}
#endif
