/*
 * The walker's functions as Python sees them; src/payload/native.py is their only caller. Answers are ints, and lists
 * of ints and of objects, so that nothing of the service is touched but what is handed over.
 */
#pragma GCC optimize("O2") /* the stub around it is built for size */
#include "walker.h"
#include "unreached.h"

#define METH_O 8
#define METH_FASTCALL 0x80
#define FUNCTIONS 24

struct definition { /* PyMethodDef */
	const char *name;
	void *function;
	i64 flags;
	const char *doc;
};

struct state {
	struct walk walk;
	struct definition definitions[FUNCTIONS];
	int defined;
};

/* Every function is bound to a capsule that holds the state. */
static struct walk *walk_of(const object *self) { return (struct walk *)word_at(self, 16); }

static object *number(const struct walk *walk, u64 value) { return walk->python->PyLong_FromSsize_t((i64)value); }

static object *new_list(const struct walk *walk) { return walk->python->PyList_New(0); }

static void put(const struct walk *walk, object *list, object *o) { walk->python->PyList_Append(list, o); }

static void put_number(const struct walk *walk, object *list, u64 value)
{
	object *o = number(walk, value);
	walk->python->PyList_Append(list, o);
	walk->python->Py_DecRef(o);
}

/* The answer, unless the walk has failed: then the error that is set, or that there is no memory. */
static object *answer(struct walk *walk, object *result)
{
	if (!walk->failed && !walk->visited.failed && result) return result;
	if (result) walk->python->Py_DecRef(result);
	return walk->python->PyErr_Occurred() ? 0 : walk->python->PyErr_NoMemory();
}

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
	visited_add(&walk->visited, (object *)walk->python->PyLong_AsSsize_t(address));
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

/* close(): forgets the frontier, of which every part has been walked. */
static object *close_frontier(object *self, object *none)
{
	struct walk *walk = walk_of(self);
	(void)none;
	vector_free(&walk->frontier);
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

static void define(struct state *state, object *dict, object *self, const char *name, void *function, i64 flags)
{
	const struct python *python = state->walk.python;
	struct definition *definition = state->definitions + state->defined++;
	definition->name = name;
	definition->function = function;
	definition->flags = flags;
	object *made = python->PyCFunction_NewEx(definition, self, 0);
	if (made) python->PyDict_SetItemString(dict, name, made);
	if (made) python->Py_DecRef(made);
}

object *pyheap_native(struct python *python)
{
	struct state *state = map_pages(sizeof(struct state));
	if (!state) return python->PyErr_NoMemory();
	state->walk.python = python;
	object *dict = python->PyDict_New(), *self = python->PyCapsule_New(state, 0, 0);
	if (!dict || !self) return 0;
	define(state, dict, self, "layout", layout, METH_O);
	define(state, dict, self, "referents", referents, METH_O);
	define(state, dict, self, "seal", seal, METH_FASTCALL);
	define(state, dict, self, "start", start, METH_FASTCALL);
	define(state, dict, self, "hide", hide, METH_O);
	define(state, dict, self, "claim", claim, METH_O);
	define(state, dict, self, "has", has, METH_O);
	define(state, dict, self, "enter", enter, METH_O);
	define(state, dict, self, "open", open, METH_FASTCALL);
	define(state, dict, self, "drain", drain_open, METH_NOARGS);
	define(state, dict, self, "close", close_frontier, METH_NOARGS);
	define(state, dict, self, "tally", tally, METH_NOARGS);
	define(state, dict, self, "largest", largest, METH_NOARGS);
	define(state, dict, self, "tracked", tracked, METH_NOARGS);
	define(state, dict, self, "instances", instances, METH_O);
	define(state, dict, self, "unreached", unreached, METH_NOARGS);
	define(state, dict, self, "split", split_unreached, METH_NOARGS);
	define(state, dict, self, "group", group, METH_O);
	define(state, dict, self, "entry_types", entry_types, METH_FASTCALL);
	return dict;
}
