"""Leaks at RATE MB/s into LEDGER until it is killed. A second argument delays the beginning by as many seconds."""

import sys
import time

RATE = float(sys.argv[1])


class Entry:
    __slots__ = ("payload",)

    def __init__(self, number):
        self.payload = b"%d" % number * 2000


LEDGER = []

print("ready", flush=True)
if len(sys.argv) > 2:
    time.sleep(float(sys.argv[2]))
began = time.monotonic()
size = 0
while True:
    while size < (time.monotonic() - began) * RATE * 1e6:
        entry = Entry(len(LEDGER))
        size += len(entry.payload) + 80
        LEDGER.append(entry)
    time.sleep(0.002)
