"""The payload: tells about the snapshot, in the order in which it matters if the snapshot is lost midway."""

from .census import count_tracked, take_census, tell_progress
from .emit import LINE_BYTES, send, to_json
from .graph import tell_graph
from .names import type_name
from .native import choose_heap  # noqa: F401 (bootstrap.py takes it from here)
from .pools import tell_pools
from .runtime import allocated_blocks, gc_facts, python_facts
from .service import Service  # noqa: F401 (likewise)
from .stacks import FRAMES, thread_stacks
from .traced import refuse_traced, tell_traced


def run(service, heap, kinds, write):
    """Tells everything, line by line; one part that fails does not take the others along.

    Returns what is left to do when malloc's figures have been told; the census stands, whatever becomes of that.
    """
    problems, labels = [], []
    blocks = allocated_blocks()

    def tell_runtime():
        threads = len({record[0] for record in service.records})
        facts = {"python": python_facts(threads), "gc": gc_facts(service.gc_before)}
        send(write, "runtime", allocatedBlocks=blocks, **facts)

    def tell_stacks():
        frames = FRAMES
        stacks = thread_stacks(service.records, service.names)
        while frames > 1 and len(to_json(stacks)) > LINE_BYTES:
            frames //= 2
            stacks = thread_stacks(service.records, service.names, frames)
        send(write, "stacks", threads=stacks)

    def tell_census():
        counts, tasks = count_tracked(heap, write)
        problems_met, labels[:] = take_census(service, heap, counts, tasks, write)
        problems.extend(problems_met)

    attempt(tell_runtime, "runtime", problems)
    if "stacks" in kinds:
        attempt(tell_stacks, "stacks", problems)
    if "census" in kinds:
        attempt(tell_census, "census", problems)
    send(write, "end", problems=problems)

    def tell_rest():
        failed = []
        if "graph" in kinds:
            attempt(lambda: _tell_graph(heap, labels, write), "graph", failed)
            if failed:
                send(write, "no-graph", problem=failed[0])
        failed = []
        attempt(lambda: tell_traced(write, service.starter), "traced", failed)
        if failed:
            refuse_traced(write, failed[0])
        tell_pools(heap.native, write)

    return tell_rest if "census" in kinds else None


def _tell_graph(heap, labels, write):
    native = heap.native
    if native is None or not labels:
        send(write, "no-graph", problem="the native walk did not do in this snapshot")
    else:
        tell_graph(native, labels, tell_progress(write), write)


def attempt(step, name, problems):
    """Runs one part; an error becomes a problem that names the place."""
    try:
        step()
    except (OSError, KeyboardInterrupt, SystemExit):
        raise  # nobody listens any more
    except BaseException as error:
        trace = error.__traceback__
        while trace.tb_next is not None:
            trace = trace.tb_next
        place = (name, type_name(type(error)), trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        problems.append("%s: %s at %s:%d" % place)
