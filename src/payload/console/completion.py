"""What a half-typed name may become. Nothing of the service is run for it: no property, no __getattr__, no __dir__."""

import sys

# fmt: off
KEYWORDS = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield"
]
# fmt: on
MOST = 500

_MODULE = type(sys)
_MRO = type.__dict__["__mro__"]
_TYPE_DICT = type.__dict__["__dict__"]
_GETSET = type(_TYPE_DICT)
_MEMBER = type(type("slotted", (), {"__slots__": ("a",)}).__dict__["a"])


def complete(text, namespace):
    """Names that `text`, the end of what was typed, may stand for; whole, in order, at most MOST."""
    path, dot, last = text.rpartition(".")
    if dot:
        found, thing = _evaluate(path.split("."), namespace)
        names = _attributes(thing) if found else ()
        head = path + "."
    else:
        names, head = [*KEYWORDS, *namespace, *_builtins()], ""
    fitting = {name for name in names if type(name) is str and name.isidentifier() and name.startswith(last)}
    if not last.startswith("_"):
        fitting = {name for name in fitting if not name.startswith("_")} or fitting
    return [head + name for name in sorted(fitting)[:MOST]]


def _builtins():
    module = dict.get(sys.modules, "builtins")
    return _module_dict(module)


def _evaluate(parts, namespace):
    found, thing = False, None
    for place in (namespace, _builtins()):
        if not found and parts[0] in place:
            found, thing = True, place[parts[0]]
    for part in parts[1:]:
        if found:
            found, thing = _attribute(thing, part)
    return found, thing


def _attribute(thing, name):
    """Whether an attribute can be had without running code, and what it is."""
    own = _own_dict(thing)
    if name in own:
        return True, own[name]
    for kind in _MRO.__get__(type(thing)):
        names = _TYPE_DICT.__get__(kind)
        if name in names:
            held = names[name]
            if type(held) is _MEMBER:
                try:
                    return True, held.__get__(thing)
                except AttributeError:
                    return False, None
            return not hasattr(type(held), "__get__"), held
    return False, None


def _attributes(thing):
    names = list(_own_dict(thing))
    for kind in _MRO.__get__(type(thing)):
        names += _TYPE_DICT.__get__(kind)
    return names


def _own_dict(thing):
    """The attributes that a thing itself has, of a class those of its bases as well."""
    kinds = _MRO.__get__(type(thing))
    if type in kinds:
        names = {}
        for base in reversed(_MRO.__get__(thing)):
            names.update(_TYPE_DICT.__get__(base))
        return names
    if _MODULE in kinds:
        return _module_dict(thing)
    for kind in kinds:
        getter = _TYPE_DICT.__get__(kind).get("__dict__")
        if type(getter) is _GETSET:
            own = getter.__get__(thing)
            return own if type(own) is dict else {}
    return {}


def _module_dict(module):
    return _MODULE.__dict__["__dict__"].__get__(module) if isinstance(module, _MODULE) else {}
