"""What no root leads to: cyclic garbage, or objects that native code keeps.

The walk in Python does not remember what it met once (see walk.py). Only if the collector lists notably more objects
than were met, a second walk over the same starts marks the objects of the types that are missing. The native walk
remembers everything, and reckons by itself.
"""

import gc
import sys
from _collections import _count_elements
from itertools import compress

from .labels import Label
from .names import module_of, qualname_of, type_name
from .walk import CHUNK, Tally, Walk

NOTABLE, FEW = 20_000, 50


def count_missing(listed, walk, tallies):
    """How many tracked objects of each type id were not met; `listed` has types and counts by type id."""
    met = {}
    for tally in tallies:
        for key, count in tally.counts.items():
            met[key] = met.get(key, 0) + count
    for key, count in walk.untracked.items():
        met[key] -= count
    missing = {key: count - met.get(key, 0) for key, (_, count) in listed.items()}
    return {key: count for key, count in missing.items() if count > 0}


def is_notable(missing, listed, application):
    """Whether it is worth a second walk: many objects, or more than a few of the application's own types.

    Every interpreter has some thousands that no walk finds, such as the weak references to subclasses.
    """
    count = sum(missing.values())
    own = sum(n for key, n in missing.items() if module_of(listed[key][0]) in application)
    return own >= FEW or count > NOTABLE or count * 20 > sum(count for _, count in listed.values())


def find_unreached(missing, starts, opaque, beat):
    """Walks again from the starts; returns what drops from a list of tracked objects those that they lead to."""
    marked = set()

    def mark(key, group):
        if key in missing:
            marked.update(map(id, group))

    walk = Walk(opaque, beat, mark)
    tally = Tally()
    walk.seen.update(map(id, starts))
    for begin in range(0, len(starts), CHUNK):
        walk.drain(walk.enter(starts[begin : begin + CHUNK], tally), tally)

    def drop_reached(found):
        found = list(compress(found, map(missing.__contains__, map(id, map(type, found)))))
        return [thing for thing in found if id(thing) not in marked and id(thing) not in walk.seen]

    return drop_reached


def split_garbage(found):
    """Parts the objects into those that only their own references keep, and those that something else keeps.

    This is the collector's own reckoning, without its finalizers.
    """
    inside = {}
    for begin in range(0, len(found), CHUNK):
        refs = gc.get_referents(*found[begin : begin + CHUNK])
        _count_elements(inside, map(id, filter(gc.is_tracked, refs)))
        del refs
    listed_once = list(map(sys.getrefcount, [object()]))[0]
    counts = list(map(sys.getrefcount, found))
    kept = [o for o, count in zip(found, counts) if count - listed_once > inside.get(id(o), 0)]
    rest = dict(zip(map(id, found), found))
    for thing in kept:
        rest.pop(id(thing), None)
    begin = 0
    while begin < len(kept):
        chunk = kept[begin : begin + CHUNK]
        begin += len(chunk)
        kept += [r for r in gc.get_referents(*chunk) if rest.pop(id(r), None) is not None]
    return list(rest.values()), kept


def claim_unreached(groups, gc_enabled, claims):
    """One label for the cyclic garbage and one for what native code seems to keep."""
    garbage, kept = groups
    collector = "enabled" if gc_enabled else "disabled"
    told = (
        (garbage, "reference cycles that no root leads to", "cyclic garbage: automatic gc is " + collector),
        (kept, "not reached from any root", "something that tells the collector nothing keeps these"),
    )
    for group, scope, note in told:
        if group is not None:
            label = Label("unreachable", scope, _telling_types(group.counts))
            label.notes.append(note)
            group.claim(claims, label)


def _telling_types(counts):
    own = [row for row in counts.values() if module_of(row[0]) not in ("", "builtins")] or list(counts.values())
    own.sort(key=_count, reverse=True)
    common = [row for row in own if _count(row) * 4 >= _count(own[0])][:3]
    if len(common) == 1:
        return type_name(common[0][0])
    return " <-> ".join(qualname_of(kind) for kind, _ in common)


def _count(row):
    return row[1]
