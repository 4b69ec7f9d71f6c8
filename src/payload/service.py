"""What the payload is handed about the service, made safe to use."""

import sys
from itertools import compress

from .attributes import module_dict
from .interpreters import adopt
from .stacks import read_records, thread_names


class Service:
    """Threads, running frames, and the ids that no walk may enter.

    `snapshot` is None or `[records, active]`. A third element may be a list of objects that native code kept alive
    through fork cleanup: those that nothing else holds any more become roots, the list is emptied. A fourth has the
    modules of other interpreters, which join those of this one.
    """

    __slots__ = ("records", "active", "names", "opaque", "orphans", "gc_before", "starter")

    def __init__(self, snapshot, gc_before, own_globals):
        self.gc_before = gc_before
        self.starter = own_globals
        adopt(snapshot, sys.modules)
        self.orphans = _release(snapshot)
        own = set(map(id, own_globals.values())) | {id(own_globals)}
        own.update(id(module_dict(module)) for module in dict.values(sys.modules) if _is_ours(module))
        self.records, self.active = read_records(snapshot, own)
        self.names = thread_names(self.active, self.records)
        self.opaque = own | _handed_over(snapshot, self.records)
        self.opaque.discard(id(None))


def _is_ours(module):
    name = module_dict(module).get("__package__")
    return type(name) is str and name == __package__


def _release(snapshot):
    kept = snapshot[2] if type(snapshot) is list and len(snapshot) > 2 else None
    if type(kept) is not list:
        return []
    holder = [object()]
    single = list(map(sys.getrefcount, holder))[0]
    orphans = list(compress(kept, map(single.__eq__, map(sys.getrefcount, kept))))
    kept.clear()
    return orphans


def _handed_over(snapshot, records):
    """Frames, which must not be touched, and the lists and dicts that were made for us."""
    modules = {id(module_dict(module)) for module in dict.values(sys.modules)}
    found = {id(record[1]) for record in records}
    found.update(id(record[4]) for record in records if id(record[4]) not in modules)
    found.update(map(id, records))
    if type(snapshot) is list:
        found.add(id(snapshot))
        found.update(map(id, snapshot))
    return found
