"""Many threads: busy, resting, short-lived, hundreds; the main thread busy or at rest."""

import queue
import random
import threading
import time
import zlib

import witness


def workers():
    """Eight threads with locks, a queue, files and C code; what they count must add up."""
    lock, relock, things = threading.Lock(), threading.RLock(), queue.Queue(100)
    counts, total = [0] * 8, [0]

    def work(number):
        chance = random.Random(number)
        while not witness.stopping:
            with lock:
                total[0] += 1
            with relock, relock:
                counts[number] += 1
            step(number % 4, chance)

    def step(kind, chance):
        try:
            if kind == 0:
                things.put(b"x" * chance.randrange(600, 5000), timeout=0.05)
            elif kind == 1:
                zlib.crc32(things.get(timeout=0.05))
            elif kind == 2:
                zlib.compress(b"ab" * 3000)
            elif len(dict.fromkeys(range(200), "".join(map(str, range(300))))) != 200:
                witness.blame("a dict has lost keys")
        except (queue.Full, queue.Empty):
            pass

    run([threading.Thread(target=work, args=(number,)) for number in range(8)], rest)
    if sum(counts) != total[0]:
        witness.blame("threads counted %d and %d" % (sum(counts), total[0]))


def idle_main():
    """The main thread rests for ever while workers are busy."""
    done = threading.Lock()
    done.acquire()

    def compute(is_last):
        cells = {}
        while not witness.stopping:
            for number in range(300):
                cells[number] = "v" * (520 + number)
            if is_last:
                witness.beat()
        if any(cells[number] != "v" * (520 + number) for number in cells):
            witness.blame("a cell has changed")
        if is_last:
            done.release()

    run([threading.Thread(target=compute, args=(number == 2,)) for number in range(3)], done.acquire)


def crowd():
    """300 threads at rest, and a main thread that wakes up now and then."""
    end = threading.Event()
    run([threading.Thread(target=end.wait) for _ in range(300)], rest, end.set)


def churn():
    """Threads that live for a moment."""
    total, lock = [0], threading.Lock()

    def work():
        text = ["y" * 700 for _ in range(20)]
        with lock:
            total[0] += len(text)

    witness.ready(steady=False)
    started = 0
    while not witness.stopping:
        some = [threading.Thread(target=work) for _ in range(5)]
        started += len(some)
        for thread in some:
            thread.start()
        for thread in some:
            thread.join()
        witness.beat()
    if total[0] != 20 * started:
        witness.blame("%d threads did the work of %d" % (started, total[0] // 20))


def rest():
    while not witness.stopping:
        began = time.monotonic()
        time.sleep(0.05)
        if time.monotonic() - began < 0.049:
            witness.blame("a sleep ended early")
        witness.beat()


def run(threads, main, end=lambda: None):
    for thread in threads:
        thread.start()
    witness.ready()
    main()
    end()
    for thread in threads:
        thread.join(20)
        if thread.is_alive():
            witness.blame("a thread did not end")


STATES = {"workers": workers, "idle-main": idle_main, "crowd": crowd, "churn": churn}
