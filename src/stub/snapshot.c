/*
 * The native code that is placed into a service, and then runs in the snapshot. It is position independent, keeps no
 * state but the request block, allocates nothing in the service and runs no Python there.
 *
 *   in the service                                         in the snapshot (a copy-on-write child)
 *   pyheap_pending: the interpreter calls it at a          become_snapshot: no signals, no descriptors, a pipe;
 *     safe point, or pyheap_rest from a thread that          waits for the daemon's go; sandbox; collects what
 *     rests in a system call                                 only exists before the fork clean-up; runs the payload
 */
#include "snapshot.h"

#define EXPORT __attribute__((visibility("default"), used))
#define INTERNAL static __attribute__((noinline))

/* entry-*.S */
extern i64 raw_syscall(i64 nr, i64 a, i64 b, i64 c, i64 d, i64 e);
extern i64 clone_twice(struct request *);

#include "syscalls.h"

#define SIG_SETMASK 2
#define WRITE_END 11 /* the payload writes here; the daemon reads /proc/SNAPSHOT/fd/10 */
#define READ_END 10
#define FILE_INPUT 257 /* Py_file_input */

static u64 monotonic_ns(void)
{
	i64 now[2] = {0, 0};
	raw_syscall(SYS_clock_gettime, 1, (i64)now, 0, 0, 0);
	return (u64)now[0] * 1000000000ul + (u64)now[1];
}

static void set_mask(u64 *mask, u64 *old)
{
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (i64)mask, (i64)old, 8, 0);
}

static void __attribute__((noreturn)) leave(int code)
{
	for (;;) raw_syscall(SYS_exit_group, code, 0, 0, 0, 0);
}

/* ---------------------------------------------------------------- in the snapshot */

static object *type_of(object *o) { return ((object **)o)[1]; }

/*
 * Local variables as a dict of their own, or NULL. Only the two types that copy without running Python are accepted:
 * exec() takes any mapping for locals.
 */
INTERNAL object *copy_locals(struct request *r, object *frame)
{
	object *locals = r->PyObject_GetAttrString(frame, "f_locals");
	object *copy = 0;
	if (locals && type_of(locals) == r->PyDict_Type) copy = r->PyDict_Copy(locals);
	else if (locals && r->PyFrameLocalsProxy_Type && type_of(locals) == r->PyFrameLocalsProxy_Type)
		copy = r->PyObject_CallMethod(locals, "copy", 0);
	if (!copy) r->PyErr_Clear();
	return copy;
}

/* [thread ident, frame, code, line, locals] for every running frame from `frame` outwards. */
INTERNAL void record_stack(struct request *r, object *records, object *ident, object *frame)
{
	while (frame && frame != r->Py_None) {
		object *code = r->PyObject_GetAttrString(frame, "f_code");
		object *line = r->PyObject_GetAttrString(frame, "f_lineno");
		object *locals = copy_locals(r, frame);
		object *record = r->PyList_New(0);
		if (!record) break;
		r->PyList_Append(record, ident);
		r->PyList_Append(record, frame);
		r->PyList_Append(record, code ? code : r->Py_None);
		r->PyList_Append(record, line ? line : r->Py_None);
		r->PyList_Append(record, locals ? locals : r->Py_None);
		r->PyList_Append(records, record);
		frame = r->PyObject_GetAttrString(frame, "f_back");
	}
	r->PyErr_Clear();
}

/*
 * Keeps the other threads' dicts alive, which hold their threading.local values. PyThreadState has another layout in
 * every version: the dict's offset is found by looking for our own.
 */
INTERNAL void keep_thread_dicts(struct request *r, object *keep)
{
	if (!r->PyThreadState_GetDict || !r->PyThreadState_Get || !r->PyInterpreterState_Main ||
	    !r->PyInterpreterState_ThreadHead || !r->PyThreadState_Next) return;
	u64 own = (u64)r->PyThreadState_GetDict();
	u64 *state = r->PyThreadState_Get();
	int at = 4;
	while (at < 40 && state[at] != own) at++;
	if (!own || at == 40) return;
	state = r->PyInterpreterState_ThreadHead(r->PyInterpreterState_Main());
	for (int n = 0; state && n < 10000; n++, state = r->PyThreadState_Next(state)) {
		object *dict = (object *)state[at];
		if (dict && ((u64)dict & 7) == 0 && type_of(dict) == r->PyDict_Type) r->PyList_Append(keep, dict);
	}
}

