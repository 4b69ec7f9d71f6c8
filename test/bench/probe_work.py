"""Does one kind of work in slices of a few milliseconds for SECONDS; prints the quickest tenth in us, and how many."""

import mmap
import os
import sys
import time

KIND, SECONDS = sys.argv[1], float(sys.argv[2])


def dicts():
    kept = [{"number": n, "text": str(n)} for n in range(4000)]
    kept.clear()


def fill():
    area = mmap.mmap(-1, 4 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, 4 << 20, 4096):
        area[at] = 1
    area.close()


def fork():
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)


def touch():
    """Twelve thousand pages a second, each of which rss.bt is asked to tell of."""
    area = mmap.mmap(-1, 8 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, 1200 << 12, 4096):
        area[at] = 1
    area.close()
    time.sleep(0.08)


work = {"dicts": dicts, "fill": fill, "fork": fork, "touch": touch}[KIND]
clock = time.perf_counter if KIND == "fork" else time.process_time
times = []
end = time.monotonic() + SECONDS
while time.monotonic() < end:
    began = clock()
    work()
    times.append(clock() - began)
times.sort()
print(times[len(times) // 10] * 1e6, len(times), flush=True)
