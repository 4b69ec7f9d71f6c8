"""Facts about the interpreter and its collector, read from builtin modules only."""

import gc
import sys

from .attributes import module_dict
from .names import printable

PACKAGES = EXTENSIONS = 300


def python_facts(threads):
    """PythonFacts of model.ts."""
    names = sys.__dict__
    modules = [m for m in dict.items(sys.modules) if type(m[0]) is str]
    argv = names.get("argv")
    return {
        "version": _text(names.get("version")).partition(" ")[0],
        "implementation": _text(names["implementation"].name),
        "executable": _text(names.get("executable")),
        "argv": [_text(part) for part in argv[:32]] if type(argv) is list else [],
        "moduleCount": len(modules),
        "packages": _packages(modules),
        "extensions": _extensions(modules),
        "threads": threads,
        "tracemalloc": _is_tracing(),
    }


def gc_facts(before):
    """GcState of model.ts; `before` is what bootstrap saw before it touched the collector."""
    stats = gc.get_stats()
    garbage = gc.__dict__.get("garbage")
    return {
        "enabled": before["enabled"],
        "counts": list(before["counts"]),
        "thresholds": list(gc.get_threshold()),
        "frozen": before["frozen"],
        "collected": sum(s["collected"] for s in stats),
        "uncollectable": sum(s["uncollectable"] for s in stats),
        "garbage": len(garbage) if type(garbage) is list else 0,
    }


def allocated_blocks():
    """Blocks that pymalloc has handed out, or None."""
    try:
        return sys.getallocatedblocks()
    except AttributeError:
        return None


def _text(value):
    return printable(value, 200) if type(value) is str else ""


def _packages(modules):
    found = []
    for name, module in modules:
        version = module_dict(module).get("__version__")
        if "." not in name and type(version) is str:
            found.append({"name": printable(name, 80), "version": printable(version, 40)})
    return found[:PACKAGES]


def _extensions(modules):
    found = []
    for name, module in modules:
        file = module_dict(module).get("__file__")
        if type(file) is str and file.endswith(".so"):
            found.append(printable(name, 100))
    return found[:EXTENSIONS]


def _is_tracing():
    tracing = module_dict(sys.modules.get("_tracemalloc")).get("is_tracing")
    return type(tracing) is type(len) and bool(tracing())
