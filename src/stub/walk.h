/* The walk itself: every object once, counted for whoever asks for a tally next. */
#ifndef PYHEAP_WALK_H
#define PYHEAP_WALK_H
#include "heap.h"
#include "kinds.h"
#include "numbering.h"
#include "visited.h"

#define LARGEST 30
#define LARGE 1024
#define AHEAD 8             /* objects that are on their way into the processor's cache */
#define SLICE (1ul << 21)   /* objects that are walked before Python may tell how far we are */

struct large {
	u64 size;
	object *object;
};

/* What is told of all objects at the end, see graph.h. */
struct graph {
	struct numbering numbering;
	struct vector references; /* of the object that is told */
	u64 own;                  /* its number */
	u64 address;              /* its address, or of the one before */
	u64 word;                 /* of `visited`, that is told next */
	u64 told;                 /* references of all */
	int may_be_attributes;    /* an unmet dict may have become its attributes */
	char *buffer;
	u64 filled;
};

struct walk {
	struct python *python;
	object *learn, *refs_of; /* functions of the payload; borrowed */
	struct visited visited;
	struct kinds kinds;
	struct vector touched;  /* numbers of kinds with a count */
	struct vector stack;    /* met, not counted yet */
	struct vector frontier; /* the same, in the order of the labels that they belong to */
	struct vector *into;    /* where to put what is met now */
	u64 begin, end;         /* the part of the frontier that is walked now */
	struct large largest[LARGEST];
	u64 floor;
	int large_count;
	int failed; /* no memory, or an error of the payload, which is set */
	struct collector collector;
	struct vector listed;    /* numbers of kinds with a `listed` count */
	struct vector unreached; /* listed, but never met */
	struct vector hidden;    /* addresses that count as met, and are not */
	struct graph graph;
	struct inside *inside;
	u64 inside_mask;
	object *answer;    /* of the function that runs */
	object *not_entry; /* likewise: the container's own type */
};

/* Called by the types themselves with everything that an object refers to. */
static int visit(object *o, void *context)
{
	struct walk *walk = context;
	if (visited_add(&walk->visited, o) && !vector_push(walk->into, (u64)o)) walk->failed = 1;
	return 0;
}

static inline u64 long_value(struct walk *walk, object *number)
{
	if (!number) {
		walk->python->PyErr_Clear();
		return 0;
	}
	i64 value = walk->python->PyLong_AsSsize_t(number);
	walk->python->Py_DecRef(number);
	if (value < 0) walk->python->PyErr_Clear();
	return value < 0 ? 0 : (u64)value;
}

static inline u64 size_of(struct walk *walk, const struct kind *kind, object *o)
{
	if (kind->sizeof_function) return long_value(walk, kind->sizeof_function(o, 0)) + kind->header;
	u64 size = long_value(walk, walk->python->PyObject_CallFunctionObjArgs(kind->measure, o, (object *)0));
	return size ? size : basicsize_of(kind->type);
}

/* learn(type, instance): [how to walk, size of all or 0, method or None, what it leaves out, measure, instance's size] */
static __attribute__((noinline)) int learn(struct walk *walk, object *o, u64 number)
{
	struct python *python = walk->python;
	object *type = type_of(o);
	object *facts = python->PyObject_CallFunctionObjArgs(walk->learn, type, o, (object *)0);
	if (!facts) {
		walk->failed = 1;
		return 0;
	}
	struct kind *kind = walk->kinds.items + number;
	object *method = python->PyList_GetItem(facts, 2);
	kind->walks = (u32)python->PyLong_AsSsize_t(python->PyList_GetItem(facts, 0));
	kind->size = (u64)python->PyLong_AsSsize_t(python->PyList_GetItem(facts, 1));
	kind->sizeof_function = method == python->Py_None || kind->is_gc ? 0 : sizeof_function(method);
	kind->header = (u64)python->PyLong_AsSsize_t(python->PyList_GetItem(facts, 3));
	kind->measure = python->PyList_GetItem(facts, 4); /* the payload keeps it */
	kind->sample = o;
	kind->learnt = 1;
	if (kind->sizeof_function && size_of(walk, kind, o) != (u64)python->PyLong_AsSsize_t(python->PyList_GetItem(facts, 5)))
		kind->sizeof_function = 0;
	python->Py_DecRef(facts);
	visit(type, walk); /* 3.8 does not tell that an instance keeps its class */
	return 1;
}

