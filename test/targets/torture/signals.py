"""Signals and timers. What a handler raises must arrive; what is sent must be handled, and soon."""

import mmap
import os
import select
import signal
import struct
import time

import witness

LATE = 4.0


class Timeout(Exception):
    pass


def timers():
    """A handler raises out of arbitrary code; every exception must arrive where it belongs."""
    counts = {"raised": 0, "caught": 0}

    def ring(*_):
        counts["raised"] += 1
        raise Timeout

    signal.signal(signal.SIGALRM, ring)
    witness.ready()
    while not witness.stopping:
        began = time.monotonic()
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.004)
            compute(began + 30)
            witness.blame("a timer was lost")
        except Timeout:
            counts["caught"] += 1
            witness.beat()
        if time.monotonic() - began > LATE:
            witness.blame("a timer was late")
    signal.setitimer(signal.ITIMER_REAL, 0)
    if counts["raised"] != counts["caught"]:
        witness.blame("%(raised)d exceptions raised, %(caught)d caught" % counts)


def compute(until):
    """A function of its own: 3.13.0 loses what is raised at the end of a loop that stands right in a `try`."""
    number = 0
    while time.monotonic() < until:
        number = (number * 31 + 7) % 1000003


def sending(pause):
    """A child that sends SIGUSR1, and waits until it has been handled before it sends the next."""
    shared = mmap.mmap(-1, 4096)
    me = os.getpid()

    def handled():
        return struct.unpack("<Q", shared[:8])[0]

    def handle(*_):
        shared[:8] = struct.pack("<Q", handled() + 1)

    def send():
        sent = 0
        while shared[16] == 0:
            os.kill(me, signal.SIGUSR1)
            sent += 1
            if not await_handled(sent):
                return 1 if handled() < sent else 2
            time.sleep(pause(sent))
        return 0

    def await_handled(sent):
        end = time.monotonic() + LATE
        while time.monotonic() < end:
            if handled() == sent:
                return True
            time.sleep(0.0002)
        return False

    def finish():
        shared[16] = 1
        _, status = os.waitpid(sender, 0)
        if status == 2 << 8:
            witness.blame("a signal was handled twice")
        elif status != 0:
            witness.blame("a signal was not handled within %.0f s (%#x)" % (LATE, status))

    signal.signal(signal.SIGUSR1, handle)
    sender = witness.child(send)
    return finish


def flood():
    """As many signals as can be handled while busy, and others that nobody waits for."""
    me = os.getpid()

    def noise():
        while True:
            os.kill(me, signal.SIGUSR2)
            time.sleep(0.0005)

    signal.signal(signal.SIGUSR2, lambda *_: None)
    finish = sending(lambda _: 0.0003)
    other = witness.child(noise)
    witness.ready()
    cells = {}
    while not witness.stopping:
        for number in range(500):
            cells[number] = "v" * (number + 1)
        witness.beat()
    finish()
    witness.end(other)
    if any(cells[number] != "v" * (number + 1) for number in cells):
        witness.blame("a cell has changed")


def disturbed():
    """At rest in select and waitpid in turn, woken by a signal every 40 to 120 ms."""
    finish = sending(lambda sent: 0.04 + sent % 5 * 0.02)
    reader, _writer = os.pipe()
    witness.ready(steady=False)
    while not witness.stopping:
        began = time.monotonic()
        select.select([reader], [], [], 0.7)
        if time.monotonic() - began < 0.695:
            witness.blame("select came back early")
        witness.reap(witness.child(lambda: time.sleep(0.4) or 7), 7 << 8)
        witness.beat()
    finish()


STATES = {"timers": timers, "flood": flood, "disturbed": disturbed}
