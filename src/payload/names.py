"""Names of types, functions and threads as plain printable strings; runs no code of the service."""

_MRO = type.__dict__["__mro__"].__get__
_MODULE = type.__dict__["__module__"].__get__
_QUALNAME = type.__dict__["__qualname__"].__get__
_DICT = type.__dict__["__dict__"].__get__


def mro_of(kind):
    """The classes that `kind` inherits from, itself first, whatever its metaclass says."""
    return _MRO(kind) or (kind,)  # C types that nobody made ready have none yet


def names_of(kind):
    """The class's own names, read-only."""
    return _DICT(kind) or {}


def is_a(thing, kind):
    """isinstance() by the real type; ours asks neither `__class__` nor the metaclass."""
    real = type(thing)
    return real is kind or id(kind) in map(id, _MRO(real) or ())


def printable(text, limit):
    """An exact str of at most `limit` characters, shortened in the middle, without control characters."""
    if type(text) is str and len(text) <= limit and text.isprintable():
        return text
    if not is_a(text, str):
        return "?"
    length = str.__len__(text)
    if length > limit:
        head = limit * 2 // 3
        tail = limit - head - 1
        start = str.__getitem__(text, slice(head))
        text = start + "\u2026" + str.__getitem__(text, slice(length - tail, length))
    else:
        text = str.__getitem__(text, slice(length))
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def module_of(kind):
    """The module's name that a class gives for itself, or an empty string."""
    try:
        name = _MODULE(kind)
    except Exception:
        return ""
    return printable(name, 120) if type(name) is str else ""


def type_name(kind):
    """`module.qualname`, builtins without their module."""
    module = module_of(kind)
    name = printable(_QUALNAME(kind), 120)
    return printable(name if module in ("", "builtins") else module + "." + name, 200)


def qualname_of(kind):
    """A class's name inside its module."""
    return printable(_QUALNAME(kind), 120)


def code_name(code):
    """A code object's qualified name where the interpreter knows it (3.11 and later)."""
    try:
        return printable(code.co_qualname, 200)
    except AttributeError:
        return printable(code.co_name, 200)


def file_name(path):
    """The last part of a path."""
    return printable(path, 300).rpartition("/")[2]
