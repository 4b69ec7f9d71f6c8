/*
 * The dict of functions that the payload gets; src/payload/native.py is their only caller. Everything is in one piece,
 * so that calls stay inside it.
 */
#pragma GCC optimize("O2") /* the stub around it is built for size */
#include "walker.h"
#include "graph-functions.h"
#include "heap-functions.h"
#include "pools.h"
#include "walk-functions.h"

#define METH_O 8
#define METH_FASTCALL 0x80
#define FUNCTIONS 32

struct definition { /* PyMethodDef */
	const char *name;
	void *function;
	i64 flags;
	const char *doc;
};

struct native {
	struct walk walk; /* first: the functions take its address for it */
	struct definition definitions[FUNCTIONS];
	int defined;
};

static void define(struct native *native, object *dict, object *self, const char *name, void *function, i64 flags)
{
	const struct python *python = native->walk.python;
	struct definition *definition = native->definitions + native->defined++;
	definition->name = name;
	definition->function = function;
	definition->flags = flags;
	object *made = python->PyCFunction_NewEx(definition, self, 0);
	if (made) python->PyDict_SetItemString(dict, name, made);
	if (made) python->Py_DecRef(made);
}

object *pyheap_native(struct python *python)
{
	struct native *native = map_pages(sizeof(struct native));
	if (!native) return python->PyErr_NoMemory();
	native->walk.python = python;
	object *dict = python->PyDict_New(), *self = python->PyCapsule_New(native, 0, 0);
	if (!dict || !self) return 0;
	define(native, dict, self, "layout", layout, METH_O);
	define(native, dict, self, "referents", referents, METH_O);
	define(native, dict, self, "seal", seal, METH_FASTCALL);
	define(native, dict, self, "start", start, METH_FASTCALL);
	define(native, dict, self, "hide", hide, METH_O);
	define(native, dict, self, "claim", claim, METH_O);
	define(native, dict, self, "has", has, METH_O);
	define(native, dict, self, "enter", enter, METH_O);
	define(native, dict, self, "open", open, METH_FASTCALL);
	define(native, dict, self, "drain", drain_open, METH_NOARGS);
	define(native, dict, self, "close", close_frontier, METH_NOARGS);
	define(native, dict, self, "tally", tally, METH_NOARGS);
	define(native, dict, self, "largest", largest, METH_NOARGS);
	define(native, dict, self, "tracked", tracked, METH_NOARGS);
	define(native, dict, self, "instances", instances, METH_O);
	define(native, dict, self, "unreached", unreached, METH_NOARGS);
	define(native, dict, self, "split", split_unreached, METH_NOARGS);
	define(native, dict, self, "group", group, METH_O);
	define(native, dict, self, "entry_types", entry_types, METH_FASTCALL);
	define(native, dict, self, "pools", count_pools, METH_O);
	define(native, dict, self, "number", number_objects, METH_NOARGS);
	define(native, dict, self, "number_of", number_of_object, METH_O);
	define(native, dict, self, "kinds", tell_kinds, METH_NOARGS);
	define(native, dict, self, "tell", tell_records, METH_NOARGS);
	define(native, dict, self, "references", told_references, METH_NOARGS);
	return dict;
}
