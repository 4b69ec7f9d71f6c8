/* The layout of objects and types of CPython 3.8 to 3.14 on 64 bits; src/payload/native.py compares it with Python's. */
#ifndef PYHEAP_OBJECT_H
#define PYHEAP_OBJECT_H
#include "python.h"

typedef int (*visitor)(object *, void *);
typedef int (*traverser)(object *, visitor, void *);

#define HAS_GC (1ul << 14)
#define METH_NOARGS 4

static inline u64 word_at(const object *o, int offset) { return *(const u64 *)((const char *)o + offset); }
static inline object *type_of(const object *o) { return (object *)word_at(o, 8); }
static inline u32 refcount_of(const object *o) { return (u32)word_at(o, 0); }
static inline u64 basicsize_of(const object *type) { return word_at(type, 32); }
static inline u64 itemsize_of(const object *type) { return word_at(type, 40); }
static inline u64 flags_of(const object *type) { return word_at(type, 168); }
static inline traverser traverse_of(const object *type) { return (traverser)word_at(type, 184); }

/* What the types themselves use to tell that one of their instances has no collector's header, as static types. */
static inline int (*is_gc_of(const object *type))(object *) { return (int (*)(object *))word_at(type, 328); }

typedef object *(*no_arguments)(object *, object *);

/* The C function behind a `__sizeof__` that takes no arguments, or 0. */
static inline no_arguments sizeof_function(const object *method_descriptor)
{
	const u64 *definition = (const u64 *)word_at(method_descriptor, 40);
	const char *wanted = "__sizeof__", *name;
	if (!definition || ((u64)definition & 7)) return 0;
	name = (const char *)definition[0];
	for (int n = 0; n < 11; n++)
		if (name[n] != wanted[n]) return 0;
	return (u32)definition[2] == METH_NOARGS ? (no_arguments)definition[1] : 0;
}
#endif
