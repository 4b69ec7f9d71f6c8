"""Where memory was allocated, of a service in which tracemalloc runs.

All traces are one list, which C code makes: up to 0.25 KB each. While it is gone through, tracemalloc goes on and
makes each small object that is created here ten times as dear, so few are.
"""

import sys

from .attributes import module_dict
from .emit import LINE_BYTES, send, to_json
from .names import is_a, printable

SITES, FRAMES, FILE = 100, 50, 300
# 2.5 GB of lists, and half a minute.
MOST_TRACES = 10_000_000
# What tracemalloc's own tables take for a trace, at least.
TABLE_BYTES = 48
PACKAGE = __name__.rpartition(".")[0]


def tell_traced(write, starter):
    """Tells the sites that most memory was allocated at; nothing where tracemalloc does not run.

    `starter` are the globals of bootstrap.py, whose own allocations are left out like those of all our files.
    """
    facts = _state()
    if facts is None:
        return
    most = facts["overheadBytes"] // TABLE_BYTES
    if most > MOST_TRACES:
        refuse_traced(write, "up to %d traces are too many: they would need %d MiB" % (most, most >> 12), **facts)
        return
    sites = _Sites(_lines_of(starter))
    sites.add(_function("_get_traces")())
    frames = FRAMES
    rows = sites.rows(frames)
    while frames > 1 and len(to_json(rows)) > LINE_BYTES:
        frames //= 2
        rows = sites.rows(frames)
    send(write, "allocated", bytes=sites.bytes, count=sites.count, sites=rows, problem=None, **facts)


def refuse_traced(write, problem, frames=0, overheadBytes=0):  # noqa: N803 (a name of the line)
    """Tells why there are no sites."""
    facts = {"frames": frames, "overheadBytes": overheadBytes}
    send(write, "allocated", bytes=0, count=0, sites=[], problem=problem, **facts)


class _Sites:
    """Traces added up by the file and line that allocated, which is their first frame."""

    def __init__(self, starter_lines):
        self.bytes = self.count = 0
        self._starter_lines = starter_lines
        self._files = {}
        self._sites = {}

    def add(self, traces):
        """Adds what `_tracemalloc._get_traces` tells: domain, size, frames and, from 3.9 on, how many there were."""
        # Equal tracebacks are one tuple here. Hashing one could run code of a file name that only inherits from str.
        tracebacks, take = {}, {}
        for trace in traces:
            key = id(trace[2])
            append = take.get(key)
            if append is None:
                sizes = []
                tracebacks[key] = trace[2], sizes
                append = take[key] = sizes.append
            append(trace[1])
        for frames, sizes in tracebacks.values():
            self._add_traceback(frames, sum(sizes), len(sizes))

    def _add_traceback(self, frames, size, count):
        file, line = self._place(frames[0]) if frames else ("?", 0)
        if file.startswith(PACKAGE + "/") or (file == "<string>" and line in self._starter_lines):
            return
        self.bytes += size
        self.count += count
        site = self._sites.setdefault((file, line), [0, 0, 0, ()])
        site[0] += size
        site[1] += count
        if size > site[2] or not site[3]:
            site[2:] = size, frames

    def _place(self, frame):
        file, line = frame
        known = self._files.get(id(file))  # the list of traces keeps it alive
        if known is None:
            known = self._files[id(file)] = printable(file, FILE) if is_a(file, str) else "?"
        return known, line if type(line) is int else 0

    def rows(self, frames):
        """The largest sites, each with the first frames of the traceback through which most of it was allocated."""
        largest = sorted(self._sites.values(), key=_size_of_site, reverse=True)[:SITES]
        return [
            {"bytes": size, "count": count, "frames": [self._frame(frame) for frame in traceback[:frames]]}
            for size, count, _, traceback in largest
        ]

    def _frame(self, frame):
        file, line = self._place(frame)
        return {"file": file, "line": line}


def _size_of_site(site):
    return site[0]


def _state():
    """How many frames are remembered, and the memory that this takes; None where tracemalloc does not run."""
    names = ("is_tracing", "get_traceback_limit", "get_tracemalloc_memory", "_get_traces")
    functions = list(map(_function, names))
    if None in functions or not functions[0]():
        return None
    return {"frames": functions[1](), "overheadBytes": functions[2]()}


def _function(name):
    function = module_dict(sys.modules.get("_tracemalloc")).get(name)
    return function if type(function) is type(len) else None


def _lines_of(starter):
    """The lines of bootstrap.py, which has no file name of its own."""
    codes = [thing.__code__ for thing in starter.values() if type(thing) is type(_lines_of)]
    own = [code.co_firstlineno for code in codes if code.co_filename == "<string>"]
    return range(min(own), max(own) + 20) if own else ()
