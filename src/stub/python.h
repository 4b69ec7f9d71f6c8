/*
 * CPython's functions and objects as the snapshot's code uses them: addresses that the daemon has resolved, in the order
 * of STUB_FUNCTIONS in src/capture/stub-functions.ts. Those that not every version exports may be 0.
 */
#ifndef PYHEAP_PYTHON_H
#define PYHEAP_PYTHON_H
#include "types.h"

typedef void object; /* a PyObject: only its type pointer is ever read */

/* glibc's struct mallinfo2. */
struct malloc_info {
	u64 arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

struct python {
	object *(*PyImport_GetModuleDict)(void);
	object *(*PyDict_GetItemString)(object *, const char *);
	int (*PyDict_SetItemString)(object *, const char *, object *);
	int (*PyDict_Next)(object *, i64 *, object **, object **);
	object *(*PyDict_New)(void);
	object *(*PyDict_Copy)(object *);
	object *(*PyObject_GetAttrString)(object *, const char *);
	object *(*PyObject_CallMethod)(object *, const char *, const char *, ...);
	object *(*PyList_New)(i64);
	int (*PyList_Append)(object *, object *);
	void (*PyErr_Clear)(void);
	object *(*PyRun_String)(const char *, int, object *, object *);
	void (*PyOS_AfterFork_Child)(void);
	int (*PyGC_Disable)(void); /* 3.10 */
	object *PyDict_Type;
	object *PyFrameLocalsProxy_Type; /* 3.13 */
	object *Py_None;
	object *Py_True;
	object *(*PyThreadState_GetDict)(void);
	u64 *(*PyThreadState_Get)(void);
	object *(*PyInterpreterState_Main)(void);
	u64 *(*PyInterpreterState_ThreadHead)(object *);
	u64 *(*PyThreadState_Next)(u64 *);
	struct malloc_info (*mallinfo2)(void); /* glibc 2.33 */
	object *(*PyCFunction_NewEx)(void *, object *, object *);
	object *(*PyCapsule_New)(void *, const char *, void (*)(object *));
	object *(*PyLong_FromSsize_t)(i64);
	i64 (*PyLong_AsSsize_t)(object *);
	i64 (*PyList_Size)(object *);
	object *(*PyList_GetItem)(object *, i64); /* borrowed */
	object *(*PyObject_CallFunctionObjArgs)(object *, ...);
	object *(*PyErr_Occurred)(void);
	object *(*PyErr_NoMemory)(void);
	void (*Py_DecRef)(object *);
	object *(*PyInterpreterState_Head)(void);
	object *(*PyInterpreterState_Next)(object *);
	i64 (*PyInterpreterState_GetID)(object *);
	u64 *_PyRuntime;
};
#endif
