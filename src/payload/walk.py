"""The walk over the heap: every object once, counted for the label through which it was met first.

Two ideas carry it. Work is done by C functions on some thousands of objects at a time. And an object with a single
reference is met exactly once anyway, so only shared objects (and those that we hold ourselves, which makes them
shared) have to be remembered: that saves most of the memory and a third of the time.

Types are told apart by id: as keys of a dict they could run a metaclass's `__hash__`.
"""

import gc
import sys
from _collections import _count_elements, deque
from _operator import not_
from itertools import chain, compress, islice

from .attributes import c_attribute
from .names import mro_of
from .sizes import HEAP_TYPE, TypeFacts, flags_of

CHUNK = 8192
LARGEST = 30
_refs = gc.get_referents
_refcount = sys.getrefcount


class Tally:
    """What one label holds, by type id; `bytes` only has the types whose instances differ in size."""

    __slots__ = ("counts", "bytes")

    def __init__(self):
        self.counts = {}
        self.bytes = {}


class Walk:
    """One walk; `opaque` are ids that are neither counted nor entered."""

    def __init__(self, opaque, beat=None, watch=None):
        self.seen = set(opaque)
        self.facts = {}
        self.untracked = {}
        self.largest = []
        self._floor = 1024
        self._is_single = _single_refcount().__eq__
        self._beat = beat
        self._watch = watch

    def run(self, labels):
        """Walks from the labels' starts, which were claimed: first what is next to each label, then all the rest."""
        frontiers = [self.enter(label.starts, label.tally) for label in labels]
        frontiers.reverse()
        for label in labels:
            self.drain(frontiers.pop(), label.tally)

    def enter(self, starts, tally):
        """Counts the starts, which the caller has claimed; returns the objects that they lead to, claimed as well."""
        return self._fresh(self._visit(starts, tally))

    def drain(self, frontier, tally):
        """Counts the frontier and all that it leads to."""
        stack = [iter(frontier)]
        while stack:
            chunk = list(islice(stack[-1], CHUNK))
            if not chunk:
                stack.pop()
                continue
            found = self._fresh(self._visit(chunk, tally))
            if self._beat is not None:
                self._beat(len(chunk))
            if found:
                stack.append(iter(found))

    def has(self, thing):
        """Whether the object was met or is opaque."""
        return id(thing) in self.seen

    def claim(self, thing):
        """Whether the object was not met before; it is from now on. The caller must keep hold of it."""
        if id(thing) in self.seen:
            return False
        self.seen.add(id(thing))
        return True

    def _fresh(self, refs):
        single = list(map(self._is_single, map(_refcount, refs)))
        new = list(compress(refs, single))
        if len(new) == len(refs):
            return new
        shared = list(compress(refs, map(not_, single)))
        shared = dict(zip(map(id, shared), shared))
        for key in self.seen.intersection(shared):
            del shared[key]
        self.seen.update(shared)
        new += shared.values()
        return new

    def _visit(self, chunk, tally):
        keys = list(map(id, map(type, chunk)))
        _count_elements(tally.counts, keys)
        plain, refs = [], []
        for key, group in _by_key(keys, chunk):
            facts = self.facts.get(key)
            if facts is None:
                facts = self.facts[key] = TypeFacts(type(group[0]), group[0])
                refs.append(facts.kind)  # 3.8 does not tell that an instance keeps its class
            if not facts.size:
                self._weigh(facts, key, group, tally)
            if self._watch is not None:
                self._watch(key, group)
            if facts.maybe_untracked:
                tracked = sum(map(gc.is_tracked, group))
                self.untracked[key] = self.untracked.get(key, 0) + len(group) - tracked
            if facts.walks == "plain":
                plain.append(group)
            elif facts.walks != "leaf":
                refs += _SPECIAL[facts.walks](group)
        if plain:
            refs += _refs(*(plain[0] if len(plain) == 1 else chain.from_iterable(plain)))
        return refs

    def _weigh(self, facts, key, group, tally):
        sizes = facts.sizes(group)
        tally.bytes[key] = tally.bytes.get(key, 0) + sum(sizes)
        if max(sizes) >= self._floor:
            self.largest += [
                (size, key, entry_count(thing)) for size, thing in zip(sizes, group) if size >= self._floor
            ]
            if len(self.largest) > 40 * LARGEST:
                self.largest_first()

    def largest_first(self):
        """Size, type id and entries of the largest single objects; forgets the others."""
        self.largest.sort(key=_size_of_entry, reverse=True)
        del self.largest[LARGEST:]
        if len(self.largest) == LARGEST:
            self._floor = self.largest[-1][0] + 1
        return self.largest

    def entry_types(self, thing):
        """How many entries of each type id a builtin container has."""
        counts = {}
        _count_elements(counts, map(id, map(type, entries_of(thing))))
        return counts


def entries_of(thing):
    """The values of a dict, the items of another builtin container; nothing for the rest."""
    base = builtin_of(thing)
    return () if base is None else _READERS[id(base)](thing)


def builtin_of(thing):
    """The builtin container that an object is or inherits from, else None."""
    for base in mro_of(type(thing)):
        if id(base) in _READERS:
            return base
    return None


def entry_count(thing):
    """Number of entries of an exact or inherited builtin container, else None."""
    base = builtin_of(thing)
    return None if base is None else base.__len__(thing)


def _size_of_entry(entry):
    return entry[0]


def _single_refcount():
    holder = [object()]
    refs = _refs(holder)
    return list(map(_refcount, refs))[0]


def _by_key(keys, chunk):
    first = keys[0]
    if keys.count(first) == len(keys):
        return ((first, chunk),)
    groups = {key: [] for key in set(keys)}
    into = {key: group.append for key, group in groups.items()}
    for key, thing in zip(keys, chunk):
        into[key](thing)
    return groups.items()


def _dict_refs(dicts):
    """get_referents() leaves the keys of a dict out when all are str: those are added."""
    refs = _refs(*dicts)
    counts = map(len, map(_refs, dicts))
    without = [d for d, count, length in zip(dicts, counts, map(len, dicts)) if count < 2 * length]
    refs.extend(chain.from_iterable(without))
    return refs


def _mapping_refs(mappings):
    """The same for classes that inherit from dict, whose referents hold more than keys and values."""
    refs = _refs(*mappings)
    told = set(map(id, refs))
    keys = chain.from_iterable(map(dict.__iter__, mappings))
    refs.extend([key for key in keys if id(key) not in told])
    return refs


def array_refs(arrays):
    """numpy tells the collector neither an array's base nor its elements."""
    refs = _refs(*arrays)
    for array in arrays:
        ndarray = next(b for b in mro_of(type(array)) if not flags_of(b) & HEAP_TYPE)
        try:
            base = c_attribute(ndarray, "base").__get__(array)
            if base is not None:
                refs.append(base)
            elif c_attribute(ndarray, "dtype").__get__(array).char == "O":
                refs.extend(c_attribute(ndarray, "flat").__get__(array))
        except Exception:
            continue
    return refs


_SPECIAL = {"dict": _dict_refs, "mapping": _mapping_refs, "array": array_refs}
_READERS = {id(kind): kind.__iter__ for kind in (list, tuple, set, frozenset, deque)}
_READERS[id(dict)] = dict.values
