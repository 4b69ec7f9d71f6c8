/*
 * The data block that the daemon and the stub share. It lies at the start of the data mapping in the service; the
 * daemon writes it through /proc/PID/mem. src/capture/stub-block.ts holds the same offsets and a test compares the two.
 */
#ifndef PYHEAP_SNAPSHOT_H
#define PYHEAP_SNAPSHOT_H

/* For the assembler: fields that entry-*.S touches, and where the register state of a resting thread is kept. */
#define OFFSET_CHILD 0x08
#define OFFSET_INTERMEDIATE 0x10
#define OFFSET_LEFT 0x04
#define OFFSET_FULL_MASK 0x58
#define OFFSET_REST_MASK 0x68
#define OFFSET_PENDING_MASK 0x70
#define OFFSET_RETURN_TO 0x78
#define OFFSET_XSAVE 0x1000

#ifndef __ASSEMBLER__
typedef unsigned int u32;
typedef unsigned long u64;
typedef long i64;
typedef void object; /* a PyObject: only its type pointer is ever read */

enum state { ARMED = 0, TAKEN = 1, DONE = 2 };
enum flag {
	AFTER_FORK = 1, /* other threads existed and were not at rest: the interpreter must be told that they are gone */
	IMPORT_LOCK = 2, /* 3.13+: PyOS_AfterFork_Child releases the import lock, so it must be held */
	IF_GIL_IS_FREE = 4 /* the thread may hold a native lock: it must not wait for the GIL */
};

struct request {
	u32 state;         /* 0x00 enum state; ARMED -> TAKEN happens once, whoever comes first */
	u32 left;          /* 0x04 1 when the resting thread is back in its system call */
	i64 child;         /* 0x08 the snapshot's pid as the service would see it, or -errno */
	i64 intermediate;  /* 0x10 pid or -errno */
	u32 ready;         /* 0x18 the snapshot waits for go */
	u32 go;            /* 0x1c set by the daemon in the snapshot's own copy */
	u32 alarm_seconds; /* 0x20 the snapshot ends itself after this long */
	u32 flags;         /* 0x24 enum flag */
	u64 clone_began;   /* 0x28 CLOCK_MONOTONIC, ns */
	u64 clone_ended;   /* 0x30 */
	i64 sandbox;       /* 0x38 what installing the seccomp filter returned */
	u32 stage;         /* 0x40 how far the snapshot came, for diagnosis */
	u32 entered;       /* 0x44 how many queued pending calls have run */
	u64 saved_mask;    /* 0x48 the service thread's signal mask during the clone */
	u64 child_mask;    /* 0x50 */
	u64 full_mask;     /* 0x58 */
	u64 payload;       /* 0x60 address of the Python source, NUL-terminated */
	u64 rest_mask;     /* 0x68 */
	u64 pending_mask;  /* 0x70 */
	u64 return_to;     /* 0x78 */
	u64 filter[2];     /* 0x80 struct sock_fprog */
	int pipe[2];       /* 0x90 */
	char magic[8];     /* 0x98 */
	/* Addresses in the service, resolved by the daemon; 0 where the interpreter lacks one. */
	int (*Py_IsInitialized)(void);                                  /* 0xa0 */
	int (*PyGILState_Ensure)(void);                                 /* 0xa8 */
	void (*PyGILState_Release)(int);                                /* 0xb0 */
	object *(*PyImport_GetModuleDict)(void);                        /* 0xb8 */
	object *(*PyDict_GetItemString)(object *, const char *);        /* 0xc0 */
	int (*PyDict_SetItemString)(object *, const char *, object *);  /* 0xc8 */
	int (*PyDict_Next)(object *, i64 *, object **, object **);      /* 0xd0 */
	object *(*PyDict_New)(void);                                    /* 0xd8 */
	object *(*PyDict_Copy)(object *);                               /* 0xe0 */
	object *(*PyObject_GetAttrString)(object *, const char *);      /* 0xe8 */
	object *(*PyObject_CallMethod)(object *, const char *, const char *, ...); /* 0xf0 */
	object *(*PyList_New)(i64);                                     /* 0xf8 */
	int (*PyList_Append)(object *, object *);                       /* 0x100 */
	void (*PyErr_Clear)(void);                                      /* 0x108 */
	object *(*PyRun_String)(const char *, int, object *, object *); /* 0x110 */
	void (*PyOS_AfterFork_Child)(void);                             /* 0x118 */
	int (*PyGC_Disable)(void);                                      /* 0x120, 3.10+ */
	object *PyDict_Type;                                            /* 0x128 */
	object *PyFrameLocalsProxy_Type;                                /* 0x130, 3.13+ */
	object *Py_None;                                                /* 0x138 */
	object *(*PyThreadState_GetDict)(void);                         /* 0x140 */
	u64 *(*PyThreadState_Get)(void);                                /* 0x148 */
	object *(*PyInterpreterState_Main)(void);                       /* 0x150 */
	u64 *(*PyInterpreterState_ThreadHead)(object *);                /* 0x158 */
	u64 *(*PyThreadState_Next)(u64 *);                              /* 0x160 */
	void (*mallinfo2)(u64 *);                                       /* 0x168, glibc 2.33+; the result is returned in memory */
	object *Py_True;                                                /* 0x170 */
	object *(*GIL_holder)(void);                                    /* 0x178, _PyThreadState_UncheckedGet up to 3.11 */
};

#define AT(field, offset) _Static_assert(__builtin_offsetof(struct request, field) == (offset), #field)
AT(left, OFFSET_LEFT);
AT(child, OFFSET_CHILD);
AT(intermediate, OFFSET_INTERMEDIATE);
AT(ready, 0x18);
AT(go, 0x1c);
AT(alarm_seconds, 0x20);
AT(flags, 0x24);
AT(clone_began, 0x28);
AT(clone_ended, 0x30);
AT(sandbox, 0x38);
AT(stage, 0x40);
AT(entered, 0x44);
AT(child_mask, 0x50);
AT(full_mask, OFFSET_FULL_MASK);
AT(payload, 0x60);
AT(rest_mask, OFFSET_REST_MASK);
AT(pending_mask, OFFSET_PENDING_MASK);
AT(return_to, OFFSET_RETURN_TO);
AT(filter, 0x80);
AT(magic, 0x98);
AT(Py_IsInitialized, 0xa0);
AT(PyRun_String, 0x110);
AT(mallinfo2, 0x168);
AT(Py_True, 0x170);
AT(GIL_holder, 0x178);
#undef AT
#endif
#endif
