"""Attributes by their C descriptors: no property, `__getattr__` or metaclass of the service is asked."""

import sys

from .names import is_a, mro_of, names_of

GETSET = type(type.__dict__["__dict__"])
MEMBER = type(type.__dict__["__basicsize__"])
METHOD = type(object.__dict__["__sizeof__"])
_MODULE = type(sys)
_MODULE_DICT = _MODULE.__dict__["__dict__"].__get__
_TELLING = ("__self__", "__func__", "__wrapped__")


def instance_dict(thing):
    """The dict behind an instance's attributes, or an empty one where there is none."""
    for kind in mro_of(type(thing)):
        getter = names_of(kind).get("__dict__")
        if type(getter) is GETSET:
            try:
                found = getter.__get__(thing)
            except Exception:
                return {}
            return found if type(found) is dict else {}
    return {}


def module_dict(module):
    """A module's dict, or an empty one for what is no module."""
    names = _MODULE_DICT(module) if is_a(module, _MODULE) else None
    return names if type(names) is dict else {}


def slots_of(kind):
    """Name and reader of every slot and C member of a class that holds an object."""
    found = {}
    for base in mro_of(kind):
        for name, member in names_of(base).items():
            if type(member) is MEMBER and type(name) is str and _is_telling(name):
                found.setdefault(name, member.__get__)
    return tuple(found.items())


def _is_telling(name):
    return not name.startswith("__") or name in _TELLING


def read_slot(reader, thing):
    """What a slot holds, or None."""
    try:
        return reader(thing)
    except Exception:
        return None


def c_attribute(kind, name):
    """The C descriptor `name` of an exact class, or None."""
    found = names_of(kind).get(name)
    return found if type(found) in (GETSET, MEMBER, METHOD) else None
