"""The same heap and walk as heap.py and walk.py, by the native walker (src/stub/walker.c), which touches no object.

It calls back for each type that it meets first. What it hands over are addresses of types, counts and bytes.
"""

import gc
from _collections import deque
from itertools import islice

from .heap import Heap
from .sizes import TypeFacts, layout_of, sizeof_of
from .walk import array_refs, builtin_of, entry_count

HOW = ("leaf", "plain", "dict", "mapping", "array")


def choose_heap(end, native):
    """The heap by native code where that reads objects as Python does, else by Python."""
    if native is None or not is_sound(native):
        return Heap(end)
    try:
        return NativeHeap(native)
    except MemoryError:  # the service is close to its own limit of address space
        return Heap(end)


class _Sample:
    __slots__ = ("slot", "__dict__")


def is_sound(native):
    """Whether native code finds in some objects what Python finds in them."""
    sample = _Sample()
    sample.slot, sample.attribute = [1, []], {1: []}
    samples = [
        object(),
        1,
        1.5,
        True,
        None,
        "",
        "\xe4",
        b"",
        (1, []),
        {"a": []},
        {1, 2},
        frozenset("a"),
        deque("a"),
        range(3),
    ]
    samples += [sample, sample.slot, sample.attribute, _Sample, is_sound, is_sound.__code__, len, int, BaseException()]
    for thing in samples:
        if native["layout"](thing) != [id(type(thing)), *layout_of(type(thing))]:
            return False
    return all(native["referents"](thing) == list(map(id, gc.get_referents(thing))) for thing in samples)


class NativeHeap:
    """What heap.py tells, with the collector's lists read by native code."""

    def __init__(self, native):
        self.native = native
        self._walk = NativeWalk(native)

    def tracked(self):
        """Type and count by the type's id."""
        return _counts(self.native["tracked"]())

    def instances(self, kinds):
        """What is of exactly one of these types."""
        return self.native["instances"](kinds)

    def forget(self):
        """There is nothing to let go of."""

    def walk(self, opaque, beat):
        """The walk over this heap, of which there is one."""
        self._walk.begin(opaque, beat)
        return self._walk

    def missing(self, counts, labels):
        """How many tracked objects of each type id the walk has not met."""
        return {key: count for key, (_, count) in _counts(self.native["unreached"]()).items()}

    def unreached(self, labels):
        """The tracked objects that were not met: cyclic garbage, and what something keeps."""
        self.native["split"]()
        return [self._walk.group(self.native["group"](kept)) for kept in (0, 1)]


class NativeWalk:
    """What walk.py does, by native code."""

    def __init__(self, native):
        self.facts = {}
        self.has = native["has"]
        self.claim = native["claim"]
        self._native = native
        self._beat = None
        self._parts = {}  # of the frontier, by the id of the label that they belong to
        self._frontier = 0
        self._learner = self._learn  # native code borrows it
        native["start"](self._learner, _refs_of_array)

    def begin(self, opaque, beat):
        """Hides what is opaque or ours; `beat` is told how many objects were walked."""
        self._beat = beat
        hide = self._native["hide"]
        for address in opaque:
            hide(address)
        for thing in (self, self._native, self.claim.__self__, *self._native.values()):
            hide(id(thing))

    def run(self, labels):
        """Walks from the labels' starts, which were claimed: first what is next to each label, then all the rest."""
        for label in labels:
            begin, self._frontier = self._frontier, self._native["enter"](label.starts)
            self._parts.setdefault(id(label), []).append((begin, self._frontier))
            self._take(label.tally)
        for label in labels:
            for begin, end in self._parts[id(label)]:
                self._drain(begin, end)
            self._take(label.tally)
        self._native["close"]()
        self._parts, self._frontier = {}, 0

    def _drain(self, begin, end):
        self._native["open"](begin, end)
        count = 1
        while count:
            count = self._native["drain"]()
            self._beat(count)

    def _take(self, tally):
        for key, count, size in rows_of(self._native["tally"](), 3):
            tally.counts[key] = tally.counts.get(key, 0) + count
            if size:
                tally.bytes[key] = tally.bytes.get(key, 0) + size

    def _learn(self, kind, sample):
        """What the native walk has to know about a type; see learn() in src/stub/walk.h."""
        facts = self.facts[id(kind)] = TypeFacts(kind, sample)
        size = facts.sizes([sample])[0]
        method = sizeof_of(kind)[0]
        try:
            header = size - method(sample)
        except Exception:
            method, header = None, 0
        if facts.holds_more:
            method = None
        return [HOW.index(facts.walks), facts.size, method, header, facts.measure, size]

    def group(self, told):
        """A part of what was not met, which becomes one label; None if there is nothing in it."""
        if not told:
            return None
        begin, self._frontier = self._frontier, told[0]
        return _Group(told[1], _counts(told[2:]), self, (begin, self._frontier))

    def keep_part(self, label, part):
        """Remembers a part of the frontier for a label."""
        self._parts.setdefault(id(label), []).append(part)

    def largest_first(self):
        """Size, type id and entries of the largest single objects."""
        return [(size, id(type(thing)), entry_count(thing)) for size, thing in rows_of(self._native["largest"](), 2)]

    def entry_types(self, thing):
        """How many entries of each type id a builtin container has."""
        base = builtin_of(thing)
        told = [] if base is None else self._native["entry_types"](thing, base)
        return {key: count for key, (_, count) in _counts(told).items()}


class _Group:
    """Objects that one label begins with; all but the first are on the frontier already."""

    def __init__(self, first, counts, walk, part):
        self._first = first
        self._walk = walk
        self._part = part
        self.counts = counts

    def claim(self, claims, label):
        """Makes the objects the label's."""
        self._walk.keep_part(label, self._part)
        claims.adopt(label, self._first)


def _refs_of_array(array):
    return array_refs([array])


def rows_of(flat, width):
    """The items of a flat list, so many at a time."""
    return zip(*(islice(flat, at, None, width) for at in range(width)))


def _counts(flat):
    return {id(kind): (kind, count) for kind, count in rows_of(flat, 2)}
