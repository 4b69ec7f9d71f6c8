/*
 * A thread meets a breakpoint with every register full, and its handler sends it through the stub: by rewriting pc, as a
 * debugger would.
 */
#ifndef PYHEAP_REGISTERS_H
#define PYHEAP_REGISTERS_H
#include "machine.h"

#define PATTERN 0x0123456789abcdeful

struct registers {
	u64 x[31], nzcv, fpcr, fpsr, q[64];
};
struct context { /* from the start of a signal's ucontext */
	u64 before[5], mask, unused[16], fault_address, x[31], sp, pc, pstate;
};

extern char trap[], restarted_call[];
extern void through_trap(struct registers *);

static struct registers expected, got;

static void on_trap(int signal, void *info, struct context *context)
{
	(void)signal, (void)info;
	in->return_to = in->restarts ? (u64)restarted_call : (u64)trap + 4;
	in->processor_state = context->pstate;
	context->pc = (u64)stub + INTERRUPT_ENTRY;
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

/* Prints what every errand has left behind. */
static void test_registers(void)
{
	static char other_stack[8192];
	u64 set[3] = {(u64)other_stack, 0, sizeof other_stack}, after[3] = {0, 0, 0}, blocked = 1ul << 33, mask = 0;
	fill_inputs();
	set_handler(SIGTRAP, on_trap);
	raw_syscall(SYS_sigaltstack, (i64)set, 0, 0, 0, 0);
	raw_syscall(SYS_rt_sigprocmask, 0, (i64)&blocked, 0, 8, 0);
	fill();
	in->exchange_bytes = 0x4000;

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
	say("cloned-twice", exchange->intermediate > 0 && exchange->child > 0 && !exchange->own_child);
	in->flags = OWN_CHILD;
	errand("registers-changed-by-own-child", SAFE_POINT);
	say("cloned-once", exchange->child > 0 && exchange->own_child);

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
}
#endif
