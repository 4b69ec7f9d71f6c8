"""A heap of N million objects and two forks of it: one is walked in Python, one natively (see walks.ts).

Prints a line of JSON for each: objects, CPU seconds, MiB of pages copied, and MiB of memory at the peak.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "payload"))
from snapshot import PRELUDE, payload_text

TEXT = payload_text()
names = {"__builtins__": __builtins__}
exec(PRELUDE.replace("sys.stdin.read()", "None"), names)


class Item(object):
    def __init__(self, number):
        self.number = number
        self.name = "%036d" % number


heap = [Item(n) for n in range(int(float(sys.argv[1]) * 1e6 / 3))]


def copied_pages():
    with open("/proc/self/smaps") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:")) / 1024


def peak():
    with open("/proc/self/status") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def walk(native):
    functions, kept = names["walker"]()
    copied, high, began = copied_pages(), peak(), time.process_time()
    request = {"native": functions if native else None, "kept": kept}
    exec(TEXT, {"__builtins__": __builtins__, "SNAPSHOT": None, "REQUEST": request})
    seconds = time.process_time() - began
    told = {"kind": "cost", "seconds": seconds, "copied": copied_pages() - copied, "peak": peak() - high}
    os.write(11, (json.dumps(told) + "\n").encode())


for native in (False, True):
    read, write = os.pipe()
    if os.fork() == 0:
        os.close(read)
        os.dup2(write, 11)
        walk(native)
        os._exit(0)
    os.close(write)
    with open(read) as lines:
        told = {line["kind"]: line for line in map(json.loads, lines)}
    os.wait()
    print(json.dumps(dict(told["cost"], objects=told["types"]["objects"], rss=peak())), flush=True)
