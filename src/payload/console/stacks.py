"""What the threads of the service were doing, for the operator: their frames are gone, their variables are not."""


class Frame:
    """One running function of one thread."""

    __slots__ = ("function", "file", "line", "locals")

    def __init__(self, code, line, variables):
        self.function = code.co_name
        self.file = code.co_filename
        self.line = line
        self.locals = variables if variables is not None else {}

    def __repr__(self):
        return "%s (%s:%s)" % (self.function, self.file, self.line)


def frames_by_thread(snapshot):
    """The frames of every thread, innermost first, by the thread's name."""
    if type(snapshot) is not list or type(snapshot[0]) is not list:
        return {}
    active = snapshot[1] if type(snapshot[1]) is dict else {}
    stacks = {}
    for ident, _, code, line, variables in snapshot[0]:
        if hasattr(type(code), "co_filename"):
            stacks.setdefault(ident, []).append(Frame(code, line, variables))
    named = {}
    for ident, stack in stacks.items():
        name = _name(active.get(ident), ident)
        named[name if name not in named else "%s (%d)" % (name, ident)] = stack
    return named


def _name(thread, ident):
    try:
        name = object.__getattribute__(thread, "_name")
    except BaseException:
        name = None
    return name if type(name) is str else "thread %d" % ident
