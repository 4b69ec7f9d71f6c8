"""The way down from an object to what it holds, by the names that a reader of its code knows.

A step is what a path grows by: `.attribute`, `['key']`, `[*]`, `: closure variable cache`. Types are compared by id,
because `==` and `in` would ask a metaclass.
"""

import gc
import sys
from _collections import deque
from _thread import _local
from _weakref import ref
from itertools import chain

from .attributes import GETSET, MEMBER, METHOD, instance_dict, read_slot, slots_of
from .names import is_a, printable
from .sizes import HAS_GC, TypeFacts, flags_of
from .walk import entries_of, entry_count

FEW = 64
BIG_BYTES = 4096
IS_CLASS = 1 << 31


def _ids(*kinds):
    return frozenset(map(id, kinds))


_FUNCTION = type(printable)
_WRAPPERS = _ids(staticmethod, classmethod, property)
_CONTAINERS = _ids(dict, list, tuple, set, frozenset, deque)
_SIMPLE = _ids(
    *(str, bytes, int, float, complex, bool, range, slice, ref),
    *map(type, (None, ..., NotImplemented, sys, len, printable.__code__, sys._getframe())),
    *(GETSET, MEMBER, METHOD, type(object.__init__), type(object().__str__), type(dict.__dict__["fromkeys"])),
)
_NOTHING = {}
_facts = {}
_slots = {}


def is_telling(thing):
    """Whether an object may come to hold so much that a report should be able to name it."""
    kind = type(thing)
    if id(kind) in _CONTAINERS:
        return entry_count(thing) > FEW or not all(map(_is_constant, entries_of(thing)))
    return not _is_constant(thing)


def _is_constant(thing):
    kind = type(thing)
    if kind is _FUNCTION:
        own = dict.__len__(thing.__dict__) + dict.__len__(_or_nothing(thing.__kwdefaults__))
        return not (own or thing.__closure__ or _mutable(thing.__defaults__))
    if id(kind) in _WRAPPERS:
        return all(_is_constant(held) for _, held in _slot_values(thing))
    if id(kind) in _SIMPLE or not flags_of(kind) & HAS_GC:
        return _own_size(thing) < BIG_BYTES
    return bool(flags_of(kind) & IS_CLASS)


def _mutable(defaults):
    return defaults is not None and any(id(type(d)) not in _SIMPLE for d in tuple.__iter__(defaults))


def _own_size(thing):
    facts = _facts.get(id(type(thing)))
    if facts is None:
        facts = _facts[id(type(thing))] = TypeFacts(type(thing), thing)
    return facts.size or facts.sizes([thing])[0]


def children(thing):
    """Steps and what they lead to; nothing from containers with many entries."""
    kind = type(thing)
    if kind is _FUNCTION:
        return _of_function(thing)
    if is_a(thing, _local):  # never by its own dict: that runs a subclass's __init__
        return _of_thread_local(thing)
    found = _slot_values(thing) if id(kind) not in _CONTAINERS else []
    names = instance_dict(thing) if id(kind) not in _CONTAINERS else {}
    if len(names) <= 4 * FEW:
        found += [("." + printable(name, 60), held) for name, held in names.items() if type(name) is str]
    length = entry_count(thing)
    if length is not None and length <= FEW:
        found += _of_container(thing)
    return found


def _slot_values(thing):
    key = id(type(thing))
    slots = _slots.get(key)
    if slots is None:
        slots = _slots[key] = slots_of(type(thing))
    values = [("." + printable(name, 60), read_slot(reader, thing)) for name, reader in slots]
    # A wrapped function goes by the name of its wrapper.
    return [("", held) if step in (".__func__", ".__wrapped__", ".fget") else (step, held) for step, held in values]


def _of_container(thing):
    if is_a(thing, dict):
        return [(_key_step(key), held) for key, held in dict.items(thing)]
    held = list(entries_of(thing))
    if len(set(map(id, map(type, held)))) == 1 or id(type(thing)) in _ids(set, frozenset):
        return [("[*]", entry) for entry in held]
    return [("[%d]" % index, entry) for index, entry in enumerate(held)]


def _key_step(key):
    """Only keys that look like names are shown; others could be data."""
    if type(key) is str and 0 < len(key) <= 40 and all(c.isalnum() or c in "_-.:/ " for c in key):
        return "['%s']" % key
    return "[*]"


def _of_function(function):
    code = function.__code__
    found = [("." + printable(name, 60), held) for name, held in dict.items(function.__dict__)]
    for name, cell in zip(tuple.__iter__(code.co_freevars), function.__closure__ or ()):
        found += [(": closure variable " + printable(name, 60), held) for held in gc.get_referents(cell)]
    defaults = _exact(function.__defaults__)
    arguments = _exact(code.co_varnames)[: code.co_argcount]
    named = chain(
        zip(arguments[len(arguments) - len(defaults) :], defaults),
        dict.items(_or_nothing(function.__kwdefaults__)),
    )
    return found + [(": default of " + printable(name, 60), held) for name, held in named]


def _or_nothing(names):
    return _NOTHING if names is None else names


def _exact(items):
    return () if items is None else tuple(tuple.__iter__(items))


def _of_thread_local(thing):
    """The attributes of all threads: a name stands for every thread's own value."""
    found = []
    for table in gc.get_referents(thing):
        for names in table.values() if type(table) is dict else ():
            if type(names) is dict:
                found += [("." + printable(name, 60), held) for name, held in names.items()]
    return found
