"""Surroundings that a process enters by itself: other users, namespaces, roots, filters."""

import ctypes
import os
import signal
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
libc.mount.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_ulong, ctypes.c_char_p]

NEW_MOUNTS, NEW_USERS, NEW_PIDS = 0x00020000, 0x10000000, 0x20000000
RDONLY, REMOUNT, BIND, REC, PRIVATE = 1, 32, 4096, 16384, 1 << 18
SET_DUMPABLE, SET_SECCOMP, SUBREAPER, NO_NEW_PRIVS, SET_MDWE = 4, 22, 36, 38, 65
ALLOW, ERRNO_EPERM, KILL_PROCESS = 0x7FFF0000, 0x00050001, 0x80000000
PERSONALITY, CLONE = 135, 56


def must(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def prctl(option, value):
    must(libc.prctl(option, value, 0, 0, 0))


def mount(kind, place, flags):
    must(libc.mount(b"none", place, kind, flags, None))


def nobody():
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    prctl(SET_DUMPABLE, 1)


def locked_down():
    """As a hardened unit: nobody, no new privileges, no core dumps, no writable code, where the kernel has that."""
    nobody()
    prctl(NO_NEW_PRIVS, 1)
    prctl(SET_DUMPABLE, 0)
    libc.prctl(SET_MDWE, 1, 0, 0, 0)


def user_namespace():
    must(libc.unshare(NEW_USERS))
    for name, text in (("uid_map", "0 0 1"), ("setgroups", "deny"), ("gid_map", "0 0 1")):
        with open("/proc/self/" + name, "w") as file:
            file.write(text)


def init():
    """PID 1 of a container of its own; the process that was started only waits for it."""
    must(libc.unshare(NEW_PIDS | NEW_MOUNTS))
    pid = os.fork()
    if pid == 0:
        mount(b"", b"/", REC | PRIVATE)
        mount(b"proc", b"/proc", 0)
        return
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        sys.stderr.write("PID 1 was killed by signal %d\n" % os.WTERMSIG(status))
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


def read_only():
    """A read-only root, and a /tmp that takes no files."""
    must(libc.unshare(NEW_MOUNTS))
    mount(b"", b"/", REC | PRIVATE)
    mount(b"", b"/", RDONLY | REMOUNT | BIND)
    mount(b"tmpfs", b"/tmp", RDONLY)


def empty_root():
    """A root without any file or folder: no /tmp, no /proc, no libraries."""
    ctypes.CDLL("libgcc_s.so.1")  # glibc would look for it when the first thread ends
    must(libc.unshare(NEW_MOUNTS))
    mount(b"", b"/", REC | PRIVATE)
    mount(b"tmpfs", b"/mnt", RDONLY)
    os.chroot("/mnt")
    os.chdir("/")


def seccomp(action, call):
    """Everything is allowed apart from one system call."""

    def enter():
        program = b"".join(
            struct.pack("=HBBI", *instruction)
            for instruction in (
                (0x20, 0, 0, 0),  # load the number of the call
                (0x15, 0, 1, call),
                (0x06, 0, 0, action),
                (0x06, 0, 0, ALLOW),
            )
        )
        text = ctypes.create_string_buffer(program)
        filter_ = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", 4, ctypes.addressof(text)))
        prctl(NO_NEW_PRIVS, 1)
        must(libc.prctl(SET_SECCOMP, 2, ctypes.addressof(filter_), 0, 0))

    return enter


SURROUNDINGS = {
    "plain": lambda: None,
    "nobody": nobody,
    "no-new-privs": lambda: prctl(NO_NEW_PRIVS, 1),
    "non-dumpable": lambda: prctl(SET_DUMPABLE, 0),
    "locked-down": locked_down,
    "subreaper": lambda: prctl(SUBREAPER, 1),
    "user-namespace": user_namespace,
    "init": init,
    "read-only": read_only,
    "empty-root": empty_root,
    "seccomp-mild": seccomp(ERRNO_EPERM, PERSONALITY),
    "seccomp-deadly": seccomp(KILL_PROCESS, CLONE),
}


def enter(name):
    SURROUNDINGS[name]()
