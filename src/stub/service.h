/*
 * What the daemon and the stub in the service share. The inputs lie behind the stub's code, where only the daemon
 * writes; the exchange is a mapping of the service's own, which the stub makes on its first run.
 * src/capture/inputs.ts and exchange.ts hold the same offsets and a test compares them.
 */
#ifndef PYHEAP_SERVICE_H
#define PYHEAP_SERVICE_H

/* For the assembler. */
#define INPUT_RETURN_TO 0x00
#define INPUT_RESTARTS 0x08
#define INPUT_EXCHANGE 0x10
#define INPUT_EXCHANGE_BYTES 0x18
#define INPUT_PROCESSOR_STATE 0xa8
#define EXCHANGE_LEFT 0x04
#define EXCHANGE_CHILD 0x08
#define EXCHANGE_INTERMEDIATE 0x10
#define EXCHANGE_OLD_MASK 0x70
#define EXCHANGE_PENDING_MASK 0x78
#define EXCHANGE_XSAVE 0x1000

#ifndef __ASSEMBLER__
#include "types.h"

enum task { SAFE_POINT = 0, QUEUE = 1, REAP = 2, MAP_ROOM = 3, UNMAP_ROOM = 4 };
enum state { ARMED = 0, TAKEN = 1, DONE = 2 };
enum flag {
	IF_GIL_IS_FREE = 1, /* the thread may hold a native lock: it must not wait for the GIL */
	OWN_CHILD = 2       /* who would adopt the snapshot is not to see it: it stays the service's child */
};

struct inputs {
	u64 return_to;       /* 0x00 where the interrupted thread stood */
	u64 restarts;        /* 0x08 1: in a system call that the kernel will restart */
	u64 exchange;        /* 0x10 where the exchange is, or is to be mapped */
	u64 exchange_bytes;  /* 0x18 0: it is mapped */
	u32 task;            /* 0x20 enum task */
	u32 flags;           /* 0x24 enum flag */
	u32 pid;             /* 0x28 the service's pid in its own namespace: a child of it must not take the request */
	u32 alarm_seconds;   /* 0x2c the snapshot ends itself after this long */
	u64 workspace_bytes; /* 0x30 how much memory the snapshot is to have for the daemon, and for code */
	u64 code_bytes;      /* 0x38 */
	i64 reap;            /* 0x40 pid of a dead snapshot to take off the service's list of children */
	int (*pending_entry)(void *); /* 0x48 address of pyheap_pending_entry */
	/* Addresses in the service, resolved by the daemon; 0 where the interpreter lacks one. */
	int (*Py_IsInitialized)(void);                     /* 0x50 */
	int (*PyGILState_Ensure)(void);                    /* 0x58 */
	void (*PyGILState_Release)(int);                   /* 0x60 */
	void *(*GIL_holder)(void);                         /* 0x68 _PyThreadState_UncheckedGet up to 3.11 */
	int (*Py_AddPendingCall)(int (*)(void *), void *); /* 0x70 */
	char name[16];                                     /* 0x78 the snapshot's, which says whose it is */
	/* For code that by its nature must run in the service itself; 0 when it is to clone itself. */
	void (*live)(void *room); /* 0x88 */
	u64 room;                 /* 0x90 memory for that: data first, then code */
	u64 room_data_bytes;      /* 0x98 */
	u64 room_code_bytes;      /* 0xa0 */
	u64 processor_state;      /* 0xa8 the interrupted thread's; only read on aarch64 */
};

