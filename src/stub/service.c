/*
 * The native code that is placed into a service: into bytes behind the end of some library's code, which the loader maps
 * because memory comes in pages, and which nothing ever runs. It is position independent, allocates nothing and runs no
 * Python. All that it does for the snapshot is done in the snapshot, by code that is never in the service: snapshot.c.
 */
#include "service.h"
#include "syscalls.h"

#define INTERNAL static __attribute__((noinline))

/* entry-*.S */
extern i64 clone_twice(struct exchange *);

#define SIG_SETMASK 2
#define ALL_SIGNALS (~0ul)
#define ALL_BUT_TERM_AND_ALRM (~(1ul << 13 | 1ul << 14))
#define EINTR_ANSWER (-4)
#define WNOHANG 1
#define WALL 0x40000000
#define PR_SET_NAME 15
#define PR_GET_CHILD_SUBREAPER 37
#define MAP_PRIVATE_ANONYMOUS 0x22
#define MAP_FIXED_NOREPLACE 0x100000
#define READ_WRITE 3
#define READ_EXECUTE 5

static u64 monotonic_ns(void)
{
	i64 now[2] = {0, 0};
	raw_syscall(SYS_clock_gettime, 1, (i64)now, 0, 0, 0);
	return (u64)now[0] * 1000000000ul + (u64)now[1];
}

static void set_mask(u64 mask, u64 *old)
{
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (i64)&mask, (i64)old, 8, 0);
}

/* ---------------------------------------------------------------- in the snapshot */

static u64 map(u64 bytes, int protection)
{
	i64 address = raw_syscall(SYS_mmap, 0, (i64)bytes, protection, MAP_PRIVATE_ANONYMOUS, -1);
	if (address < 0 && address > -4096) leave(6);
	return (u64)address;
}

/* Nothing may stay open: no listening socket, no lock file, no pipe of the service. */
INTERNAL void close_everything(void)
{
	if (raw_syscall(SYS_close_range, 0, 0xffffffffl, 0, 0, 0) >= 0) return;
	for (int fd = 0; fd < 1 << 16; fd++) raw_syscall(SYS_close, fd, 0, 0, 0, 0); /* Linux < 5.9 */
}

INTERNAL void open_pipe(int read_end, int write_end)
{
	int pipe[2];
	if (raw_syscall(SYS_pipe2, (i64)pipe, 0, 0, 0, 0) < 0) leave(2);
	raw_syscall(SYS_dup3, pipe[0], read_end, 0, 0, 0);
	raw_syscall(SYS_dup3, pipe[1], write_end, 0, 0, 0);
	raw_syscall(SYS_close, pipe[0], 0, 0, 0, 0);
	raw_syscall(SYS_close, pipe[1], 0, 0, 0, 0);
}

/* Becomes nobody's process, makes room for the daemon, and waits for it to fill that and say go. */
INTERNAL void __attribute__((noreturn)) become_snapshot(struct inputs *in, struct exchange *x)
{
	u64 default_action[4] = {0, 0, 0, 0};
	i64 timer[4] = {0, 0, in->alarm_seconds, 0};
	i64 millisecond[2] = {0, 1000000};
	raw_syscall(SYS_prctl, PR_SET_NAME, (i64)in->name, 0, 0, 0);
	raw_syscall(SYS_rt_sigaction, 15 /* SIGTERM */, (i64)default_action, 0, 8, 0);
	raw_syscall(SYS_rt_sigaction, 14 /* SIGALRM */, (i64)default_action, 0, 8, 0);
	raw_syscall(SYS_setitimer, 0, (i64)timer, 0, 0, 0);
	set_mask(ALL_BUT_TERM_AND_ALRM, 0);
	close_everything();
	open_pipe(FD_READ_BY_DAEMON, FD_WRITE);
	open_pipe(FD_READ, FD_WRITTEN_BY_DAEMON);
	raw_syscall(SYS_ioprio_set, 1, 0, 3 << 13 /* idle */, 0, 0);
	x->workspace = map(in->workspace_bytes, READ_WRITE);
	x->code = map(in->code_bytes, READ_EXECUTE);
	__atomic_store_n(&x->ready, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&x->go, __ATOMIC_ACQUIRE)) raw_syscall(SYS_nanosleep, (i64)millisecond, 0, 0, 0, 0);
	((void (*)(u64, struct exchange *))x->code)(x->workspace, x);
	leave(7);
}

