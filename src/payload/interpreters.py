"""Sub-interpreters: a process may hold several, each with modules of its own."""

from .names import printable


def adopt(snapshot, modules):
    """Adds the modules of the other interpreters, which native code has found, to those of this one.

    A module gets its interpreter's number in its name: `shop (interpreter 2)`. What the modules lead to is counted as
    everything else; returns how many interpreters there are beside this one.
    """
    rows = snapshot[3] if type(snapshot) is list and len(snapshot) > 3 else None
    if type(rows) is not list:
        return 0
    for number, names in rows:
        for name, module in list(dict.items(names)):
            if type(name) is str:
                modules["%s (interpreter %d)" % (printable(name, 100), number)] = module
    count = len(rows)
    rows.clear()
    return count