/*
 * What PyOS_AfterFork_Child would destroy: [records of all running frames, copy of threading._active, thread dicts].
 * Everything here is C inside the interpreter; no bytecode runs, so a pending request to drop the GIL is not seen.
 */
INTERNAL object *collect(struct request *r, object *modules)
{
	object *result = r->PyList_New(0), *records = r->PyList_New(0), *keep = r->PyList_New(0);
	object *sys = r->PyDict_GetItemString(modules, "sys");
	object *frames = sys ? r->PyObject_CallMethod(sys, "_current_frames", 0) : 0;
	object *ident, *frame;
	i64 position = 0;
	while (frames && type_of(frames) == r->PyDict_Type && r->PyDict_Next(frames, &position, &ident, &frame))
		record_stack(r, records, ident, frame);
	r->PyErr_Clear();
	object *threading = r->PyDict_GetItemString(modules, "threading");
	object *active = threading ? r->PyObject_GetAttrString(threading, "_active") : 0;
	if (active && type_of(active) == r->PyDict_Type) active = r->PyDict_Copy(active);
	r->PyErr_Clear();
	keep_thread_dicts(r, keep);
	r->PyList_Append(result, records);
	r->PyList_Append(result, active ? active : r->Py_None);
	r->PyList_Append(result, keep);
	return result;
}

INTERNAL void hold_import_lock(struct request *r, object *modules)
{
	object *imp = r->PyDict_GetItemString(modules, "_imp");
	if (!imp || !r->PyObject_CallMethod(imp, "acquire_lock", 0)) leave(4);
}

/*
 * The payload sees nothing of the service's __main__, and leaves nothing there. The collector is switched off before it
 * begins, for a collection would cure the heap of what it is to find; before 3.10 the payload does so itself.
 */
INTERNAL int run_payload(struct request *r, object *modules, object *snapshot)
{
	object *globals = r->PyDict_New(), *request = r->PyDict_New();
	if (!globals || !request) return 1;
	if (r->PyGC_Disable && r->PyGC_Disable()) r->PyDict_SetItemString(request, "gcEnabled", r->Py_True);
	r->PyDict_SetItemString(globals, "__builtins__", r->PyDict_GetItemString(modules, "builtins"));
	r->PyDict_SetItemString(globals, "SNAPSHOT", snapshot);
	r->PyDict_SetItemString(globals, "REQUEST", request);
	return r->PyRun_String((const char *)r->payload, FILE_INPUT, globals, globals) ? 0 : 1;
}

static char *put_number(char *to, const char *name, u64 value)
{
	char digits[20];
	int n = 0;
	while (*name) *to++ = *name++;
	do digits[n++] = (char)('0' + value % 10); while (value /= 10);
	while (n) *to++ = digits[--n];
	return to;
}

/* glibc's view of its heap, last: a lock held by a thread that is gone can stop it, and by now nothing is lost. */
INTERNAL void tell_malloc(struct request *r)
{
	u64 info[10];
	char line[256], *end = line;
	if (!r->mallinfo2) return;
	r->mallinfo2(info);
	end = put_number(end, "{\"kind\":\"malloc\",\"arenaBytes\":", info[0]);
	end = put_number(end, ",\"mmappedBytes\":", info[4]);
	end = put_number(end, ",\"inUseBytes\":", info[7]);
	end = put_number(end, ",\"freeBytes\":", info[8]);
	*end++ = '}';
	*end++ = '\n';
	raw_syscall(SYS_write, WRITE_END, (i64)line, end - line, 0, 0);
}

/* Nothing may stay open: no listening socket, no lock file, no pipe of the service. */
INTERNAL void close_everything(void)
{
	if (raw_syscall(SYS_close_range, 0, 0xffffffffl, 0, 0, 0) >= 0) return;
	for (int fd = 0; fd < 1 << 16; fd++) raw_syscall(SYS_close, fd, 0, 0, 0, 0); /* Linux < 5.9 */
}

