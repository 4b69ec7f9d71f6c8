"""What a target knows of itself: its heartbeat, its children, its signals, and what was not as it should be.

The heartbeat is a counter at the start of file descriptor 3, which survives exec and chroot.
"""

import contextlib
import json
import mmap
import os
import signal
import struct
import threading

HEARTBEAT = 3

stopping = False
interruptible = False
bad = []
children_made = 0
seen = {"SIGCHLD": 0, "SIGCONT": 0}
descriptors = {}
try:
    shared = mmap.mmap(HEARTBEAT, 4096)
except (OSError, ValueError):
    shared = mmap.mmap(-1, 4096)  # run by hand
beats = struct.unpack("<Q", shared[:8])[0]


class Stop(BaseException):
    """SIGTERM came while the main thread rested for ever."""


def listen():
    signal.signal(signal.SIGTERM, on_stop)
    signal.signal(signal.SIGCHLD, count("SIGCHLD"))
    signal.signal(signal.SIGCONT, count("SIGCONT"))


def on_stop(*_):
    global stopping, interruptible
    stopping = True
    if interruptible:
        interruptible = False
        raise Stop


def count(name):
    def handle(*_):
        seen[name] += 1

    return handle


def ready(beating=True, steady=True, worker=None):
    """From now on it may be captured. Steady: its threads, children and descriptors stay as they are."""
    global descriptors
    descriptors = open_descriptors()
    print(json.dumps({"ready": True, "beating": beating, "steady": steady, "worker": worker}), flush=True)


def beat():
    global beats
    beats += 1
    shared[:8] = struct.pack("<Q", beats)


def blame(what):
    if len(bad) < 20:
        bad.append(what)


def until_stopped(wait):
    """A wait that SIGTERM ends, if nothing else does."""
    global interruptible
    try:
        interruptible = True
        if not stopping:
            wait()
        interruptible = False
    except Stop:
        pass


def child(work):
    """Forks a child that does `work` and exits with what it answers; the pid."""
    global children_made
    children_made += 1
    pid = os.fork()
    if pid:
        return pid
    status = 99
    try:
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGCONT):
            signal.signal(number, signal.SIG_DFL)
        status = work() or 0
    finally:
        os._exit(status)


def reap(pid, expected):
    """Waits for one child, which must have ended as expected."""
    done, status = os.waitpid(pid, 0)
    if (done, status) != (pid, expected):
        blame("child %d ended with %#x, not %#x" % (done, status, expected))


def end(pid):
    os.kill(pid, signal.SIGKILL)
    reap(pid, signal.SIGKILL)


def open_descriptors():
    found = {}
    for number in range(512):
        with contextlib.suppress(OSError):
            status = os.fstat(number)
            found[number] = (status.st_dev, status.st_ino)
    return found


def report():
    """Prints what was not as it should be. All children of its own are reaped by now."""
    with contextlib.suppress(OSError, ChildProcessError):
        foreign = os.waitpid(-1, os.WNOHANG)
        blame("it has a child that is not its own: %r" % (foreign,))
    if seen["SIGCHLD"] > children_made:
        blame("%d SIGCHLD for %d children" % (seen["SIGCHLD"], children_made))
    extra = [number for number, what in open_descriptors().items() if descriptors.get(number) != what]
    if extra and descriptors:
        blame("it has descriptors that it did not open: %r" % extra)
    if sum(thread.is_alive() for thread in threading.enumerate()) != 1:
        blame("it has threads left: %r" % threading.enumerate())
    if signal.pthread_sigmask(signal.SIG_BLOCK, ()) - {signal.SIGUSR2}:
        blame("signals are blocked that it did not block")
    print(json.dumps({"beats": beats, "continued": seen["SIGCONT"], "bad": bad}), flush=True)
