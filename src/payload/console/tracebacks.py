"""Errors as Python tells them, without the frames of ours that they came through."""

import sys

from .streams import Memory

MOST = 256 * 1024
_C_FUNCTION = type(sys.exc_info)


def describe(error):
    """The traceback of an error as text; whatever the error itself does when it is asked."""
    trace = _without_ours(error.__traceback__)
    stream, before = Memory(MOST), sys.stderr
    hook = sys.__dict__.get("__excepthook__")
    try:
        BaseException.with_traceback(error, trace)
        sys.stderr = stream
        if type(hook) is _C_FUNCTION:
            hook(type(error), error, trace)
    except BaseException as second:
        stream.write("[telling the error failed: %s]\n" % _name(second))
    finally:
        sys.stderr = before
    return stream.text() or "%s\n" % _name(error)


def _without_ours(trace):
    theirs = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith("pyheap_console/"):
            theirs.append(trace)
        trace = trace.tb_next
    for entry, after in zip(theirs, theirs[1:] + [None]):
        entry.tb_next = after
    return theirs[0] if theirs else None


def _name(error):
    return type.__dict__["__qualname__"].__get__(type(error))
