"""What the census has to know about a type, learnt from the first instance that it meets."""

import gc
import sys

from .attributes import METHOD
from .buffers import extra_bytes
from .names import mro_of, names_of, type_name

HEAP_TYPE, HAS_GC, MANAGED_DICT = 1 << 9, 1 << 14, 1 << 4
_FLAGS = type.__dict__["__flags__"].__get__
_ITEMSIZE = type.__dict__["__itemsize__"].__get__
_BASICSIZE = type.__dict__["__basicsize__"].__get__
_OBJECT_SIZEOF = object.__dict__["__sizeof__"]


class _Probe:
    pass


_probe = _Probe()
_probe.attribute = None
# From 3.11 on an instance keeps its attribute values inline, and not every version counts them in its size.
_INLINE_UNCOUNTED = sys.version_info >= (3, 11) and sys.getsizeof(_probe) <= _BASICSIZE(_Probe) + 32


class TypeFacts:
    """`walks` says how to find what instances refer to; `size` is 0 where each has its own."""

    __slots__ = ("kind", "walks", "size", "measure", "holds_more", "maybe_untracked")

    def __init__(self, kind, sample):
        self.kind = kind
        self.maybe_untracked = kind is dict or kind is tuple
        self.walks = _how_to_walk(kind)
        extra = extra_bytes(kind)
        self.holds_more = extra is not None
        self.measure = _measure(kind) if extra is None else _add(_measure(kind), extra)
        self.size = 0
        if extra is None and _ITEMSIZE(kind) == 0 and sizeof_of(kind)[0] is _OBJECT_SIZEOF:
            self.size = self.measure(sample) + _inline_bytes(kind, sample)

    def sizes(self, group):
        """The size of each of the instances."""
        try:
            return list(map(self.measure, group))
        except Exception:
            return [_BASICSIZE(self.kind)] * len(group)


def _add(measure, extra):
    def measure_all(thing):
        size = measure(thing)
        try:
            return size + extra(thing)
        except Exception:
            return size

    return measure_all


def layout_of(kind):
    """Basic size, item size and flags of a class, without the flag that changes as one looks."""
    return [_BASICSIZE(kind), _ITEMSIZE(kind), _FLAGS(kind) & ~(1 << 19)]


def flags_of(kind):
    """The class's Py_TPFLAGS."""
    return _FLAGS(kind)


def is_ndarray(kind):
    """Whether it is numpy's array type or inherits from it."""
    return any(not _FLAGS(base) & HEAP_TYPE and type_name(base) == "numpy.ndarray" for base in mro_of(kind))


def _how_to_walk(kind):
    if kind is dict:
        return "dict"
    if any(base is dict for base in mro_of(kind)):
        return "mapping"
    if is_ndarray(kind):
        return "array"
    if kind is type(sys):
        return "leaf"  # its dict is walked by name; _asyncio of 3.12 shows freed objects, and comes to a loop over them
    return "plain" if _FLAGS(kind) & HAS_GC else "leaf"


def sizeof_of(kind):
    """The C method behind `__sizeof__`, and whether it is the first that an instance would find."""
    first = True
    for base in mro_of(kind):
        found = names_of(base).get("__sizeof__")
        if type(found) is METHOD:
            return found, first
        first = first and found is None
    return _OBJECT_SIZEOF, False


def _measure(kind):
    method, is_first = sizeof_of(kind)
    if is_first:
        return sys.getsizeof
    header = 16 if _FLAGS(kind) & HAS_GC else 0
    return lambda thing: method(thing) + header


def _inline_bytes(kind, sample):
    if not _INLINE_UNCOUNTED or not _FLAGS(kind) & MANAGED_DICT:
        return 0
    held = [r for r in gc.get_referents(sample) if r is not kind]
    if len(held) == 1 and type(held[0]) is dict:
        return 0  # the values are in the instance's own dict
    slots = len(held) + 1
    return ((slots + 9) // 8 * 8 + slots * 8 + 15) // 16 * 16
