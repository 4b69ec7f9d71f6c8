/*
 * The ways in and the clone, where the registers matter. See service.c for the rest.
 *
 * pyheap_interrupt_entry is entered by setting rip, and rip alone, of a stopped thread, wherever it was. One that was
 * in a system call which is to be restarted is prepared for that by the kernel on resume (rip - 2, rax = the number to
 * restart), or, where a signal with a handler came in, rip is left and rax = -EINTR: hence the two nops before the
 * label. The code saves everything, works, restores everything and goes back: onto the system call instruction, or to
 * the very instruction where the thread stood.
 */
#include "service.h"
#define SAVED_RAX (14 * 8)
#define WAY_BACK (16 * 8)
	.intel_syntax noprefix
	.text

	.globl pyheap_pending_entry /* int f(void *), for Py_AddPendingCall */
pyheap_pending_entry:
	lea rdi, [rip + pyheap_inputs]
	mov esi, 1
	jmp pyheap_pending

/*
 * i64 clone_twice(struct exchange *): 1 in the service, 0 in the snapshot. The intermediate shares memory and stack
 * with the suspended service, so it makes nothing but system calls. Both exit signals are 0: the service gets none. Who
 * adopts the snapshot (init, or a subreaper) sees it end as a child of its own.
 */
	.globl clone_twice
	.hidden clone_twice
clone_twice:
	push rbx
	mov rbx, rdi
	mov eax, 56
	mov edi, 0x804100 /* CLONE_UNTRACED | CLONE_VFORK | CLONE_VM */
	xor esi, esi
	xor edx, edx
	xor r10d, r10d
	xor r8d, r8d
	syscall
	test rax, rax
	jz 1f
	mov [rbx + EXCHANGE_INTERMEDIATE], rax
	mov eax, 1
	pop rbx
	ret
1:	mov eax, 56
	mov edi, 0x800000
	xor esi, esi
	xor edx, edx
	xor r10d, r10d
	xor r8d, r8d
	syscall
	test rax, rax
	jz 2f
	mov [rbx + EXCHANGE_CHILD], rax
	mov eax, 231
	xor edi, edi
	syscall
	hlt
2:	pop rbx
	ret

	.balign 16
	.skip 14, 0x90
	nop
	nop
	.globl pyheap_interrupt_entry
pyheap_interrupt_entry:
	lea rsp, [rsp - 256] /* below the red zone; no flags touched. The way back will lie here, see the end. */
	pushfq
	push rax
	push rbx
	push rcx
	push rdx
	push rsi
	push rdi
	push rbp
	push r8
	push r9
	push r10
	push r11
	push r12
	push r13
	push r14
	push r15
	cld
	mov rbp, rsp
	lea r12, [rip + pyheap_inputs]
	mov rbx, [r12 + INPUT_EXCHANGE]
	mov rcx, [r12 + INPUT_RETURN_TO]
	mov [rbp + WAY_BACK], rcx
	mov r13, [r12 + INPUT_RESTARTS] /* now: the inputs may be written anew while we are at it */
	mov rsi, [r12 + INPUT_EXCHANGE_BYTES]
	test rsi, rsi
	jz 1f
	mov eax, 9 /* mmap, private and anonymous, at this very address or not at all */
	mov rdi, rbx
	mov edx, 3
	mov r10d, 0x100022
	mov r8, -1
	xor r9d, r9d
	syscall
	cmp rax, rbx
	jne 3f /* there is no room: back at once */
1:	push -1
	mov eax, 14 /* rt_sigprocmask: no handler runs between here and the end */
	mov edi, 2
	mov rsi, rsp
	lea rdx, [rbx + EXCHANGE_OLD_MASK]
	mov r10d, 8
	syscall
	and rsp, -64
	lea rdi, [rbx + EXCHANGE_XSAVE]
	mov eax, -1
	mov edx, -1
	xsave64 [rdi]
	mov rdi, r12
	call pyheap_interrupted
	lea rdi, [rbx + EXCHANGE_XSAVE]
	mov eax, -1
	mov edx, -1
	xrstor64 [rdi]
	test r13, r13
	je 2f
	mov qword ptr [rbx + EXCHANGE_PENDING_MASK], 0
	mov eax, 127 /* rt_sigpending: has a signal come in meanwhile that the thread does not block itself? */
	lea rdi, [rbx + EXCHANGE_PENDING_MASK]
	mov esi, 8
	syscall
	mov rcx, [rbx + EXCHANGE_OLD_MASK]
	not rcx
	and rcx, [rbx + EXCHANGE_PENDING_MASK]
	jz 4f
	mov qword ptr [rbp + SAVED_RAX], -4 /* then the call ends with EINTR, so that the interpreter looks at its signals */
4:	cmp qword ptr [rbp + SAVED_RAX], 0
	jl 2f
	sub qword ptr [rbp + WAY_BACK], 2 /* restart: back onto the system call instruction */
2:	mov eax, 14
	mov edi, 2
	lea rsi, [rbx + EXCHANGE_OLD_MASK]
	xor edx, edx
	mov r10d, 8
	syscall
	mov dword ptr [rbx + EXCHANGE_LEFT], 1 /* all but what follows, which needs nothing but its own stack */
	jmp 5f
3:	test r13, r13
	je 5f
	cmp qword ptr [rbp + SAVED_RAX], 0
	jl 5f
	sub qword ptr [rbp + WAY_BACK], 2
5:	mov rsp, rbp
	pop r15
	pop r14
	pop r13
	pop r12
	pop r11
	pop r10
	pop r9
	pop r8
	pop rbp
	pop rdi
	pop rsi
	pop rdx
	pop rcx
	pop rbx
	pop rax
	popfq
	ret 256 - 8 /* takes the way back off the stack, and leaves rsp where it was */

	.section .inputs, "ax", @progbits /* behind everything else; the daemon writes struct inputs here */
	.balign 8
	.globl pyheap_inputs
pyheap_inputs:
	.section .note.GNU-stack, "", @progbits
