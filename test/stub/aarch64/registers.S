/* The stub as the daemon would lay it into a service: not at the start of a page, its inputs behind it. */
	.section .stub, "awx", @progbits
	.balign 4096
	.skip 0x140
	.globl stub
stub:
	.incbin "service.bin"
	.skip 256
	.balign 4096

	.section .rodata
	.macro included name, file
	.balign 8
	.globl \name
	.globl \name\()_end
\name:
	.incbin "\file"
\name\()_end:
	.endm
	included census_filter, census.bpf
	included reading_filter, reading-files.bpf

	.text
	.macro vectors instruction
	\instruction q0, q1, [x1, 0]
	\instruction q2, q3, [x1, 32]
	\instruction q4, q5, [x1, 64]
	\instruction q6, q7, [x1, 96]
	\instruction q8, q9, [x1, 128]
	\instruction q10, q11, [x1, 160]
	\instruction q12, q13, [x1, 192]
	\instruction q14, q15, [x1, 224]
	\instruction q16, q17, [x1, 256]
	\instruction q18, q19, [x1, 288]
	\instruction q20, q21, [x1, 320]
	\instruction q22, q23, [x1, 352]
	\instruction q24, q25, [x1, 384]
	\instruction q26, q27, [x1, 416]
	\instruction q28, q29, [x1, 448]
	\instruction q30, q31, [x1, 480]
	.endm
	.macro rest instruction, base /* x2 to x30 */
	\instruction x2, x3, [\base, 16]
	\instruction x4, x5, [\base, 32]
	\instruction x6, x7, [\base, 48]
	\instruction x8, x9, [\base, 64]
	\instruction x10, x11, [\base, 80]
	\instruction x12, x13, [\base, 96]
	\instruction x14, x15, [\base, 112]
	\instruction x16, x17, [\base, 128]
	\instruction x18, x19, [\base, 144]
	\instruction x20, x21, [\base, 160]
	\instruction x22, x23, [\base, 176]
	\instruction x24, x25, [\base, 192]
	\instruction x26, x27, [\base, 208]
	\instruction x28, x29, [\base, 224]
	.endm

/*
 * void through_trap(struct registers *): fills every register, meets a breakpoint, whose handler sends the thread
 * through the stub, and keeps what every register holds afterwards. The system call behind it is where a thread that
 * is to restart one goes back to.
 */
#define FRAME 1008
#define KEPT 800
#define NZCV 248
#define Q 272
	.globl through_trap
	.globl trap
	.globl restarted_call
through_trap:
	sub sp, sp, FRAME
	add x9, sp, KEPT
	stp x19, x20, [x9]
	stp x21, x22, [x9, 16]
	stp x23, x24, [x9, 32]
	stp x25, x26, [x9, 48]
	stp x27, x28, [x9, 64]
	stp x29, x30, [x9, 80]
	stp d8, d9, [x9, 96]
	stp d10, d11, [x9, 112]
	stp d12, d13, [x9, 128]
	stp d14, d15, [x9, 144]
	str x0, [x9, 160]
	mov x1, 2 /* below the stack lies what would disable the alternate stack, if it were taken for one */
	movk x1, 2, lsl 32
	mov x2, 512
1:	sub x3, sp, x2, lsl 3
	str x1, [x3]
	subs x2, x2, 1
	bne 1b
	ldp x1, x2, [x0, NZCV]
	ldr x3, [x0, NZCV + 16]
	msr nzcv, x1
	msr fpcr, x2
	msr fpsr, x3
	add x1, x0, Q
	vectors ldp
	rest ldp, x0
	ldr x30, [x0, 240]
	ldp x0, x1, [x0]
trap:
	brk 0
	b 1f
restarted_call:
	svc 0
1:	stp x0, x1, [sp]
	rest stp, sp
	str x30, [sp, 240]
	mrs x0, nzcv
	mrs x2, fpcr
	mrs x3, fpsr
	stp x0, x2, [sp, NZCV]
	str x3, [sp, NZCV + 16]
	add x1, sp, Q
	vectors stp
	msr fpcr, xzr
	add x9, sp, KEPT
	ldr x0, [x9, 160]
	mov x1, xzr
2:	ldr x2, [sp, x1]
	str x2, [x0, x1]
	add x1, x1, 8
	cmp x1, Q + 512
	bne 2b
	ldp x19, x20, [x9]
	ldp x21, x22, [x9, 16]
	ldp x23, x24, [x9, 32]
	ldp x25, x26, [x9, 48]
	ldp x27, x28, [x9, 64]
	ldp x29, x30, [x9, 80]
	ldp d8, d9, [x9, 96]
	ldp d10, d11, [x9, 112]
	ldp d12, d13, [x9, 128]
	ldp d14, d15, [x9, 144]
	add sp, sp, FRAME
	ret

/* int: what a function of the interpreter may do to registers at worst. */
	.globl spoil_registers
spoil_registers:
	.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
	mov x\n, 0xdead
	.endr
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi v\n\().16b, 0xee
	.endr
	mov x0, 0x400000
	msr fpcr, x0
	mov x0, 0x1f
	msr fpsr, x0
	mov x0, 1
	cmp x0, x0
	ret

	.globl _start
_start:
	mov x29, xzr
	mov x0, sp
	bl start
	udf 0
	.section .note.GNU-stack, "", @progbits
