/*
 * The ways in and the double clone, where the registers matter. See snapshot.c for the rest.
 *
 * pyheap_rest_entry is entered by setting rip, and rip alone, of a thread that rests in a system call. On resume the
 * kernel either prepares the restart (rip - 2, rax = the number to restart), or, where a signal with a handler came
 * in, leaves rip and sets rax = -EINTR: hence the two nops before the label. It saves everything, works, restores
 * everything and goes back onto the system call instruction, or behind it.
 */
#include "snapshot.h"
	.intel_syntax noprefix
	.text

	.globl pyheap_pending_entry /* int f(void *request), for Py_AddPendingCall */
pyheap_pending_entry:
	mov esi, 1
	jmp pyheap_pending

	.globl raw_syscall
	.hidden raw_syscall
raw_syscall:
	mov rax, rdi
	mov rdi, rsi
	mov rsi, rdx
	mov rdx, rcx
	mov r10, r8
	mov r8, r9
	xor r9d, r9d
	syscall
	ret

/*
 * i64 clone_twice(struct request *): 1 in the service, 0 in the snapshot. The intermediate shares memory and stack
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
	mov [rbx + OFFSET_INTERMEDIATE], rax
	mov eax, 1
	pop rbx
	ret
1:	mov eax, 56
	mov edi, 0x800000 /* CLONE_UNTRACED: a copy of everything */
	xor esi, esi
	xor edx, edx
	xor r10d, r10d
	xor r8d, r8d
	syscall
	test rax, rax
	jz 2f
	mov [rbx + OFFSET_CHILD], rax
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
	.globl pyheap_rest_entry
pyheap_rest_entry:
	lea rsp, [rsp - 256] /* below the red zone; no flags touched */
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
	and rsp, -64
	mov rbx, [rip + pyheap_slots]
	mov eax, 14 /* rt_sigprocmask: no handler runs between here and the end */
	mov edi, 2
	lea rsi, [rbx + OFFSET_FULL_MASK]
	lea rdx, [rbx + OFFSET_REST_MASK]
	mov r10d, 8
	syscall
	lea rdi, [rbx + OFFSET_XSAVE]
	mov eax, -1
	mov edx, -1
	xsave64 [rdi]
	mov rdi, rbx
	call pyheap_rest
	lea rdi, [rbx + OFFSET_XSAVE]
	mov eax, -1
	mov edx, -1
	xrstor64 [rdi]
	mov qword ptr [rbx + OFFSET_PENDING_MASK], 0
	mov eax, 127 /* rt_sigpending: has a signal come in meanwhile that the thread does not block itself? */
	lea rdi, [rbx + OFFSET_PENDING_MASK]
	mov esi, 8
	syscall
	mov rcx, [rbx + OFFSET_REST_MASK]
	not rcx
	and rcx, [rbx + OFFSET_PENDING_MASK]
	jz 1f
	mov qword ptr [rbp + 14 * 8], -4 /* then the call ends with EINTR, so that the interpreter looks at its signals */
1:	mov rcx, [rip + pyheap_slots + 16]
	cmp qword ptr [rbp + 14 * 8], 0
	jl 2f
	sub rcx, 2 /* restart: back onto the system call instruction */
2:	mov [rbx + OFFSET_RETURN_TO], rcx
	mov eax, 14
	mov edi, 2
	lea rsi, [rbx + OFFSET_REST_MASK]
	xor edx, edx
	mov r10d, 8
	syscall
	mov dword ptr [rbx + OFFSET_LEFT], 1 /* all but the last few instructions */
	mov rcx, [rbx + OFFSET_RETURN_TO]
	mov [rbp + 12 * 8], rcx /* rcx is lost in a system call anyway: it carries the way back */
	mov rsp, rbp
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
	mov rsp, [rip + pyheap_slots + 8]
	jmp rcx

	.balign 8
	.globl pyheap_slots /* written by the daemon before the jump: request block, rsp and rip of the resting thread */
pyheap_slots:
	.quad 0
	.quad 0
	.quad 0
	.section .note.GNU-stack, "", @progbits
