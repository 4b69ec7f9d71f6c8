/*
 * The dict of functions that the payload gets; src/payload/native.py is their only caller. Everything is in one piece,
 * so that calls stay inside it.
 */
#pragma GCC optimize("O2") /* the stub around it is built for size */
#include "walker.h"
#include "heap-functions.h"
#include "walk-functions.h"

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
	struct walk walk; /* first: the functions take the state's address for it */
	struct definition definitions[FUNCTIONS];
	int defined;
};

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
