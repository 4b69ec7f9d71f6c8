/* System calls without a C library and without kernel headers. */
#ifndef PYHEAP_SYSCALLS_H
#define PYHEAP_SYSCALLS_H
#include "types.h"

#define EXPORT __attribute__((visibility("default"), used))

/* x86-64 passes a system call in rax, rdi, rsi, rdx, r10, r8, r9; aarch64 in x8, x0 to x5. */
#if defined(__x86_64__)
#define SYS_write 1
#define SYS_close 3
#define SYS_mmap 9
#define SYS_munmap 11
#define SYS_rt_sigaction 13
#define SYS_rt_sigprocmask 14
#define SYS_mremap 25
#define SYS_mincore 27
#define SYS_nanosleep 35
#define SYS_getpid 39
#define SYS_setitimer 38
#define SYS_clone 56
#define SYS_wait4 61
#define SYS_prctl 157
#define SYS_clock_gettime 228
#define SYS_exit_group 231
#define SYS_ioprio_set 251
#define SYS_dup3 292
#define SYS_pipe2 293
#define SYS_close_range 436

static __attribute__((noinline, unused)) i64 raw_syscall(i64 nr, i64 a, i64 b, i64 c, i64 d, i64 e)
{
	i64 answer;
	register i64 r10 __asm__("r10") = d;
	register i64 r8 __asm__("r8") = e;
	register i64 r9 __asm__("r9") = 0;
	__asm__ volatile("syscall"
			 : "=a"(answer)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return answer;
}
#elif defined(__aarch64__)
#define SYS_dup3 24
#define SYS_ioprio_set 30
#define SYS_close 57
#define SYS_pipe2 59
#define SYS_write 64
#define SYS_exit_group 94
#define SYS_nanosleep 101
#define SYS_setitimer 103
#define SYS_clock_gettime 113
#define SYS_rt_sigaction 134
#define SYS_rt_sigprocmask 135
#define SYS_prctl 167
#define SYS_getpid 172
#define SYS_munmap 215
#define SYS_mremap 216
#define SYS_clone 220
#define SYS_mmap 222
#define SYS_mincore 232
#define SYS_wait4 260
#define SYS_close_range 436

static __attribute__((noinline, unused)) i64 raw_syscall(i64 nr, i64 a, i64 b, i64 c, i64 d, i64 e)
{
	register i64 x8 __asm__("x8") = nr;
	register i64 x0 __asm__("x0") = a;
	register i64 x1 __asm__("x1") = b;
	register i64 x2 __asm__("x2") = c;
	register i64 x3 __asm__("x3") = d;
	register i64 x4 __asm__("x4") = e;
	register i64 x5 __asm__("x5") = 0;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#else
#error "no system calls for this architecture"
#endif

/* A child with a copy of everything and no exit signal, not traced: its pid, 0 in the child, or -errno. */
static __attribute__((unused)) i64 clone_once(void) { return raw_syscall(SYS_clone, 0x800000, 0, 0, 0, 0); }

static __attribute__((unused, noreturn)) void leave(int code)
{
	for (;;) raw_syscall(SYS_exit_group, code, 0, 0, 0, 0);
}
#endif
