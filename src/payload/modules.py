"""The first roots: what modules and classes hold by name, and the interpreter's own things."""

import gc
import sys

from .attributes import module_dict
from .labels import Label
from .names import is_a, module_of, names_of, printable, qualname_of
from .sizes import HEAP_TYPE, flags_of

CODE = "(functions, classes and constants)"
MOST_CLASSES = 200_000


def claim_modules(claims, own_package):
    """Claims modules, classes that a module names, and their attributes; `__main__` and the application first.

    Returns the names of the application's modules.
    """
    modules = _modules(own_package)
    everything = Label("interpreter", "interpreter", "types and standard library")
    classes = _named_classes(modules)
    claims.claim(everything, sys.modules)
    # First all that ends a walk, then what is worth a name in it.
    code = [_claim_code(claims, everything, module) for module in modules]
    for kind, home in classes:
        label = code[home] if home is not None else everything
        claims.claim(label, kind)
        if not flags_of(kind) & HEAP_TYPE:  # which do not tell the collector what is in their dicts
            for names in gc.get_referents(names_of(kind)):
                claims.claim(label, names)
    for module in modules:
        label = Label("module", printable(module[0], 120), "")
        for name, held in _named(module[2]):
            claims.claim_telling(label, name, held)
    for kind, _ in classes:
        label = Label("class", _class_name(kind), "")
        for name, held in _named(names_of(kind)):
            claims.claim_telling(label, name, held)
    return {module[0] for module in modules if module[3]}


def _is_own(name, package):
    return type(name) is str and (name == package or name.startswith(package + "."))


def _modules(own_package):
    """Name, module, names, whether it is the application's; the most telling first, each once."""
    library = _library_path()
    found, met = [], set()
    for name, module in dict.items(sys.modules):
        if type(name) is str and not _is_own(name, own_package) and id(module) not in met:
            met.add(id(module))
            names = module_dict(module)
            found.append((name, module, names, not _is_library(name, names, library)))
    return sorted(found, key=_rank)


def _rank(module):
    return (module[0] != "__main__", not module[3])


def _library_path():
    file = module_dict(sys.modules.get("os")).get("__file__")
    return file.rpartition("/")[0] + "/" if type(file) is str else "/usr/lib/python3"


def _is_library(name, names, library):
    file = names.get("__file__")
    if type(file) is not str:
        return name in sys.builtin_module_names or name.partition(".")[0] in ("importlib", "os", "site", "zipimport")
    return file.startswith(library) and "-packages/" not in file


def _claim_code(claims, everything, module):
    name, thing, names, is_application = module
    label = Label("module", printable(name, 120), CODE) if is_application else everything
    claims.claim(label, thing)
    if names:
        claims.claim(label, names)
    return label


def _named(names):
    return [(printable(name, 100), held) for name, held in list(names.items()) if type(name) is str]


def _class_name(kind):
    return printable(module_of(kind) + "." + qualname_of(kind), 200)


def _named_classes(modules):
    """Classes that a module or a class names, each with its module's number, and the types that are written in C.

    A class that nobody names was made at run time: it is left to whoever keeps it.
    """
    numbers = {module[0]: number for number, module in enumerate(modules)}
    found = {}
    for number, module in enumerate(modules):
        todo = list(module[2].values())
        while todo:
            kind = todo.pop()
            if is_a(kind, type) and id(kind) not in found and len(found) < MOST_CLASSES:
                found[id(kind)] = (kind, numbers.get(module_of(kind), number))
                todo += names_of(kind).values()
    for kind in _all_classes():
        if not flags_of(kind) & HEAP_TYPE:
            found.setdefault(id(kind), (kind, None))
    return list(found.values())


def _all_classes():
    subclasses = type.__dict__["__subclasses__"]
    met = {id(object): object}
    todo = [object]
    while todo and len(met) < MOST_CLASSES:
        new = {id(kind): kind for kind in subclasses(todo.pop()) if id(kind) not in met}
        met.update(new)
        todo += new.values()
    return list(met.values())
