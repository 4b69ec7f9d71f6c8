"""What the collector tracks of the service, by the collector's own functions; native.py has the same without a touch.

The collector appends what is new to its youngest list, and it is switched off: whatever stands there behind the first
object of ours is ours as well.
"""

import gc
from _collections import _count_elements
from itertools import compress

from .unreached import count_missing, find_unreached, split_garbage
from .walk import Walk


class Heap:
    """The objects that are tracked; `end` is the first of ours."""

    def __init__(self, end):
        gc.unfreeze()  # a heap that the service froze is invisible otherwise
        self.native = None
        self._end = end
        self._listed = _list_until(end)
        self._walk = self._opaque = self._beat = self._missing = None

    def tracked(self):
        """Type and count by the type's id."""
        return _count_types(self._listed)

    def instances(self, kinds):
        """What is of exactly one of these types."""
        wanted = frozenset(map(id, kinds))
        return list(compress(self._listed, map(wanted.__contains__, map(id, map(type, self._listed)))))

    def forget(self):
        """Lets go of the list: as long as it lives, no object has a single reference."""
        self._listed = ()

    def walk(self, opaque, beat):
        """The walk over this heap, of which there is one."""
        self._opaque, self._beat = opaque, beat
        self._walk = Walk(opaque, beat)
        return self._walk

    def missing(self, counts, labels):
        """How many tracked objects of each type id the walk of the labels has not met."""
        self._missing = count_missing(counts, self._walk, [label.tally for label in labels])
        return self._missing

    def unreached(self, labels):
        """The tracked objects that the labels' starts do not lead to: cyclic garbage, and what something keeps."""
        starts = [start for label in labels for start in label.starts]
        mark = find_unreached(self._missing, starts, self._opaque, self._beat)
        return [_Group(things) if things else None for things in split_garbage(mark(_list_until(self._end)))]


class _Group:
    """Objects that become the starts of one label."""

    def __init__(self, things):
        self._things = things
        self.counts = _count_types(things)

    def claim(self, claims, label):
        """Makes the objects starts of the label."""
        for thing in self._things:
            claims.claim(label, thing)


def _list_until(end):
    young = gc.get_objects(0)
    del young[list(map(id, young)).index(id(end)) :]
    young += gc.get_objects(1)
    young += gc.get_objects(2)
    return young


def _count_types(things):
    counts = {}
    _count_elements(counts, map(id, map(type, things)))
    kinds = dict(zip(map(id, map(type, things)), map(type, things)))
    return {key: (kinds[key], count) for key, count in counts.items()}
