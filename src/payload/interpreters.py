"""Sub-interpreters: a process may hold several, each with modules and a collector's list of its own."""

from .names import printable


def adopt(rows, modules, listed):
    """Adds what the other interpreters hold to the modules and the collector's list of this one; returns problems.

    `rows` are `[id, modules, objects]`, as native code has collected them; the list is emptied. A module gets its
    interpreter's number in its name: `shop (interpreter 2)`. Objects are only taken when they are that interpreter's:
    before 3.9 one list serves all, and a later version may answer with another's.
    """
    problems = []
    for number, names, objects in rows:
        own = id(names)
        ids = set(map(id, objects))
        if own in ids and id(modules) not in ids:
            listed.extend(objects)
        elif id(modules) not in ids:
            problems.append("interpreter %d: only what its modules lead to is counted" % number)
        for name, module in list(dict.items(names)):
            if type(name) is str:
                modules["%s (interpreter %d)" % (printable(name, 100), number)] = module
    rows.clear()
    return problems
