"""Frees most of many small objects, prints what pymalloc says of itself, and waits until SIGTERM."""

import os
import signal
import sys
import time

STATE = {"end": False}
signal.signal(signal.SIGTERM, lambda *_: STATE.update(end=True))

ROWS = [(number, str(number)) for number in range(1000000, 1300000)]
KEPT = ROWS[::200]
del ROWS[:]
os.dup2(1, 2)  # so that it comes before what is printed next
sys._debugmallocstats()
print("ready", flush=True)
while not STATE["end"]:
    time.sleep(0.01)
print('{"bad": []}', flush=True)
