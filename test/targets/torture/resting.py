"""At rest in one system call or another. A wait with a limit lasts as long as it was asked to; others for ever."""

import fcntl
import os
import queue
import select
import signal
import socket
import tempfile
import threading
import time

import witness

WAIT = 0.9
EARLY = 0.005
LATE = 4.0


def timed(prepare):
    def state():
        wait = prepare()
        witness.ready()
        while not witness.stopping:
            witness.until_stopped(lambda: measure(wait))
            witness.beat()

    return state


def measure(wait):
    began = time.monotonic()
    wait(WAIT)
    lasted = time.monotonic() - began
    if not WAIT - EARLY <= lasted <= WAIT + LATE:
        witness.blame("a wait of %.1f s lasted %.3f s" % (WAIT, lasted))


def endless(prepare):
    def state():
        wait = prepare()
        witness.ready(beating=False)
        outlast(wait)

    return state


def outlast(wait):
    witness.until_stopped(lambda: (wait(), witness.blame("a wait without end has ended")))


def in_select():
    reader, _writer = os.pipe()
    return lambda seconds: select.select([reader], [], [], seconds)


def in_poll():
    reader, _writer = os.pipe()
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    return lambda seconds: poll.poll(seconds * 1000)


def in_epoll():
    reader, _writer = os.pipe()
    epoll = select.epoll()
    epoll.register(reader, select.EPOLLIN)
    return lambda seconds: epoll.poll(seconds)


def in_receive():
    ours, _theirs = socket.socketpair()
    keep.append(_theirs)

    def wait(seconds):
        ours.settimeout(seconds)
        try:
            ours.recv(1)
            witness.blame("something was received")
        except socket.timeout:
            pass

    return wait


def in_timed_lock():
    lock = threading.Lock()
    lock.acquire()
    return lambda seconds: lock.acquire(timeout=seconds)


def in_condition():
    condition = threading.Condition()

    def wait(seconds):
        with condition:
            if condition.wait(seconds):
                witness.blame("a condition was notified by nobody")

    return wait


def in_queue():
    waiting = queue.Queue()

    def wait(seconds):
        try:
            waiting.get(timeout=seconds)
            witness.blame("a queue gave what nobody put")
        except queue.Empty:
            pass

    return wait


def in_signal_wait():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    return lambda seconds: signal.sigtimedwait({signal.SIGUSR2}, seconds)


def in_wait4():
    """Waits for children that live for a fixed time. The last one is waited for after SIGTERM too."""
    witness.ready(steady=False)
    while not witness.stopping:
        began = time.monotonic()
        witness.reap(witness.child(lambda: time.sleep(WAIT) or 7), 7 << 8)
        lasted = time.monotonic() - began
        if not WAIT - EARLY <= lasted <= WAIT + LATE:
            witness.blame("a child of %.1f s was waited for %.3f s" % (WAIT, lasted))
        witness.beat()


def in_wait_for_ever():
    pid = witness.child(lambda: time.sleep(3600))
    witness.ready(beating=False)
    outlast(lambda: os.wait4(pid, 0))
    witness.end(pid)


def in_read():
    reader, _writer = os.pipe()
    return lambda: os.read(reader, 1)


def in_accept():
    server = socket.socket()
    keep.append(server)
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    return server.accept


def in_lock():
    lock = threading.Lock()
    lock.acquire()
    return lock.acquire


def in_pause():
    return signal.pause


def in_flock():
    """The lock is held by another open file of its own, which excludes it as another process would."""
    held, wanted = (open(name, "r+b") for name in [temporary()] * 2)
    keep.extend((held, wanted))
    fcntl.flock(held, fcntl.LOCK_EX)
    return lambda: fcntl.flock(wanted, fcntl.LOCK_EX)


def in_join():
    """Joins a thread that waits for an event."""
    event = threading.Event()
    thread = threading.Thread(target=event.wait)
    thread.start()
    witness.ready(beating=False)
    outlast(thread.join)
    event.set()
    thread.join()


def temporary():
    descriptor, name = tempfile.mkstemp()
    os.close(descriptor)
    keep.append(Removed(name))
    return name


class Removed:
    """A file that goes with the process."""

    def __init__(self, name):
        self.name = name
        self.unlink = os.unlink

    def __del__(self):
        self.unlink(self.name)


keep = []
STATES = {
    "sleep": timed(lambda: time.sleep),
    "select": timed(in_select),
    "poll": timed(in_poll),
    "epoll": timed(in_epoll),
    "receive": timed(in_receive),
    "timed-lock": timed(in_timed_lock),
    "condition": timed(in_condition),
    "queue": timed(in_queue),
    "signal-wait": timed(in_signal_wait),
    "wait4": in_wait4,
    "wait-for-ever": in_wait_for_ever,
    "read": endless(in_read),
    "accept": endless(in_accept),
    "lock": endless(in_lock),
    "pause": endless(in_pause),
    "flock": endless(in_flock),
    "join": in_join,
}
