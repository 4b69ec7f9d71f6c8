/*
 * The native code of the snapshot, a copy-on-write child of the service (see service.c). The daemon has written it into a
 * mapping that only the snapshot has, and a workspace beside it. It locks itself into a sandbox, collects what only
 * exists before the interpreter's fork clean-up, and runs the payload.
 */
#include "service.h"
#include "syscalls.h"
#include "tell.h"
#include "object.h"
#include "walker.h"

#define INTERNAL static __attribute__((noinline))
#define FILE_INPUT 257 /* Py_file_input */
#define PR_SET_DUMPABLE 4
#define PR_SET_SECCOMP 22
#define PR_SET_NO_NEW_PRIVS 38

enum workspace_flag {
	AFTER_FORK = 1, /* other threads existed and were not at rest: the interpreter must be told that they are gone */
	IMPORT_LOCK = 2, /* 3.13+: PyOS_AfterFork_Child releases the import lock, so it must be held */
	NATIVE_WALK = 4, /* the payload may use the native walker */
	KEEP_SIGNALS = 8 /* a console has handlers of its own */
};

/* At the start of the workspace; src/capture/workspace.ts holds the same offsets. */
struct workspace {
	u64 flags;           /* 0x00 enum workspace_flag */
	u64 filter[2];       /* 0x08 struct sock_fprog */
	const char *payload; /* 0x18 Python source, NUL-terminated */
	struct python python; /* 0x20 */
};
#define AT_WORKSPACE(field, offset) _Static_assert(__builtin_offsetof(struct workspace, field) == (offset), #field)
AT_WORKSPACE(flags, 0x00);
AT_WORKSPACE(filter, 0x08);
AT_WORKSPACE(payload, 0x18);
AT_WORKSPACE(python, 0x20);
#undef AT_WORKSPACE

/*
 * Local variables as a dict of their own, or NULL. Only the two types that copy without running Python are accepted:
 * exec() takes any mapping for locals.
 */
INTERNAL object *copy_locals(struct python *py, object *frame)
{
	object *locals = py->PyObject_GetAttrString(frame, "f_locals");
	object *copy = 0;
	if (locals && type_of(locals) == py->PyDict_Type) copy = py->PyDict_Copy(locals);
	else if (locals && py->PyFrameLocalsProxy_Type && type_of(locals) == py->PyFrameLocalsProxy_Type)
		copy = py->PyObject_CallMethod(locals, "copy", 0);
	if (!copy) py->PyErr_Clear();
	return copy;
}

/* [thread ident, frame, code, line, locals] for every running frame from `frame` outwards. */
INTERNAL void record_stack(struct python *py, object *records, object *ident, object *frame)
{
	while (frame && frame != py->Py_None) {
		object *code = py->PyObject_GetAttrString(frame, "f_code");
		object *line = py->PyObject_GetAttrString(frame, "f_lineno");
		object *locals = copy_locals(py, frame);
		object *record = py->PyList_New(0);
		if (!record) break;
		py->PyList_Append(record, ident);
		py->PyList_Append(record, frame);
		py->PyList_Append(record, code ? code : py->Py_None);
		py->PyList_Append(record, line ? line : py->Py_None);
		py->PyList_Append(record, locals ? locals : py->Py_None);
		py->PyList_Append(records, record);
		frame = py->PyObject_GetAttrString(frame, "f_back");
	}
	py->PyErr_Clear();
}

/*
 * Keeps the other threads' dicts alive, which hold their threading.local values. PyThreadState has another layout in
 * every version: the dict's offset is found by looking for our own.
 */
