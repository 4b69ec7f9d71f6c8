"""Parents of all kinds. No child that is not theirs, no SIGCHLD too many, no zombie, every exit status right."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time

import witness

PTRACE_CONT, PTRACE_SEIZE, ALL_KINDS = 7, 0x4206, 0x40000000


def forking():
    witness.ready(steady=False)
    number = 0
    while not witness.stopping:
        number += 1
        status = number % 7
        witness.reap(witness.child(lambda: status), status << 8)  # noqa: B023 (it is called at once)
        witness.beat()


def reaping():
    """A supervisor: waits for any child, and knows all of them."""
    known = set()
    witness.ready(steady=False)
    while not witness.stopping or known:
        while len(known) < 3 and not witness.stopping:
            known.add(witness.child(lambda: time.sleep(0.02)))
        pid, status = os.waitpid(-1, 0)
        if pid not in known or status != 0:
            witness.blame("reaped %d with %#x, a child that is not its own" % (pid, status))
        known.discard(pid)
        witness.beat()


def spawning():
    """Other programs, run to their end, with their output."""
    witness.ready(steady=False)
    while not witness.stopping:
        witness.children_made += 1
        done = subprocess.run(["/bin/echo", "hello"], stdout=subprocess.PIPE)
        if (done.returncode, done.stdout) != (0, b"hello\n"):
            witness.blame("a program answered %r" % (done,))
        witness.beat()


class Master:
    """As gunicorn and celery do it: SIGCHLD makes it reap whatever there is, and workers that ended are replaced."""

    def __init__(self, size):
        self.size = size
        self.workers = set()
        self.gone = []
        signal.signal(signal.SIGCHLD, self.reap)

    def reap(self, *_):
        witness.seen["SIGCHLD"] += 1
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                self.gone.append((pid, status))

    def manage(self, work):
        while self.gone:
            pid, status = self.gone.pop()
            if pid not in self.workers:
                witness.blame("reaped %d with %#x, which is no worker" % (pid, status))
            elif status not in (0, signal.SIGTERM):
                witness.blame("worker %d ended with %#x" % (pid, status))
            self.workers.discard(pid)
        while len(self.workers) < self.size and not witness.stopping:
            # A worker may end before it is known here; `gone` keeps it until the next round.
            self.workers.add(witness.child(work))

    def end(self):
        for pid in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 10
        while self.workers and time.monotonic() < end:
            self.manage(None)
            time.sleep(0.01)
        if self.workers:
            witness.blame("workers %r did not end" % self.workers)


def master():
    crew = Master(3)
    witness.ready(steady=False)
    while not witness.stopping:
        crew.manage(lambda: compute(time.monotonic() + 0.3))
        time.sleep(0.02)
        witness.beat()
    crew.end()


def worker():
    """The same with a worker that stays, which is the one to be captured."""
    crew = Master(1)
    crew.manage(lambda: compute(time.monotonic() + 3600))
    witness.ready(steady=False, worker=next(iter(crew.workers)))
    while not witness.stopping:
        crew.manage(lambda: compute(time.monotonic() + 3600))
        time.sleep(0.02)
        witness.beat()
    if witness.children_made != 1:
        witness.blame("the worker has died %d times" % (witness.children_made - 1))
    crew.end()


def compute(until):
    cells = {}
    while time.monotonic() < until:
        for number in range(300):
            cells[number] = "v" * (520 + number)
    return 0 if all(cells[number] == "v" * (520 + number) for number in cells) else 1


def pool():
    """multiprocessing, which replaces its workers after some tasks."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    context = multiprocessing.get_context("fork")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # for the workers, which end() sends it
    with context.Pool(2, initializer=ignore_stop, maxtasksperchild=50) as crew:
        signal.signal(signal.SIGTERM, witness.on_stop)
        witness.ready(steady=False)
        while not witness.stopping:
            if crew.map(square, range(20)) != [number * number for number in range(20)]:
                witness.blame("a pool computed wrongly")
            witness.beat()
        crew.close()
        crew.join()


def ignore_stop():
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def square(number):
    return number * number


def replacing():
    """Replaces itself by exec. SIGTERM waits meanwhile."""
    life = int(os.environ.get("TORTURE_LIFE", "0"))
    if life == 0:
        witness.ready(steady=False)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    end = time.monotonic() + 0.05 + life % 7 * 0.03
    while time.monotonic() < end and not witness.stopping:
        witness.beat()
        time.sleep(0.001)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    if witness.stopping or witness.bad:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        return
    os.environ["TORTURE_LIFE"] = str(life + 1)
    os.set_inheritable(witness.HEARTBEAT, True)
    os.execv(sys.executable, [sys.executable, "-B", *sys.argv])


def uninterruptible():
    """In state D now and then: posix_spawn waits for its child, which waits for the other end of a FIFO."""
    folder = tempfile.mkdtemp()
    fifo = os.path.join(folder, "fifo")
    os.mkfifo(fifo)

    def open_now_and_then():
        while True:
            time.sleep(0.6)
            os.close(os.open(fifo, os.O_WRONLY))

    opener = witness.child(open_now_and_then)
    witness.ready(steady=False)
    while not witness.stopping:
        witness.children_made += 1
        actions = [(os.POSIX_SPAWN_OPEN, 9, fifo, os.O_RDONLY, 0)]
        witness.reap(os.posix_spawn("/bin/true", ["true"], {}, file_actions=actions), 0)
        time.sleep(0.4)
        witness.beat()
    witness.end(opener)
    os.unlink(fifo)
    os.rmdir(folder)


def traced():
    """Another process traces it, as strace would."""
    me = os.getpid()
    ptrace = ctypes.CDLL(None).ptrace
    ptrace.argtypes = [ctypes.c_long] * 4
    reader, writer = os.pipe()

    def trace():
        if ptrace(PTRACE_SEIZE, me, 0, 0) != 0:
            return 1
        os.write(writer, b"!")
        while True:
            _, status = os.waitpid(me, ALL_KINDS)
            if not os.WIFSTOPPED(status):
                return 0
            number = os.WSTOPSIG(status)
            ptrace(PTRACE_CONT, me, 0, 0 if number == signal.SIGTRAP else number)

    tracer = witness.child(trace)
    if os.read(reader, 1) != b"!":
        witness.blame("it could not be traced")
    witness.ready()
    while not witness.stopping:
        time.sleep(0.02)
        witness.beat()
    witness.end(tracer)


STATES = {
    "forking": forking,
    "reaping": reaping,
    "spawning": spawning,
    "master": master,
    "worker": worker,
    "pool": pool,
    "replacing": replacing,
    "uninterruptible": uninterruptible,
    "traced": traced,
}
