/* A process that waits in a system call is stopped with ptrace and sent through the stub by writing pc, as gdb does. */
#ifndef PYHEAP_DEBUGGER_H
#define PYHEAP_DEBUGGER_H
#include "machine.h"

#define PTRACE_POKEDATA 5
#define PTRACE_ATTACH 16
#define PTRACE_DETACH 17
#define PTRACE_GETREGSET 0x4204
#define PTRACE_SETREGSET 0x4205
#define SVC 0xd4000001u
#define MAP_SHARED_ANONYMOUS_FIXED 0x31

struct user {
	u64 x[31], sp, pc, pstate;
};

static void pause_a_moment(void)
{
	i64 moment[2] = {0, 20000000};
	raw_syscall(SYS_nanosleep, (i64)moment, 0, 0, 0, 0);
}

static void registers_of(i64 pid, int request, struct user *user)
{
	u64 vector[2] = {(u64)user, sizeof *user};
	raw_syscall(SYS_ptrace, request, pid, 1 /* NT_PRSTATUS */, (i64)vector, 0);
}

static void poke(i64 pid, u64 *to, u64 value) { raw_syscall(SYS_ptrace, PTRACE_POKEDATA, pid, (i64)to, (i64)value, 0); }

/* Stops a child where it waits in a system call: the stop takes it back onto the call's instruction. */
static void stop_in(i64 pid, i64 call, struct user *user)
{
	for (;;) {
		raw_syscall(SYS_ptrace, PTRACE_ATTACH, pid, 0, 0, 0);
		end_of(pid);
		registers_of(pid, PTRACE_GETREGSET, user);
		if (*(u32 *)user->pc == SVC && (i64)user->x[8] == call) return;
		raw_syscall(SYS_ptrace, PTRACE_DETACH, pid, 0, 0, 0);
		pause_a_moment();
	}
}

static void send_through_stub(i64 pid, i64 call)
{
	struct user user;
	stop_in(pid, call, &user);
	poke(pid, &in->return_to, user.pc);
	poke(pid, &in->restarts, 1);
	poke(pid, &in->processor_state, user.pstate);
	poke(pid, (u64 *)&in->pid, (u64)pid | (u64)60 << 32 /* alarm_seconds */);
	exchange->left = 0;
	exchange->state = ARMED;
	user.pc = (u64)stub + INTERRUPT_ENTRY;
	registers_of(pid, PTRACE_SETREGSET, &user);
	raw_syscall(SYS_ptrace, PTRACE_DETACH, pid, 0, 0, 0);
	while (!__atomic_load_n(&exchange->left, __ATOMIC_ACQUIRE)) pause_a_moment();
}

/* A child that makes one system call and ends with its answer; -EINTR is 252. */
static i64 child_in(i64 call, i64 first)
{
	static char buffer[8];
	i64 pid = start_child();
	if (pid) return pid;
	leave((int)raw_syscall(call, first, call == SYS_read ? (i64)buffer : 0, call == SYS_read ? 8 : 0, 0, 0) & 0xff);
}

/* Its pipe is written to after it has been cloned while it read from it. */
static void test_clone(void)
{
	int pipe[2];
	raw_syscall(SYS_pipe2, (i64)pipe, 0, 0, 0, 0);
	i64 pid = child_in(SYS_read, pipe[0]);
	send_through_stub(pid, SYS_read);
	say("cloned-by-debugger", exchange->child > 0 && exchange->intermediate > 0);
	while (!__atomic_load_n(&exchange->ready, __ATOMIC_ACQUIRE)) pause_a_moment();
	say("snapshot-is-ready", exchange->workspace > 0 && exchange->code > 0);
	raw_syscall(SYS_kill, exchange->child, SIGTERM, 0, 0, 0);
	say("snapshot-ends-by", end_of(exchange->child)); /* it has been handed to init, which is here */
	raw_syscall(SYS_write, pipe[1], (i64)"five!", 5, 0, 0);
	say("read-after-snapshot", end_of(pid) >> 8);
}

/* A signal after it went through the stub, and one while it was in there. */
static void test_signals(void)
{
	in->task = REAP;
	i64 pid = child_in(SYS_ppoll, 0);
	send_through_stub(pid, SYS_ppoll);
	raw_syscall(SYS_ptrace, PTRACE_ATTACH, pid, 0, 0, 0);
	say("still-waits", end_of(pid) == 0x137f);
	raw_syscall(SYS_ptrace, PTRACE_DETACH, pid, 0, 0, 0);
	raw_syscall(SYS_kill, pid, SIGUSR1, 0, 0, 0);
	say("ppoll-after-signal", end_of(pid) >> 8);
	in->task = SAFE_POINT;
	in->flags = OWN_CHILD;
	signals_itself = 1;
	pid = child_in(SYS_ppoll, 0);
	send_through_stub(pid, SYS_ppoll);
	say("ppoll-with-signal-in-stub", end_of(pid) >> 8);
}

static void test_debugger(void)
{
	raw_syscall(SYS_mmap, (i64)exchange, 0x4000, 3, MAP_SHARED_ANONYMOUS_FIXED, -1);
	fill_inputs();
	in->task = SAFE_POINT;
	in->alarm_seconds = 60;
	test_clone();
	test_signals();
}
#endif
