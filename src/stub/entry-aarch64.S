/*
 * The ways in and the clone on aarch64, where the registers matter; entry-x86_64.S is its pair. UNTESTED ON REAL MACHINES:
 * the tests run it in an emulated one with a real kernel, and the daemon refuses processes of this architecture.
 *
 * pyheap_interrupt_entry is entered by setting pc, and pc alone, of a stopped thread whose sp is a multiple of 16. Other
 * than on x86-64 a debugger sees a system call that is to be restarted as already taken back: pc is on its `svc` again,
 * and x0 is its first argument. The kernel does nothing more when pc is another afterwards, so that the entry is met
 * exactly. `return_to` is pc and `processor_state` is pstate, as the debugger saw both.
 *
 * No jump goes back to just anywhere without a register to hold where to, so the code goes back as a signal handler
 * does: it keeps everything in a signal frame, and rt_sigreturn restores that, pc, pstate and the signal mask at once.
 * It has to be known before a thread is sent here that
 * - rt_sigreturn forgets what restart_syscall would go on with, so the call is made anew. That is the same where the
 *   kernel keeps the time that is left in memory (ppoll, pselect6) or the time is absolute; the thread must not be in
 *   nanosleep, clock_nanosleep with a relative time, futex with FUTEX_WAIT and a time, or restart_syscall itself;
 * - the frame has no SVE and no SME record. What these add to q0 to q31 does not outlive a system call anyway, except ZA:
 *   only threads in system calls may be sent here where there is SVE, and none of a process that uses SME;
 * - rt_sigreturn ends a process with a guarded control stack, whose signal frames have a token there.
 */
#include "service.h"
#define SYS_clone 220
#define SYS_exit_group 94
#define SYS_mmap 222
#define SYS_rt_sigpending 136
#define SYS_rt_sigprocmask 135
#define SYS_rt_sigreturn 139
#define SYS_sigaltstack 132

/* struct rt_sigframe: siginfo, which rt_sigreturn does not read; ucontext; in it sigcontext, in it records. */
#define PENDING_MASK 0
#define STACK (128 + 16)
#define MASK (128 + 40)
#define CONTEXT (128 + 176)
#define REGISTERS (CONTEXT + 8)
#define SP (CONTEXT + 256)
#define PC (CONTEXT + 264)
#define PSTATE (CONTEXT + 272)
#define FPSIMD (CONTEXT + 288)
#define FPSIMD_MAGIC 0x46508001
#define FPSIMD_BYTES (16 + 32 * 16)
#define END (FPSIMD + FPSIMD_BYTES)
#define FRAME_BYTES (END + 16)

	.text

	.globl pyheap_pending_entry /* int f(void *), for Py_AddPendingCall */
	.balign 16
pyheap_pending_entry:
	hint 34 /* bti c: the page may be guarded */
	adr x0, pyheap_inputs
	mov w1, 1
	b pyheap_pending

/*
 * i64 clone_twice(struct exchange *): 1 in the service, 0 in the snapshot; see entry-x86_64.S. A system call changes
 * nothing but x0, so the intermediate, which shares the suspended service's stack, does without one.
 */
	.globl clone_twice
	.hidden clone_twice
clone_twice:
	mov x9, x0
	mov x0, 0x4100 /* CLONE_UNTRACED | CLONE_VFORK | CLONE_VM */
	movk x0, 0x80, lsl 16
	mov x1, xzr
	mov x2, xzr
	mov x3, xzr
	mov x4, xzr
	mov x8, SYS_clone
	svc 0
	cbz x0, 1f
	str x0, [x9, EXCHANGE_INTERMEDIATE]
	mov x0, 1
	ret
1:	mov x0, 0x800000
	svc 0
	cbz x0, 2f
	str x0, [x9, EXCHANGE_CHILD]
	mov x0, xzr
	mov x8, SYS_exit_group
	svc 0
	udf 0
2:	ret

	.balign 16
	.globl pyheap_interrupt_entry
