"""What no root leads to: cyclic garbage, or objects that native code keeps.

The first walk does not remember what it met once (see walk.py). Only if the collector lists notably more objects
than were met, a second walk over the same starts marks the objects of the types that are missing.
"""

import gc
import sys
from _collections import _count_elements
from itertools import chain, compress

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


def find_unreached(missing, labels, opaque, beat):
    """The tracked objects that the labels' starts do not lead to."""
    marked = set()

    def mark(key, group):
        if key in missing:
            marked.update(map(id, group))

    walk = Walk(opaque, beat, mark)
    tally = Tally()
    starts = list(chain.from_iterable(label.starts for label in labels))
    walk.seen.update(map(id, starts))
    for begin in range(0, len(starts), CHUNK):
        walk.drain(walk.enter(starts[begin : begin + CHUNK], tally), tally)
    # The service's own objects are frozen (see bootstrap.py). Nothing of ours may be made between the two lists.
    ours = gc.get_objects()
    gc.unfreeze()
    found = gc.get_objects()
    ours.append(ours)
    found = list(compress(found, map(missing.__contains__, map(id, map(type, found)))))
    for known in (set(map(id, ours)), marked, walk.seen):
        found = [thing for thing in found if id(thing) not in known]
    ours.clear()
    return found


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


def claim_unreached(found, gc_enabled, claims):
    """One label for the cyclic garbage and one for what native code seems to keep."""
    garbage, kept = split_garbage(found)
    collector = "enabled" if gc_enabled else "disabled"
    told = (
        (garbage, "reference cycles that no root leads to", "cyclic garbage: automatic gc is " + collector),
        (kept, "not reached from any root", "something that tells the collector nothing keeps these"),
    )
    for things, scope, note in told:
        if things:
            label = Label("unreachable", scope, _telling_types(things))
            label.notes.append(note)
            for thing in things:
                claims.claim(label, thing)


def _telling_types(things):
    counts, kinds = {}, {}
    for thing in things:
        kind = type(thing)
        counts[id(kind)] = counts.get(id(kind), 0) + 1
        kinds[id(kind)] = kind
    own = [key for key in counts if module_of(kinds[key]) not in ("", "builtins")] or list(counts)
    own.sort(key=counts.__getitem__, reverse=True)
    common = [key for key in own if counts[key] * 4 >= counts[own[0]]][:3]
    if len(common) == 1:
        return type_name(kinds[common[0]])
    return " <-> ".join(qualname_of(kinds[key]) for key in common)