INTERNAL void keep_thread_dicts(struct python *py, object *keep)
{
	if (!py->PyThreadState_GetDict || !py->PyThreadState_Get || !py->PyInterpreterState_Main ||
	    !py->PyInterpreterState_ThreadHead || !py->PyThreadState_Next) return;
	u64 own = (u64)py->PyThreadState_GetDict();
	u64 *state = py->PyThreadState_Get();
	int at = 4;
	while (at < 40 && state[at] != own) at++;
	if (!own || at == 40) return;
	state = py->PyInterpreterState_ThreadHead(py->PyInterpreterState_Main());
	for (int n = 0; state && n < 10000; n++, state = py->PyThreadState_Next(state)) {
		object *dict = (object *)state[at];
		if (dict && ((u64)dict & 7) == 0 && type_of(dict) == py->PyDict_Type) py->PyList_Append(keep, dict);
	}
}

/*
 * [number, modules] of all interpreters but the current one. The current thread's state is told for a moment that it
 * belongs to another one: that is the third word of it in every version, which is looked up before.
 */
INTERNAL object *other_interpreters(struct python *py)
{
	object *rows = py->PyList_New(0), *other;
	if (!py->PyThreadState_Get || !py->PyInterpreterState_Head || !py->PyInterpreterState_Next) return rows;
	u64 *state = py->PyThreadState_Get();
	u64 own = state[2];
	int is_known = 0;
	for (other = py->PyInterpreterState_Head(); other; other = py->PyInterpreterState_Next(other))
		is_known |= (u64)other == own;
	if (!is_known) return rows;
	i64 number = 0;
	for (other = py->PyInterpreterState_Head(); other; other = py->PyInterpreterState_Next(other)) {
		if ((u64)other == own) continue;
		state[2] = (u64)other;
		object *modules = py->PyImport_GetModuleDict();
		state[2] = own;
		object *row = py->PyList_New(0);
		if (!row || !modules || type_of(modules) != py->PyDict_Type) continue;
		number = py->PyInterpreterState_GetID ? py->PyInterpreterState_GetID(other) : number + 1;
		py->PyList_Append(row, py->PyLong_FromSsize_t(number));
		py->PyList_Append(row, modules);
		py->PyList_Append(rows, row);
	}
	return rows;
}

/*
 * What PyOS_AfterFork_Child would destroy: [records of all running frames, copy of threading._active, thread dicts], and
 * what other interpreters hold.
 * Everything here is C inside the interpreter; no bytecode runs, so a pending request to drop the GIL is not seen.
 */
INTERNAL object *collect(struct python *py, object *modules)
{
	object *result = py->PyList_New(0), *records = py->PyList_New(0), *keep = py->PyList_New(0);
	object *sys = py->PyDict_GetItemString(modules, "sys");
	object *frames = sys ? py->PyObject_CallMethod(sys, "_current_frames", 0) : 0;
	object *ident, *frame;
	i64 position = 0;
	while (frames && type_of(frames) == py->PyDict_Type && py->PyDict_Next(frames, &position, &ident, &frame))
		record_stack(py, records, ident, frame);
	py->PyErr_Clear();
	object *threading = py->PyDict_GetItemString(modules, "threading");
	object *active = threading ? py->PyObject_GetAttrString(threading, "_active") : 0;
	if (active && type_of(active) == py->PyDict_Type) active = py->PyDict_Copy(active);
	py->PyErr_Clear();
	keep_thread_dicts(py, keep);
	py->PyList_Append(result, records);
	py->PyList_Append(result, active ? active : py->Py_None);
	py->PyList_Append(result, keep);
	py->PyList_Append(result, other_interpreters(py));
	return result;
}

INTERNAL void hold_import_lock(struct python *py, object *modules)
{
	object *imp = py->PyDict_GetItemString(modules, "_imp");
	if (!imp || !py->PyObject_CallMethod(imp, "acquire_lock", 0)) leave(4);
}

/*
 * The payload sees nothing of the service's __main__, and leaves nothing there. The collector is switched off before it
 * begins, for a collection would cure the heap of what it is to find; before 3.10 the payload does so itself.
 */