INTERNAL void open_pipe(struct request *r)
{
	if (raw_syscall(SYS_pipe2, (i64)r->pipe, 0, 0, 0, 0) < 0) leave(2);
	raw_syscall(SYS_dup3, r->pipe[0], READ_END, 0, 0, 0);
	raw_syscall(SYS_dup3, r->pipe[1], WRITE_END, 0, 0, 0);
	raw_syscall(SYS_close, r->pipe[0], 0, 0, 0, 0);
	raw_syscall(SYS_close, r->pipe[1], 0, 0, 0, 0);
}

INTERNAL void await_go(struct request *r)
{
	i64 millisecond[2] = {0, 1000000};
	__atomic_store_n(&r->ready, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&r->go, __ATOMIC_ACQUIRE)) raw_syscall(SYS_nanosleep, (i64)millisecond, 0, 0, 0, 0);
}

/* No core file, no new rights, no system call but memory, time, own pipe and exit. No sandbox, no census. */
INTERNAL void enter_sandbox(struct request *r)
{
	raw_syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 0, 0, 0, 0);
	raw_syscall(SYS_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0);
	r->sandbox = raw_syscall(SYS_prctl, 22 /* PR_SET_SECCOMP */, 2, (i64)r->filter, 0, 0);
	if (r->sandbox < 0) leave(3);
}

INTERNAL void __attribute__((noreturn)) become_snapshot(struct request *r)
{
	u64 default_action[4] = {0, 0, 0, 0};
	raw_syscall(SYS_rt_sigaction, 15 /* SIGTERM */, (i64)default_action, 0, 8, 0);
	raw_syscall(SYS_rt_sigaction, 14 /* SIGALRM */, (i64)default_action, 0, 8, 0);
	i64 timer[4] = {0, 0, r->alarm_seconds, 0};
	raw_syscall(SYS_setitimer, 0, (i64)timer, 0, 0, 0);
	set_mask(&r->child_mask, 0);
	raw_syscall(SYS_prctl, 15 /* PR_SET_NAME */, (i64) "pyheap-snapshot", 0, 0, 0);
	close_everything();
	open_pipe(r);
	r->stage = 1;
	await_go(r);
	enter_sandbox(r);
	r->stage = 2;
	object *modules = r->PyImport_GetModuleDict();
	object *snapshot = collect(r, modules);
	r->stage = 3;
	if (r->flags & AFTER_FORK) {
		if (r->flags & IMPORT_LOCK) hold_import_lock(r, modules);
		r->PyOS_AfterFork_Child();
	}
	r->stage = 4;
	int failed = run_payload(r, modules, snapshot);
	r->stage = 5;
	tell_malloc(r);
	leave(failed);
}

/* ---------------------------------------------------------------- in the service */

/* A pending call: the GIL is held and the interpreter is between two bytecodes. Returns 0, as it must. */
EXPORT int pyheap_pending(struct request *r, int queued)
{
	u32 armed = ARMED;
	if (queued) __atomic_add_fetch(&r->entered, 1, __ATOMIC_RELAXED);
	if (!__atomic_compare_exchange_n(&r->state, &armed, TAKEN, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return 0;
	set_mask(&r->full_mask, &r->saved_mask);
	r->clone_began = monotonic_ns();
	if (clone_twice(r) == 0) become_snapshot(r);
	while (r->intermediate > 0 &&
	       raw_syscall(SYS_wait4, r->intermediate, 0, 0x40000000 /* __WALL */, 0, 0) == -4 /* EINTR */) {}
	r->clone_ended = monotonic_ns();
	set_mask(&r->saved_mask, 0);
	__atomic_store_n(&r->state, DONE, __ATOMIC_RELEASE);
	return 0;
}

/* From a thread at rest, which holds no lock and may not hold the GIL. */
EXPORT void pyheap_rest(struct request *r)
{
	if (__atomic_load_n(&r->state, __ATOMIC_ACQUIRE) != ARMED || !r->Py_IsInitialized()) return;
	if ((r->flags & IF_GIL_IS_FREE) && r->GIL_holder()) return;
	int gil = r->PyGILState_Ensure();
	pyheap_pending(r, 0);
	r->PyGILState_Release(gil);
}
