/*
 * Sends a thread through the aarch64 stub, by a signal handler that rewrites pc as a debugger would, and prints what came
 * of it: `name value` a line, which emulated.test.ts compares. No C library, so that a cross compiler is all it takes.
 */
#include "../../../src/stub/service.h"
#include "../../../src/stub/syscalls.h"

#define SYS_kill 129
#define SYS_sigaltstack 132
#define SYS_getppid 173
#define SIGTRAP 5
#define SIGUSR1 10
#define SA_SIGINFO_NODEFER 0x40000004
#define PATTERN 0x0123456789abcdeful

struct registers {
	u64 x[31], nzcv, fpcr, fpsr, q[64];
};
struct context { /* from the start of a signal's ucontext */
	u64 before[5], mask, unused[16], fault_address, x[31], sp, pc, pstate;
};

extern char stub[], trap[], restarted_call[];
extern void through_trap(struct registers *);
extern int spoil_registers(void);

static struct inputs *in;
static struct exchange *exchange = (struct exchange *)0x500000000;
static struct registers expected, got;
static int handled, handled_before_end, signals_itself;

static void say(const char *name, i64 value)
{
	char digits[24];
	int n = 0;
	u64 rest = value < 0 ? (u64)-value : (u64)value;
	while (name[n]) n++;
	raw_syscall(SYS_write, 1, (i64)name, n, 0, 0);
	n = sizeof digits;
	digits[--n] = '\n';
	do digits[--n] = (char)('0' + rest % 10); while (rest /= 10);
	if (value < 0) digits[--n] = '-';
	digits[--n] = ' ';
	raw_syscall(SYS_write, 1, (i64)(digits + n), (i64)sizeof digits - n, 0, 0);
}

static void on_trap(int signal, void *info, struct context *context)
{
	(void)signal, (void)info;
	in->return_to = in->restarts ? (u64)restarted_call : (u64)trap + 4;
	in->processor_state = context->pstate;
	context->pc = (u64)stub + INTERRUPT_ENTRY;
}

static void on_signal(int signal)
{
	(void)signal;
	handled++;
	handled_before_end = !exchange->left;
}

static void set_handler(int signal, void *handler)
{
	u64 action[4] = {(u64)handler, SA_SIGINFO_NODEFER, 0, 0};
	raw_syscall(SYS_rt_sigaction, signal, (i64)action, 0, 8, 0);
}

/* The interpreter's functions, which use what a function may use. */
static int is_initialized(void) { return spoil_registers(); }
static void release(int gil) { (void)gil, spoil_registers(); }
static int ensure(void)
{
	if (signals_itself) raw_syscall(SYS_kill, raw_syscall(SYS_getpid, 0, 0, 0, 0, 0), SIGUSR1, 0, 0, 0);
	return spoil_registers();
}
static int add_pending_call(int (*function)(void *), void *argument)
{
	exchange->state = ARMED;
	return function(argument) + 40 + spoil_registers();
}

/* How many of the registers the trap and the stub have changed; x0 is left out where a system call's result is in it. */
static int differences(void)
{
	int count = 0;
	for (u64 n = 0; n < sizeof got / 8; n++) ((u64 *)&got)[n] = ((u64 *)&expected)[n];
	through_trap(&got);
	for (u64 n = in->restarts; n < sizeof got / 8; n++) count += ((u64 *)&got)[n] != ((u64 *)&expected)[n];
	return count;
}

static void fill(void)
{
	for (int n = 0; n < 31; n++) expected.x[n] = PATTERN * (u64)(n + 3);
	for (int n = 0; n < 64; n++) expected.q[n] = PATTERN * (u64)(n + 77);
	expected.x[8] = SYS_getppid;
	expected.nzcv = 0x90000000; /* negative, overflow */
	expected.fpcr = 0x00c00000; /* round towards zero */
	expected.fpsr = 0x00000011; /* inexact, invalid */
}

static void errand(const char *name, enum task task)
{
	in->task = task;
	exchange->left = 0;
	exchange->state = ARMED;
	say(name, differences());
}

__attribute__((noreturn)) void start(u64 *stack)
{
	static char other_stack[8192];
	u64 set[3] = {(u64)other_stack, 0, sizeof other_stack}, after[3] = {0, 0, 0}, blocked = 1ul << 33, mask = 0;
	(void)stack;
	in = (struct inputs *)(stub + INPUTS);
	set_handler(SIGTRAP, on_trap);
	set_handler(SIGUSR1, on_signal);
	raw_syscall(SYS_sigaltstack, (i64)set, 0, 0, 0, 0);
	raw_syscall(SYS_rt_sigprocmask, 0, (i64)&blocked, 0, 8, 0);
	fill();
	in->exchange = (u64)exchange;
	in->exchange_bytes = 0x4000;
	in->pid = (u32)raw_syscall(SYS_getpid, 0, 0, 0, 0, 0);
	in->reap = 1 << 30;
	in->pending_entry = (int (*)(void *))(stub + PENDING_ENTRY);
	in->Py_IsInitialized = is_initialized;
	in->PyGILState_Ensure = ensure;
	in->PyGILState_Release = release;
	in->Py_AddPendingCall = add_pending_call;
	in->workspace_bytes = in->code_bytes = 4096;
	in->room = (u64)exchange + 0x100000;
	in->room_data_bytes = in->room_code_bytes = 4096;

	in->task = REAP; /* the first errand, which maps the exchange as well */
	say("registers-changed-by-first", differences());
	say("answer-of-reap", exchange->answer);
	say("left", exchange->left);
	exchange->left = 0;
	say("registers-changed-without-room", differences()); /* it is asked to map it once more */
	say("left-without-room", exchange->left);
	in->exchange_bytes = 0;
	errand("registers-changed-by-room", MAP_ROOM);
	say("answer-of-room", exchange->answer);
	*(u64 *)in->room = 1;
	errand("registers-changed-by-room-again", MAP_ROOM);
	say("answer-of-room-again", exchange->answer);
	errand("registers-changed-by-unmap", UNMAP_ROOM);
	say("answer-of-unmap", exchange->answer);

	errand("registers-changed-by-queue", QUEUE); /* whose pending call asks to be cloned */
	say("queued", exchange->queued);
	say("entered", exchange->entered);
	say("taken-by-queue", exchange->taken_by_queue);
	errand("registers-changed-by-clone", SAFE_POINT);
	say("intermediate", exchange->intermediate);
	in->flags = OWN_CHILD;
	errand("registers-changed-by-own-child", SAFE_POINT);
	say("child", exchange->child);

	in->restarts = 1;
	errand("registers-changed-by-restart", SAFE_POINT);
	say("restarted", (i64)got.x[0] == raw_syscall(SYS_getppid, 0, 0, 0, 0, 0));
	signals_itself = 1;
	errand("registers-changed-by-signal", SAFE_POINT);
	say("interrupted", (i64)got.x[0]);
	say("handled", handled);
	say("handled-before-end", handled_before_end);

	raw_syscall(SYS_sigaltstack, 0, (i64)after, 0, 0, 0);
	raw_syscall(SYS_rt_sigprocmask, 0, 0, (i64)&mask, 8, 0);
	say("alternate-stack-kept", after[0] == set[0] && after[1] == set[1] && after[2] == set[2]);
	say("mask-kept", mask == blocked);
	leave(0);
}
