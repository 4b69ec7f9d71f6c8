/* What the parts of the emulated machine's only program share. No C library, so that a cross compiler is all it takes. */
#ifndef PYHEAP_MACHINE_H
#define PYHEAP_MACHINE_H
#include "../../../src/stub/service.h"
#include "../../../src/stub/syscalls.h"

#define SYS_read 63
#define SYS_ppoll 73
#define SYS_ptrace 117
#define SYS_kill 129
#define SYS_sigaltstack 132
#define SYS_reboot 142
#define SYS_getppid 173
#define SIGTRAP 5
#define SIGUSR1 10
#define SIGTERM 15
#define SA_SIGINFO_NODEFER 0x40000004
#define WALL 0x40000000

extern char stub[];
extern int spoil_registers(void);

static struct inputs *in;
static struct exchange *exchange = (struct exchange *)0x500000000;
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

static i64 start_child(void) { return raw_syscall(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0); }

/* How a child ended, as wait4 tells it. */
static int end_of(i64 pid)
{
	int status = -1;
	raw_syscall(SYS_wait4, pid, (i64)&status, WALL, 0, 0);
	return status;
}

static void fill_inputs(void)
{
	in = (struct inputs *)(stub + INPUTS);
	in->exchange = (u64)exchange;
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
	set_handler(SIGUSR1, on_signal);
}
#endif