static void note_large(struct walk *walk, object *o, u64 size)
{
	int at = walk->large_count < LARGEST ? walk->large_count++ : LARGEST - 1;
	while (at > 0 && walk->largest[at - 1].size < size) {
		walk->largest[at] = walk->largest[at - 1];
		at--;
	}
	walk->largest[at].size = size;
	walk->largest[at].object = o;
	if (walk->large_count == LARGEST) walk->floor = walk->largest[LARGEST - 1].size + 1;
}

static void visit_pairs(struct walk *walk, object *dict, int values, visitor tell)
{
	object *key, *value;
	i64 position = 0;
	while (walk->python->PyDict_Next(dict, &position, &key, &value)) {
		tell(key, walk);
		if (values) tell(value, walk);
	}
}

static __attribute__((noinline)) void visit_answer(struct walk *walk, object *o, visitor tell)
{
	struct python *python = walk->python;
	object *list = python->PyObject_CallFunctionObjArgs(walk->refs_of, o, (object *)0);
	if (!list) {
		walk->failed = 1;
		return;
	}
	i64 length = python->PyList_Size(list);
	for (i64 n = 0; n < length; n++) tell(python->PyList_GetItem(list, n), walk); /* the array keeps them */
	python->Py_DecRef(list);
}

static inline void visit_referents(struct walk *walk, object *o, const struct kind *kind, visitor tell)
{
	u32 walks = kind->walks;
	if (walks == DICT) visit_pairs(walk, o, 1, tell);
	else if (walks == ARRAY) visit_answer(walk, o, tell);
	else if (walks != LEAF && kind->traverse && (!kind->is_gc || kind->is_gc(o))) {
		kind->traverse(o, tell, walk);
		if (walks == MAPPING) visit_pairs(walk, o, 0, tell);
	}
}

/* Counts the object and visits what it refers to. */
static inline void count(struct walk *walk, object *o)
{
	struct kind *kind = kinds_find(&walk->kinds, type_of(o));
	if (!kind) {
		walk->failed = 1;
		return;
	}
	if (!kind->learnt) {
		u64 number = (u64)(kind - walk->kinds.items);
		if (!learn(walk, o, number)) return;
		kind = walk->kinds.items + number;
	}
	if (!kind->count++ && !vector_push(&walk->touched, (u64)(kind - walk->kinds.items))) walk->failed = 1;
	if (!kind->size) {
		u64 size = size_of(walk, kind, o);
		kind->bytes += size;
		if (size >= walk->floor) note_large(walk, o, size);
	}
	if (kind->walks) visit_referents(walk, o, kind, visit);
}

static inline object *next_met(struct walk *walk)
{
	if (walk->stack.length) return (object *)walk->stack.items[--walk->stack.length];
	return walk->begin < walk->end ? (object *)walk->frontier.items[walk->begin++] : 0;
}

/* Walks on through the open part of the frontier; returns how many objects were counted, 0 when none is left. */
static u64 drain(struct walk *walk)
{
	object *coming[AHEAD] = {0};
	u64 done = 0;
	int at = 0, none = 0;
	walk->into = &walk->stack;
	while (none < AHEAD && !walk->failed) {
		object *o = coming[at];
		object *next = done < SLICE ? next_met(walk) : 0;
		if (next) __builtin_prefetch((char *)next);
		coming[at] = next;
		at = (at + 1) & (AHEAD - 1);
		none = next ? 0 : none + 1;
		if (!o) continue;
		count(walk, o);
		done++;
		if (done < SLICE) none = 0;
	}
	return done;
}
#endif
