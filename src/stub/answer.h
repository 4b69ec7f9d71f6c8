/* How the functions that Python calls answer: ints, and lists of ints and of objects that are handed over. */
#ifndef PYHEAP_ANSWER_H
#define PYHEAP_ANSWER_H
#include "walk.h"

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
#endif