struct exchange {
	u32 state;         /* 0x00 enum state; ARMED -> TAKEN happens once, whoever comes first */
	u32 left;          /* 0x04 1 when the interrupted thread is back where it was */
	i64 child;         /* 0x08 the snapshot's pid as the service would see it, or -errno */
	i64 intermediate;  /* 0x10 pid or -errno; 0 without one */
	u32 ready;         /* 0x18 the snapshot waits for go */
	u32 go;            /* 0x1c set by the daemon in the snapshot's own copy */
	u64 clone_began;   /* 0x20 CLOCK_MONOTONIC, ns */
	u64 clone_ended;   /* 0x28 */
	u64 workspace;     /* 0x30 addresses in the snapshot */
	u64 code;          /* 0x38 */
	u32 entered;       /* 0x40 how many queued pending calls have run */
	u32 stage;         /* 0x44 how far the snapshot came, for diagnosis */
	i64 queued;        /* 0x48 what Py_AddPendingCall answered, or NOT_STARTED; NOT_ASKED before */
	i64 answer;        /* 0x50 what the system call of an errand answered */
	u64 saved_mask;    /* 0x58 the cloning thread's signal mask */
	u32 taken_by_queue; /* 0x60 1: a queued pending call has taken the request */
	u32 unused;
	u32 own_child;     /* 0x68 1: the snapshot is a child of the service, which has to reap it */
	u32 padding;
	u64 old_mask;      /* 0x70 */
	u64 pending_mask;  /* 0x78 */
	char magic[8];     /* 0x80 written by the daemon */
	/* 0x1000 the interrupted thread's vector registers, on x86-64 */
};
/* The snapshot's only descriptors: two pipes, whose other ends the daemon opens through /proc/SNAPSHOT/fd. */
enum descriptor { FD_READ_BY_DAEMON = 10, FD_WRITE = 11, FD_READ = 12, FD_WRITTEN_BY_DAEMON = 13 };

#define NOT_STARTED (-2) /* Python is loaded and not started: Py_AddPendingCall would crash */

#define AT_INPUT(field, offset) _Static_assert(__builtin_offsetof(struct inputs, field) == (offset), #field)
AT_INPUT(return_to, INPUT_RETURN_TO);
AT_INPUT(restarts, INPUT_RESTARTS);
AT_INPUT(exchange, INPUT_EXCHANGE);
AT_INPUT(exchange_bytes, INPUT_EXCHANGE_BYTES);
AT_INPUT(task, 0x20);
AT_INPUT(flags, 0x24);
AT_INPUT(pid, 0x28);
AT_INPUT(alarm_seconds, 0x2c);
AT_INPUT(workspace_bytes, 0x30);
AT_INPUT(code_bytes, 0x38);
AT_INPUT(reap, 0x40);
AT_INPUT(pending_entry, 0x48);
AT_INPUT(Py_IsInitialized, 0x50);
AT_INPUT(PyGILState_Ensure, 0x58);
AT_INPUT(PyGILState_Release, 0x60);
AT_INPUT(GIL_holder, 0x68);
AT_INPUT(Py_AddPendingCall, 0x70);
AT_INPUT(name, 0x78);
AT_INPUT(live, 0x88);
AT_INPUT(room, 0x90);
AT_INPUT(room_data_bytes, 0x98);
AT_INPUT(room_code_bytes, 0xa0);
AT_INPUT(processor_state, INPUT_PROCESSOR_STATE);
#undef AT_INPUT

#define AT_EXCHANGE(field, offset) _Static_assert(__builtin_offsetof(struct exchange, field) == (offset), #field)
AT_EXCHANGE(state, 0x00);
AT_EXCHANGE(left, EXCHANGE_LEFT);
AT_EXCHANGE(child, EXCHANGE_CHILD);
AT_EXCHANGE(intermediate, EXCHANGE_INTERMEDIATE);
AT_EXCHANGE(ready, 0x18);
AT_EXCHANGE(go, 0x1c);
AT_EXCHANGE(clone_began, 0x20);
AT_EXCHANGE(clone_ended, 0x28);
AT_EXCHANGE(workspace, 0x30);
AT_EXCHANGE(code, 0x38);
AT_EXCHANGE(entered, 0x40);
AT_EXCHANGE(stage, 0x44);
AT_EXCHANGE(queued, 0x48);
AT_EXCHANGE(answer, 0x50);
AT_EXCHANGE(taken_by_queue, 0x60);
AT_EXCHANGE(own_child, 0x68);
AT_EXCHANGE(old_mask, EXCHANGE_OLD_MASK);
AT_EXCHANGE(pending_mask, EXCHANGE_PENDING_MASK);
AT_EXCHANGE(magic, 0x80);
#undef AT_EXCHANGE
#endif
#endif
