"""Runs a little service in a process of its own and the payload in a fork of it, as the daemon would."""

import json
import os
import subprocess
import sys

PAYLOAD = os.path.join(os.path.dirname(__file__), "..", "..", "src", "payload")

PRELUDE = r"""
import os, sys, tempfile

def walker():
    # the functions of the native walker, as the snapshot's native code makes them
    import ctypes
    python = ctypes.pythonapi
    def address(name):
        try: return ctypes.addressof(ctypes.c_char.in_dll(python, name))
        except ValueError: return 0
    names = os.environ["PYHEAP_FUNCTIONS"].split()
    table = (ctypes.c_void_p * len(names))(*map(address, names))
    library = ctypes.PyDLL(os.environ["PYHEAP_WALKER"])
    library.pyheap_native.restype = ctypes.py_object
    KEPT_ALIVE.append((table, library))
    return library.pyheap_native(table)

KEPT_ALIVE = []
NATIVE = walker() if "PYHEAP_WALKER" in os.environ else None

def snapshot(text, native=True, fork=True, request=None):
    # native: hands over what native code collects before fork cleanup; else the payload looks for itself
    handed = None
    if native:
        records = []
        for ident, frame in sys._current_frames().items():
            while frame is not None:
                if frame.f_code.co_name != "snapshot":
                    records.append([ident, frame, frame.f_code, frame.f_lineno, dict(frame.f_locals)])
                frame = frame.f_back
        threading = sys.modules.get("threading")
        handed = [records, dict(threading._active) if threading else None]
    request = dict(request or {}, native=NATIVE)
    names = {"__builtins__": __builtins__, "SNAPSHOT": handed, "REQUEST": request}
    if not fork:
        with tempfile.TemporaryFile() as file:  # nobody would empty a pipe
            os.dup2(file.fileno(), 11)
            exec(text, names)
            file.seek(0)
            done(file.read())
    read, write = os.pipe()
    if os.fork() == 0:
        os.dup2(write, 11)
        os.closerange(0, 11)
        os.closerange(12, 4096)
        exec(text, names)
        os._exit(0)
    os.close(write)
    with open(read, "rb") as lines:
        done(lines.read())

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


def run_service(program):
    """The lines that the payload writes in a service that runs `program`, which ends by calling `snapshot(text)`."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PRELUDE + program],
        input=payload_text(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=120,
    )
    if done.returncode != 0 or done.stderr:
        raise AssertionError("service failed: %s %s" % (done.returncode, done.stderr[-2000:]))
    assert all(len(line) < 512 * 1024 for line in done.stdout.splitlines())
    return [json.loads(line) for line in done.stdout.splitlines()]


def line_of(lines, kind):
    """The only line of this kind."""
    (found,) = [line for line in lines if line["kind"] == kind]
    return found


def owners_of(lines):
    """All owners."""
    return [owner for line in lines if line["kind"] == "owners" for owner in line["owners"]]
