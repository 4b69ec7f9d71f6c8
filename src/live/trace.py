# Where it runs: in the service itself, as exec.py. Only when a rule's action or an operator asks for it by name.
# In:    REQUEST, a dict with `frames`: how many calls of each allocation are remembered; 0 ends the tracing.
# Out:   RESULT, JSON as bytes: how many frames are remembered from now on, and how many were before (0: it was off).
import _tracemalloc


def trace(frames):
    """Starts tracemalloc, if the service has not done so itself with as many frames; returns before and after."""
    before = _tracemalloc.get_traceback_limit() if _tracemalloc.is_tracing() else 0
    if frames == 0:
        _tracemalloc.stop()
    elif before < frames:
        _tracemalloc.stop()
        _tracemalloc.start(frames)
    return before, _tracemalloc.get_traceback_limit() if _tracemalloc.is_tracing() else 0


RESULT = b'{"before":%d,"frames":%d}' % trace(REQUEST["frames"])  # noqa: F821 (the globals that we are run with)
