/*
 * The native code of the live engine: runs Python source in the service itself, at a safe point, with the GIL held. It
 * lies in a room of its own, which is unmapped afterwards. Never part of a capture that the configuration did not ask
 * for by name.
 */
#include "types.h"

#define EXPORT __attribute__((visibility("default"), used))
#define FILE_INPUT 257 /* Py_file_input */

typedef void object;

/* The room; src/capture/room.ts holds the same offsets. The source lies behind it, then the room for the result. */
struct live {
	const char *source;  /* 0x00 NUL-terminated; it leaves bytes in RESULT */
	char *result;        /* 0x08 */
	u64 result_bytes;    /* 0x10 how much there is room for */
	i64 size;            /* 0x18 what the result has, or -1 without one */
	object *(*PyImport_GetModuleDict)(void);                       /* 0x20 */
	object *(*PyDict_GetItemString)(object *, const char *);       /* 0x28 */
	int (*PyDict_SetItemString)(object *, const char *, object *); /* 0x30 */
	object *(*PyDict_New)(void);                                   /* 0x38 */
	object *(*PyRun_String)(const char *, int, object *, object *); /* 0x40 */
	void (*PyErr_Fetch)(object **, object **, object **);          /* 0x48 */
	void (*PyErr_Restore)(object *, object *, object *);           /* 0x50 */
	void (*PyErr_Clear)(void);                                     /* 0x58 */
	char *(*PyBytes_AsString)(object *);                           /* 0x60 */
	i64 (*PyBytes_Size)(object *);                                 /* 0x68 */
	void (*Py_DecRef)(object *);                                   /* 0x70 */
};
#define AT_LIVE(field, offset) _Static_assert(__builtin_offsetof(struct live, field) == (offset), #field)
AT_LIVE(source, 0x00);
AT_LIVE(result, 0x08);
AT_LIVE(result_bytes, 0x10);
AT_LIVE(size, 0x18);
AT_LIVE(PyImport_GetModuleDict, 0x20);
AT_LIVE(Py_DecRef, 0x70);
#undef AT_LIVE

static void keep_result(struct live *l, object *bytes)
{
	i64 size = bytes ? l->PyBytes_Size(bytes) : -1;
	const char *text = size >= 0 ? l->PyBytes_AsString(bytes) : 0;
	if (!text || size > (i64)l->result_bytes) return;
	for (i64 n = 0; n < size; n++) l->result[n] = text[n];
	l->size = size;
}

/* Whatever error the thread was busy with is put back; what the source raises ends here. */
EXPORT void pyheap_live(struct live *l)
{
	object *type, *value, *trace;
	l->size = -1;
	l->PyErr_Fetch(&type, &value, &trace);
	object *modules = l->PyImport_GetModuleDict();
	object *globals = l->PyDict_New();
	object *builtins = modules ? l->PyDict_GetItemString(modules, "builtins") : 0;
	if (globals && builtins) {
		l->PyDict_SetItemString(globals, "__builtins__", builtins);
		object *done = l->PyRun_String(l->source, FILE_INPUT, globals, globals);
		if (done) keep_result(l, l->PyDict_GetItemString(globals, "RESULT"));
		if (done) l->Py_DecRef(done);
	}
	if (globals) l->Py_DecRef(globals);
	l->PyErr_Clear();
	l->PyErr_Restore(type, value, trace);
}
