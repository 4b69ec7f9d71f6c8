"""A busy service with N million `Item` objects; tells from inside how long it stood still and how much it got done.

Shared file (first argument), little-endian: [0:8] largest gap in ns since it was last zeroed, [8:16] rounds done.
"""

import mmap
import struct
import sys
import time


class Item(object):
    def __init__(self, number):
        self.number = number
        self.name = "%036d" % number


with open(sys.argv[1], "r+b") as file:
    shared = mmap.mmap(file.fileno(), 16)
heap = [Item(n) for n in range(int(float(sys.argv[2]) * 1e6))]
print("ready", flush=True)
rounds = 0
last = time.monotonic_ns()
while True:
    sum(range(200))
    now = time.monotonic_ns()
    if now - last > struct.unpack_from("<Q", shared, 0)[0]:
        struct.pack_into("<Q", shared, 0, now - last)
    last = now
    rounds += 1
    struct.pack_into("<Q", shared, 8, rounds)
