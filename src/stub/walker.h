/* The walk over the heap in native code, which reads objects and never writes one: no reference count, no flag. */
#ifndef PYHEAP_WALKER_H
#define PYHEAP_WALKER_H
#include "python.h"

/*
 * A new dict of builtin functions that src/payload/native.py calls, or 0 with an error set. `python` must live as long
 * as they do; the caller holds the GIL, in the snapshot.
 */
object *pyheap_native(struct python *python);
#endif
