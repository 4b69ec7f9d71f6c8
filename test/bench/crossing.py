"""Leaks at RATE MB/s, and prints the wall clock in milliseconds when its resident memory passes THRESHOLD bytes."""

import os
import sys
import time

RATE, THRESHOLD = float(sys.argv[1]), int(sys.argv[2])
PAGE = os.sysconf("SC_PAGESIZE")
STATM = open("/proc/self/statm", "rb", buffering=0)
LEDGER = []


def resident():
    STATM.seek(0)
    return int(STATM.read().split()[1]) * PAGE


print("ready", flush=True)
time.sleep(3)
began = time.monotonic()
size = 0
has_crossed = False
while True:
    while size < (time.monotonic() - began) * RATE * 1e6:
        LEDGER.append(b"x" * 20000)
        size += 20033
        if not has_crossed and resident() >= THRESHOLD:
            has_crossed = True
            print("crossed", time.time() * 1000, flush=True)
    time.sleep(0.001)
