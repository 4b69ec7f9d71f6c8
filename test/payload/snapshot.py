"""Runs a little service in a process of its own and the payload in a fork of it, as the daemon would.

PYHEAP_WALKER names the native walker as a shared object; without it the payload walks in Python. PYHEAP_FUNCTIONS has
the names of the functions that it is given, in their order.
"""

import json
import os
import subprocess
import sys

PAYLOAD = os.path.join(os.path.dirname(__file__), "..", "..", "src", "payload")

PRELUDE = r"""
import gc, os, sys, tempfile

def walker():
    # the functions of the native walker, as the snapshot's native code makes them, and all that was made for them
    python = ctypes.pythonapi
    def address(name):
        try: return ctypes.addressof(ctypes.c_char.in_dll(python, name))
        except ValueError: return 0
    names = os.environ["PYHEAP_FUNCTIONS"].split()
    table = (ctypes.c_void_p * len(names))(*map(address, names))
    library = ctypes.PyDLL(os.environ["PYHEAP_WALKER"])
    library.pyheap_native.restype = ctypes.py_object
    native = library.pyheap_native(table)
    capsule = native["claim"].__self__
    return native, [native, capsule, table, library, library.__dict__, *native.values(), *library.__dict__.values()]

if "PYHEAP_WALKER" in os.environ:
    import ctypes
gc.collect()  # that leaves cycles

def snapshot(text, native=True, fork=True, request=None):
    if "PYHEAP_BOTH" not in os.environ:
        take_snapshot(text, native, fork, request, True)
    for natively in (None, False, True):  # the first fork is for the traces that it leaves, such as a warning
        if os.fork() == 0:
            if natively is not None:
                take_snapshot(text, native, fork, request, natively)
            os._exit(0)
        os.wait()
    os._exit(0)

def take_snapshot(text, native, fork, request, natively):
    # native: hands over what native code collects before fork cleanup; else the payload looks for itself
    handed = None
    if native:
        records = []
        for ident, frame in sys._current_frames().items():
            while frame is not None:
                if frame.f_code.co_name not in ("snapshot", "take_snapshot"):
                    records.append([ident, frame, frame.f_code, frame.f_lineno, dict(frame.f_locals)])
                frame = frame.f_back
        threading = sys.modules.get("threading")
        handed = [records, dict(threading._active) if threading else None]
    functions, ours = walker() if "PYHEAP_WALKER" in os.environ else (None, [])
    request = dict(request or {}, native=functions if natively else None, tracked=ours)
    names = {"__builtins__": __builtins__, "SNAPSHOT": handed, "REQUEST": request}
    names.update(("ours %d" % i, thing) for i, thing in enumerate([ours, *ours]))
    if not fork:
        with tempfile.TemporaryFile() as file:  # nobody would empty a pipe
            os.dup2(file.fileno(), 11)
            exec(text, names)
            finish(request)
            file.seek(0)
            done(file.read())
    read, write = os.pipe()
    if os.fork() == 0:
        os.dup2(write, 11)
        os.closerange(0, 11)
        os.closerange(12, 4096)
        exec(text, names)
        finish(request)
        os._exit(0)
    os.close(write)
    with open(read, "rb") as lines:
        done(lines.read())

def finish(request):
    # what native code does when it has told malloc's figures
    if request.get("afterwards") is not None:
        request["afterwards"]()

def done(lines):
    sys.stdout.buffer.write(lines)
    sys.stdout.flush()
    os._exit(0)

text = sys.stdin.read()
"""


def payload_text():
    """The one text that runs in a snapshot."""
    sources = {}
    for file in os.listdir(PAYLOAD):
        if file.endswith(".py") and file != "bootstrap.py":
            with open(os.path.join(PAYLOAD, file)) as source:
                sources[file[:-3]] = source.read()
    with open(os.path.join(PAYLOAD, "bootstrap.py")) as bootstrap:
        return "SOURCES = " + json.dumps(sources) + "\n" + bootstrap.read()


def run_service(program, **environment):
    """The lines that the payload writes in a service that runs `program`, which ends by calling `snapshot(text)`."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PRELUDE + program],
        input=payload_text(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env=dict(os.environ, **environment),
        timeout=120,
    )
    if done.returncode != 0 or done.stderr:
        raise AssertionError("service failed: %s %s" % (done.returncode, done.stderr[-2000:]))
    assert all(len(line) < 512 * 1024 for line in done.stdout.splitlines())
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_both_ways(program):
    """The same, of the same service walked in Python and natively."""
    lines = run_service(program, PYHEAP_BOTH="yes")
    begin = [at for at, line in enumerate(lines) if line["kind"] == "hello"]
    assert len(begin) == 2
    return lines[: begin[1]], lines[begin[1] :]


def line_of(lines, kind):
    """The only line of this kind."""
    (found,) = [line for line in lines if line["kind"] == kind]
    return found


def owners_of(lines):
    """All owners."""
    return [owner for line in lines if line["kind"] == "owners" for owner in line["owners"]]