INTERNAL int run_payload(struct workspace *w, object *modules, object *snapshot, object *request)
{
	struct python *py = &w->python;
	object *globals = py->PyDict_New();
	if (!globals || !request) return 1;
	if (py->PyGC_Disable && py->PyGC_Disable()) py->PyDict_SetItemString(request, "gcEnabled", py->Py_True);
	object *native = w->flags & NATIVE_WALK ? pyheap_native(py) : 0;
	if (native) py->PyDict_SetItemString(request, "native", native);
	py->PyErr_Clear();
	py->PyDict_SetItemString(globals, "__builtins__", py->PyDict_GetItemString(modules, "builtins"));
	py->PyDict_SetItemString(globals, "SNAPSHOT", snapshot);
	py->PyDict_SetItemString(globals, "REQUEST", request);
	return py->PyRun_String(w->payload, FILE_INPUT, globals, globals) ? 0 : 1;
}

/* What the payload has left to do that would spoil malloc's figures. */
INTERNAL void run_afterwards(struct python *py, object *request)
{
	object *afterwards = request ? py->PyDict_GetItemString(request, "afterwards") : 0;
	if (afterwards) py->PyObject_CallFunctionObjArgs(afterwards, (object *)0);
}

/* glibc's view of its heap, late: a lock held by a thread that is gone can stop it, and by now little is lost. */
INTERNAL void tell_malloc(struct python *py)
{
	struct malloc_info info;
	char line[256], *end = line;
	if (!py->mallinfo2) return;
	info = py->mallinfo2();
	end = write_number(end, "{\"kind\":\"malloc\",\"arenaBytes\":", info.arena);
	end = write_number(end, ",\"mmappedBytes\":", info.hblkhd);
	end = write_number(end, ",\"inUseBytes\":", info.uordblks);
	end = write_number(end, ",\"freeBytes\":", info.fordblks);
	*end++ = '}';
	*end++ = '\n';
	write_all(FD_WRITE, line, (u64)(end - line));
}

/*
 * A signal that the service had noted when it was cloned, and not yet handled, would be handled here once more: its
 * handler is Python of the service's own, and may write to memory that is shared with it. So would its pending calls. The
 * interpreter runs both in its main thread alone, so it is told that this is another one. _PyRuntime names the main thread
 * by its pthread_self among its first words: the 9th to 11th in 3.8 to 3.12, the 83rd in 3.13, no other in any of them.
 */
INTERNAL void forget_signals(struct python *py)
{
#ifdef __x86_64__
	u64 self;
	__asm__("mov %%fs:0, %0" : "=r"(self));
	for (int at = 0; py->_PyRuntime && at < 128; at++)
		if (py->_PyRuntime[at] == self) {
			py->_PyRuntime[at] = ~self;
			return;
		}
#else
	(void)py;
#endif
}

/* No core file, no new rights, no system call but those that the daemon's filter allows. No sandbox, no census. */
INTERNAL void enter_sandbox(struct workspace *w)
{
	raw_syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	raw_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (raw_syscall(SYS_prctl, PR_SET_SECCOMP, 2, (i64)w->filter, 0, 0) < 0) leave(3);
}

/* Entered once, on the stack of the thread that was cloned; `stage` tells the daemon how far it came. */
EXPORT __attribute__((noreturn)) void pyheap_snapshot(struct workspace *w, struct exchange *x)
{
	struct python *py = &w->python;
	raw_syscall(SYS_close, FD_READ_BY_DAEMON, 0, 0, 0, 0); /* so that we notice when the daemon goes */
	raw_syscall(SYS_close, FD_WRITTEN_BY_DAEMON, 0, 0, 0, 0);
	enter_sandbox(w);
	x->stage = 2;
	object *modules = py->PyImport_GetModuleDict();
	object *snapshot = collect(py, modules);
	x->stage = 3;
	if (w->flags & AFTER_FORK) {
		if (w->flags & IMPORT_LOCK) hold_import_lock(py, modules);
		py->PyOS_AfterFork_Child();
	}
	if (!(w->flags & KEEP_SIGNALS)) forget_signals(py);
	x->stage = 4;
	object *request = py->PyDict_New();
	int failed = run_payload(w, modules, snapshot, request);
	x->stage = 5;
	tell_malloc(py);
	run_afterwards(py, request);
	leave(failed);
}
