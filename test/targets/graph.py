"""Keeps memory in the ways that a graph is to tell apart, and waits until SIGTERM."""

import signal
import time

STATE = {"end": False}
signal.signal(signal.SIGTERM, lambda *_: STATE.update(end=True))


class Session:
    """Has a dict, or its attributes inline."""

    def __init__(self, blocks):
        self.user = None
        self.history = [bytearray(1000) for _ in range(blocks)]


class Slotted:
    __slots__ = ("queue", "user")

    def __init__(self, blocks):
        self.user = None
        self.queue = [bytearray(1001) for _ in range(blocks)]


class Shared:
    def __init__(self):
        self.block = bytearray(2000)


# One of many has nearly everything; no name leads to it.
SESSIONS = {number: Session(3000 if number == 500 else 1) for number in range(1000)}
SLOTTED = [Slotted(3000 if number == 500 else 1) for number in range(1000)]
# Each is held by two lists.
BY_USER = [Shared() for _ in range(2000)]
BY_TIME = list(BY_USER)
HEAD = None
for _ in range(20000):
    HEAD = (HEAD, bytearray(100))

print("ready", flush=True)
while not STATE["end"]:
    time.sleep(0.01)
print('{"bad": []}', flush=True)