pyheap_interrupt_entry:
	hint 38 /* bti jc: the thread may have been stopped behind an indirect branch */
	sub sp, sp, FRAME_BYTES /* there is no red zone: the kernel puts signal frames here too */
	stp x0, x1, [sp, REGISTERS]
	add x0, sp, REGISTERS
	stp x2, x3, [x0, 2 * 8]
	stp x4, x5, [x0, 4 * 8]
	stp x6, x7, [x0, 6 * 8]
	stp x8, x9, [x0, 8 * 8]
	stp x10, x11, [x0, 10 * 8]
	stp x12, x13, [x0, 12 * 8]
	stp x14, x15, [x0, 14 * 8]
	stp x16, x17, [x0, 16 * 8]
	stp x18, x19, [x0, 18 * 8]
	stp x20, x21, [x0, 20 * 8]
	stp x22, x23, [x0, 22 * 8]
	stp x24, x25, [x0, 24 * 8]
	stp x26, x27, [x0, 26 * 8]
	stp x28, x29, [x0, 28 * 8]
	str x30, [x0, 30 * 8]
	add x1, sp, FRAME_BYTES
	str x1, [sp, SP]
	add x0, sp, FPSIMD
	ldr w1, 9f
	mov w2, FPSIMD_BYTES
	stp w1, w2, [x0]
	mrs x1, fpsr
	mrs x2, fpcr
	stp w1, w2, [x0, 8]
	stp q0, q1, [x0, 16 + 0 * 16]
	stp q2, q3, [x0, 16 + 2 * 16]
	stp q4, q5, [x0, 16 + 4 * 16]
	stp q6, q7, [x0, 16 + 6 * 16]
	stp q8, q9, [x0, 16 + 8 * 16]
	stp q10, q11, [x0, 16 + 10 * 16]
	stp q12, q13, [x0, 16 + 12 * 16]
	stp q14, q15, [x0, 16 + 14 * 16]
	stp q16, q17, [x0, 16 + 16 * 16]
	stp q18, q19, [x0, 16 + 18 * 16]
	stp q20, q21, [x0, 16 + 20 * 16]
	stp q22, q23, [x0, 16 + 22 * 16]
	stp q24, q25, [x0, 16 + 24 * 16]
	stp q26, q27, [x0, 16 + 26 * 16]
	stp q28, q29, [x0, 16 + 28 * 16]
	stp q30, q31, [x0, 16 + 30 * 16]
	str xzr, [sp, END] /* no more records */

	mov x0, -1
	str x0, [sp, PENDING_MASK]
	mov x0, 2 /* SIG_SETMASK: no handler runs between here and the end */
	mov x1, sp
	add x2, sp, MASK
	mov x3, 8
	mov x8, SYS_rt_sigprocmask
	svc 0
	mov x0, xzr
	add x1, sp, STACK /* for rt_sigreturn sets it as well */
	mov x8, SYS_sigaltstack
	svc 0
	adr x19, pyheap_inputs
	ldp x1, x20, [x19, INPUT_RETURN_TO]
	str x1, [sp, PC]
	ldr x1, [x19, INPUT_PROCESSOR_STATE]
	str x1, [sp, PSTATE]
	ldp x21, x1, [x19, INPUT_EXCHANGE]
	cbz x1, 1f
	mov x0, x21 /* mmap, private and anonymous, at this very address or not at all */
	mov x2, 3
	mov x3, 0x22
	movk x3, 0x10, lsl 16
	mov x4, -1
	mov x5, xzr
	mov x8, SYS_mmap
	svc 0
	cmp x0, x21
	bne 3f /* there is no room: back at once */
1:	mov x0, x19
	mov x29, xzr /* a walk over the frames ends here */
	bl pyheap_interrupted
	mov w0, 1
	str w0, [x21, EXCHANGE_LEFT] /* all but what follows, which needs nothing but its own stack */
3:	cbz x20, 4f
	str xzr, [sp, PENDING_MASK] /* has a signal come in meanwhile that the thread does not block itself? */
	mov x0, sp
	mov x1, 8
	mov x8, SYS_rt_sigpending
	svc 0
	ldr x0, [sp, PENDING_MASK]
	ldr x1, [sp, MASK]
	bics xzr, x0, x1
	beq 4f
	mov x0, -4 /* then the call ends with EINTR, so that the interpreter looks at its signals */
	str x0, [sp, REGISTERS]
	ldr x0, [sp, PC]
	add x0, x0, 4
	str x0, [sp, PC]
4:	mov x8, SYS_rt_sigreturn
	svc 0
	udf 0

	.balign 4
9:	.word FPSIMD_MAGIC

	.section .inputs, "ax", @progbits /* behind everything else; the daemon writes struct inputs here */
	.balign 8
	.globl pyheap_inputs
pyheap_inputs:
	.section .note.GNU-stack, "", @progbits