/* ---------------------------------------------------------------- in the service */

/* Who would adopt the snapshot of an intermediate: itself, when it is an init or has asked to be one. */
static int adopts(struct inputs *in)
{
	int is_subreaper = 0;
	raw_syscall(SYS_prctl, PR_GET_CHILD_SUBREAPER, (i64)&is_subreaper, 0, 0, 0);
	return in->pid == 1 || is_subreaper;
}

INTERNAL void clone_service(struct inputs *in, struct exchange *x)
{
	set_mask(ALL_SIGNALS, &x->saved_mask);
	x->clone_began = monotonic_ns();
	x->own_child = (in->flags & OWN_CHILD) || adopts(in);
	if (x->own_child) {
		x->child = clone_once();
		if (x->child == 0) become_snapshot(in, x);
	} else if (clone_twice(x) == 0) become_snapshot(in, x);
	while (x->intermediate > 0 && raw_syscall(SYS_wait4, x->intermediate, 0, WALL, 0, 0) == EINTR_ANSWER) {}
	x->clone_ended = monotonic_ns();
	set_mask(x->saved_mask, 0);
}

/* A pending call: the GIL is held and the interpreter is between two bytecodes. Returns 0, as it must. */
EXPORT int pyheap_pending(struct inputs *in, int queued)
{
	struct exchange *x = (struct exchange *)in->exchange;
	u32 armed = ARMED;
	if (raw_syscall(SYS_getpid, 0, 0, 0, 0, 0) != (i64)in->pid) return 0; /* a child has inherited the queue */
	if (queued) __atomic_add_fetch(&x->entered, 1, __ATOMIC_RELAXED);
	if (!__atomic_compare_exchange_n(&x->state, &armed, TAKEN, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return 0;
	x->taken_by_queue = (u32)queued;
	if (in->live) in->live((void *)in->room);
	else clone_service(in, x);
	__atomic_store_n(&x->state, DONE, __ATOMIC_RELEASE);
	return 0;
}

/* From a thread that rests, which holds no lock and may not hold the GIL. */
INTERNAL void take_at_rest(struct inputs *in, struct exchange *x)
{
	if (__atomic_load_n(&x->state, __ATOMIC_ACQUIRE) != ARMED || !in->Py_IsInitialized()) return;
	if ((in->flags & IF_GIL_IS_FREE) && in->GIL_holder()) return;
	int gil = in->PyGILState_Ensure();
	pyheap_pending(in, 0);
	in->PyGILState_Release(gil);
}

/* 0 or -errno. */
static i64 map_at(u64 address, u64 bytes, int protection)
{
	i64 answer = raw_syscall(SYS_mmap, (i64)address, (i64)bytes, protection, MAP_PRIVATE_ANONYMOUS | MAP_FIXED_NOREPLACE, -1);
	return answer < 0 && answer > -4096 ? answer : 0;
}

/* On any thread, wherever it stood, between two of its instructions: nothing here may wait or allocate. */
EXPORT void pyheap_interrupted(struct inputs *in)
{
	struct exchange *x = (struct exchange *)in->exchange;
	u64 code = in->room + in->room_data_bytes;
	switch (in->task) {
	case SAFE_POINT:
		take_at_rest(in, x);
		break;
	case QUEUE:
		x->queued = in->Py_IsInitialized() ? in->Py_AddPendingCall(in->pending_entry, 0) : NOT_STARTED;
		break;
	case REAP:
		x->answer = raw_syscall(SYS_wait4, in->reap, 0, WALL | WNOHANG, 0, 0);
		break;
	case MAP_ROOM: /* at these very addresses or not at all */
		x->answer = map_at(in->room, in->room_data_bytes, READ_WRITE);
		if (x->answer >= 0) x->answer = map_at(code, in->room_code_bytes, READ_EXECUTE);
		break;
	case UNMAP_ROOM:
		x->answer = raw_syscall(SYS_munmap, (i64)in->room, (i64)(in->room_data_bytes + in->room_code_bytes), 0, 0, 0);
		break;
	}
}
