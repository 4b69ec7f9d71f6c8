"""Has noted a signal that its main thread, at rest, has not yet handled: the handler writes to shared memory.

Prints `ready`; SIGTERM ends the rest, and it prints how often the signal was handled.
"""

import mmap
import signal
import sys
import threading
import time

shared = mmap.mmap(-1, 4096)


def handle(*_):
    shared[0] += 1


def sleep():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    while True:
        time.sleep(1)


# The main thread takes SIGTERM alone, and goes on with what it has noted when that has come.
signal.signal(signal.SIGUSR1, handle)
signal.signal(signal.SIGTERM, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
threading.Thread(target=sleep, daemon=True).start()
print("ready", flush=True)
signal.sigwait([signal.SIGTERM])
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
time.sleep(0.1)
print("handled", shared[0], flush=True)
sys.exit(0)
