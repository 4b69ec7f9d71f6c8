"""The roots that no module names: threads, the variables of running functions, asyncio's tasks."""

import sys

from .attributes import c_attribute, module_dict
from .labels import Label
from .names import code_name, file_name, printable, qualname_of

FEW_TASKS = 64
MOST_LOOKED_AT = 200
_CODE = type(printable.__code__)


def claim_threads(claims, active, names):
    """Claims the Thread objects that no module names."""
    for ident, thread in active.items():
        claims.claim(Label("thread", "thread " + names.get(ident, "?"), "Thread"), thread)


def claim_frames(claims, records, names):
    """Claims what the variables of running functions lead to, outermost calls first."""
    rest = Label("frame", "running functions", "(small values)")
    for ident, _, code, _, variables in reversed(records):
        if type(variables) is not dict or type(code) is not _CODE:
            continue
        label = Label("frame", _frame_scope(names.get(ident, "%d" % ident), code), "")
        for name, held in variables.items():
            claims.claim_telling(label, printable(name, 100), held)
        for held in variables.values():
            claims.claim(rest, held)


def claim_orphans(claims, orphans):
    """Claims what only the state of other threads held before the snapshot lost these."""
    label = Label("thread", "state of the threads", "(no name)")
    for thing in orphans:
        claims.claim(label, thing)


def _frame_scope(thread, code):
    # The line where the function begins: where it stands differs from dump to dump.
    place = (thread, code_name(code), file_name(code.co_filename), code.co_firstlineno)
    return printable("thread %s: %s (%s:%d)" % place, 300)


def find_tasks(heap, counts):
    """asyncio's tasks among what the heap tracks; `counts` has the ids of the types of which it tracks any."""
    kind = _task_type()
    if kind is None:
        return []
    kinds, todo = {}, [kind]
    while todo:
        kind = todo.pop()
        kinds[id(kind)] = kind
        todo += [sub for sub in type.__dict__["__subclasses__"](kind) if id(sub) not in kinds]
    if not any(map(counts.__contains__, kinds)):
        return []
    return heap.instances(list(kinds.values()))


def _task_type():
    kind = module_dict(sys.modules.get("_asyncio")).get("Task")
    return kind if type(kind) is type and c_attribute(kind, "get_coro") is not None else None


def hold_tasks(walk, tasks):
    """Keeps the tasks for themselves: no other owner's walk goes through them."""
    return [task for task in tasks if walk.claim(task)]


def claim_tasks(claims, tasks):
    """Claims held tasks by the coroutine that they run, and the variables of those that are few."""
    get_coroutine = c_attribute(_task_type(), "get_coro") if tasks else None
    groups = {}
    for task in tasks:
        coroutine = get_coroutine(task)
        groups.setdefault(_coroutine_name(coroutine), []).append((task, coroutine))
    for name, group in groups.items():
        label = Label("task", "asyncio", name)
        label.notes += _waits(group[:MOST_LOOKED_AT])
        variables = Label("frame", printable("asyncio task " + name, 200), "")
        for task, coroutine in group:
            claims.adopt(label, task)
            if len(group) <= FEW_TASKS:
                for variable, held in _variables(coroutine):
                    claims.claim_telling(variables, variable, held)


def _coroutine_name(coroutine):
    kind = type(coroutine)
    qualname = c_attribute(kind, "__qualname__")
    name = qualname.__get__(coroutine) if qualname is not None else None
    return printable(name, 160) if type(name) is str else qualname_of(kind)


def _variables(coroutine):
    """The variables of a coroutine and of those that it awaits."""
    found = []
    for frame in _frames(coroutine):
        found += [(printable(name, 100), held) for name, held in dict(frame.f_locals).items()]
    return found


def _waits(group):
    """Where most of some tasks await what they wait for, each by its innermost coroutine that is not asyncio's own."""
    counts = {}
    for _, coroutine in group:
        frames = _frames(coroutine)
        for frame in [frame for frame in frames if not _is_asyncios(frame.f_code)][-1:] or frames[-1:]:
            place = (code_name(frame.f_code), file_name(frame.f_code.co_filename), frame.f_lineno or 0)
            counts[place] = counts.get(place, 0) + 1
    if not counts:
        return []
    place = max(counts, key=counts.get)
    told = "awaits in %s (%s:%d)" % place
    return [told if counts[place] == len(group) else "%d of %d looked at: %s" % (counts[place], len(group), told)]


def _is_asyncios(code):
    return "/asyncio/" in printable(code.co_filename, 300)


def _frames(coroutine):
    """The frames of a coroutine and of those that it awaits, outermost first."""
    found = []
    while type(coroutine) is _COROUTINE and len(found) < FEW_TASKS:
        frame = coroutine.cr_frame
        if frame is None:
            break
        found.append(frame)
        coroutine = coroutine.cr_await
    return found


async def _nothing():
    pass


_coroutine = _nothing()
_COROUTINE = type(_coroutine)
_coroutine.close()
del _coroutine
