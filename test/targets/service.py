"""A small service in one of the states that a capture may meet. Prints `ready`, checks itself, obeys SIGTERM.

On SIGTERM it prints one JSON line: {"beats": N, "bad": [...]}; `bad` names every invariant that was broken.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import time

stopping = False
beats = 0
bad = []


class Session:
    def __init__(self, number):
        self.number = number
        self.token = "token-%d" % number


class Registry:
    live = [Session(n) for n in range(20000)]


def stop(*_):
    global stopping
    stopping = True


def ready():
    print("ready", flush=True)


def beat():
    global beats
    beats += 1


def churn(cells):
    for n in range(200):
        text = chr(97 + n % 26) * (500 + n)
        if cells.get(n, text)[0] != text[0]:
            bad.append("a cell changed")
        cells[n] = text


def busy():
    ready()
    work()


def work():
    cells = {}
    while not stopping:
        churn(cells)
        beat()


def idle():
    ready()
    while not stopping:
        began = time.monotonic()
        time.sleep(0.5)
        if time.monotonic() - began < 0.499 and not stopping:
            bad.append("a sleep ended early")
        beat()


def threads():
    workers = [threading.Thread(target=work, name="worker-%d" % n) for n in range(8)]
    for worker in workers:
        worker.start()
    idle()
    for worker in workers:
        worker.join()


def loop():
    async def echo(reader, writer):
        while not stopping:
            data = await reader.read(100)
            if not data:
                break
            writer.write(data)
        writer.close()

    async def client(port, number):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = bytes([number]) * 50
        while not stopping:
            writer.write(sent)
            if await reader.readexactly(50) != sent:
                bad.append("an echo was wrong")
            beat()
            await asyncio.sleep(0.002)
        writer.close()

    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        ready()
        await asyncio.gather(*[client(port, n) for n in range(4)])

    asyncio.run(main())


def forking():
    """A supervisor: every child that it reaps must be one that it made."""
    foreign = []
    signals = [0]
    signal.signal(signal.SIGCHLD, lambda *_: signals.__setitem__(0, signals[0] + 1))
    made = 0
    ready()
    while not stopping:
        pid = os.fork()
        if pid == 0:
            time.sleep(0.01)
            os._exit(3)
        made += 1
        done, status = os.waitpid(-1, 0)
        if done != pid:
            foreign.append(done)
        elif os.WEXITSTATUS(status) != 3:
            bad.append("a child's exit status was wrong")
        beat()
    if foreign:
        bad.append("reaped a child that is not its own: %r" % foreign)
    if signals[0] > made:
        bad.append("%d SIGCHLD for %d children" % (signals[0], made))


def native():
    """Mostly in C code that holds the GIL."""
    numbers = list(range(200000, 0, -1))
    ready()
    while not stopping:
        if sorted(numbers)[0] != 1:
            bad.append("sorted wrongly")
        beat()


def timers():
    """A signal handler raises out of arbitrary code; every exception must arrive where it belongs."""

    class Timeout(Exception):
        pass

    raised = [0]

    def ring(*_):
        raised[0] += 1
        raise Timeout

    caught = 0
    signal.signal(signal.SIGALRM, ring)
    ready()
    while not stopping:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.004)
            number = 0
            while True:
                number = (number * 31 + 7) % 1000003
        except Timeout:
            caught += 1
            beat()
    signal.setitimer(signal.ITIMER_REAL, 0)
    if caught != raised[0]:
        bad.append("%d exceptions raised, %d caught" % (raised[0], caught))


signal.signal(signal.SIGTERM, stop)
globals()[sys.argv[1]]()
print(json.dumps({"beats": beats, "bad": bad}), flush=True)
