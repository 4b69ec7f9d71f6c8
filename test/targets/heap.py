"""Holds a heap of small objects. From SIGUSR1 on it writes to one after the other; at SIGTERM it reports."""

import json
import signal
import sys
import time

state = {"touch": False, "end": False}
signal.signal(signal.SIGUSR1, lambda *_: state.update(touch=True))
signal.signal(signal.SIGTERM, lambda *_: state.update(end=True))

HEAP = [[n, str(n)] for n in range(int(sys.argv[1]))]
print("ready", flush=True)
place = 0
while not state["end"]:
    if state["touch"]:
        for entry in HEAP[place : place + 20000]:
            entry[0] += 1
        place = (place + 20000) % len(HEAP)
    time.sleep(0.01)
bad = [] if all(entry[1].isdigit() for entry in HEAP[:1000]) else ["heap"]
print(json.dumps({"bad": bad}), flush=True)
