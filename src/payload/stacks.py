"""What every thread is doing.

A record is `[ident, frame, code, line, locals]`, innermost call first. Native code makes the records of all
threads before fork cleanup; the frames in those may be freed memory by now: they are compared by id, never touched.
"""

import sys

from .attributes import instance_dict, module_dict
from .names import code_name, printable, qualname_of

FRAMES, THREADS = 64, 512


def read_records(snapshot, own_globals):
    """The records and the live Thread objects by ident; of the calling process when there is no snapshot."""
    if type(snapshot) is list and len(snapshot) >= 2 and type(snapshot[0]) is list:
        records, active = snapshot[:2]
    else:
        records = _read_here(own_globals)
        active = module_dict(sys.modules.get("threading")).get("_active")
        active = dict(active) if type(active) is dict else None
    records = [r for r in records if type(r) is list and len(r) == 5 and type(r[0]) is int]
    return records, active if type(active) is dict else {}


def _read_here(own_globals):
    records = []
    for ident, frame in sys._current_frames().items():
        while frame is not None:
            if id(frame.f_globals) not in own_globals:
                records.append([ident, frame, frame.f_code, frame.f_lineno or 0, _locals_of(frame)])
            frame = frame.f_back
    return records


def _locals_of(frame):
    names = frame.f_locals
    if type(names) is dict:
        return names
    # 3.13 and later: a proxy for functions; a class body's namespace may be of any type.
    return dict(names) if qualname_of(type(names)) == "FrameLocalsProxy" else {}


def thread_names(active, records):
    """Thread ident to name, as far as the Thread objects tell it; a thread that is alone is the main one."""
    idents = {record[0] for record in records}
    names = {ident: "MainThread" for ident in idents if len(idents) == 1}
    names.update((ident, _own_name(thread)) for ident, thread in active.items() if type(ident) is int)
    return names


def _own_name(thread):
    name = instance_dict(thread).get("_name")
    return printable(name, 100) if type(name) is str else "?"


def thread_stacks(records, names, frames=FRAMES):
    """One entry per thread; of deep stacks the innermost three quarters of `frames` and the outermost calls."""
    threads = {}
    for record in records:
        threads.setdefault(record[0], []).append(record)
    main = _main_ident(threads)
    return [
        {
            "name": names.get(ident, "thread %d" % ident),
            "ident": ident,
            "isMain": ident == main,
            "frames": [_frame(r) for r in _ends(calls, frames)],
        }
        for ident, calls in list(threads.items())[:THREADS]
    ]


def _ends(calls, frames):
    if len(calls) <= frames:
        return calls
    outermost = frames // 4
    return calls[: frames - outermost] + calls[len(calls) - outermost :]


def _frame(record):
    code, line = record[2], record[3]
    if type(code) is not type(_frame.__code__):
        return {"file": "?", "line": 0, "function": "?"}
    return {
        "file": printable(code.co_filename, 300),
        "line": line if type(line) is int and 0 <= line < 1 << 31 else 0,
        "function": printable(code_name(code), 300),
    }


def _main_ident(threads):
    main = module_dict(sys.modules.get("threading")).get("_main_thread")
    ident = instance_dict(main).get("_ident")
    return ident if type(ident) is int else next(iter(threads), None)
