/* System call numbers, so that no kernel header is needed to build. */
#if defined(__x86_64__)
#define SYS_write 1
#define SYS_close 3
#define SYS_rt_sigaction 13
#define SYS_rt_sigprocmask 14
#define SYS_nanosleep 35
#define SYS_setitimer 38
#define SYS_wait4 61
#define SYS_prctl 157
#define SYS_clock_gettime 228
#define SYS_exit_group 231
#define SYS_dup3 292
#define SYS_pipe2 293
#define SYS_close_range 436
#else
#error "no system call numbers for this architecture"
#endif
