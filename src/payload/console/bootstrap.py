# Where it runs: first of all, in a snapshot that an operator works in, as one text behind a line `SOURCES = {...}`.
# In:    SOURCES, the other files by name without .py; SNAPSHOT, None or [records, active, kept];
#        REQUEST, a dict: paths, directories to import from; seconds, after which a silent client is given up.
# Out:   messages on descriptor 11, see frames.py; answers what comes on descriptor 12.
# Never: trusts what the service has put into its builtins, its streams or its modules.

PACKAGE = "pyheap_console"
# A module stands behind those that it imports.
ORDER = ("interrupts", "frames", "lifetime", "streams", "tracebacks", "stacks", "completion", "statements", "session")


def start(sources, snapshot, request):
    """Talks to the client until one of the two ends."""
    import posix

    try:
        make_modules_plain()
        make_quiet()
        names = load(sources)
        names["serve"](snapshot, request)
    except BaseException as error:
        text = ("the console could not start: " + type.__dict__["__qualname__"].__get__(type(error))).encode()
        try:
            posix.write(11, b"\x1efatal %d\n" % len(text) + text)
        except OSError:
            pass  # nobody listens any more
    posix._exit(1)


def make_modules_plain():
    """Puts a dict in the place of what the service may have for sys.modules: imports go through it."""
    import sys

    if type(sys.modules) is not dict:
        sys.modules = dict(dict.items(sys.modules))


def make_quiet():
    """Keeps the collector, tracers, profilers and signal handlers of the service out, and leaves room on the stack."""
    import _signal
    import gc
    import sys

    gc.disable()
    sys.settrace(None)
    sys.setprofile(None)
    sys.setrecursionlimit(sys.getrecursionlimit() + 500)
    monitoring = sys.__dict__.get("monitoring")
    if monitoring is not None:
        for tool in range(6):
            if monitoring.get_tool(tool) is not None:
                monitoring.set_events(tool, 0)
    try:
        _signal.set_wakeup_fd(-1)
    except ValueError:
        pass  # not the interpreter's main thread: no handler of it runs here either


def load(sources):
    """Makes the private modules in order; returns the names of the last."""
    import sys

    names = {}
    builtins = private_builtins(sys)
    package = type(sys)(PACKAGE)
    package.__path__ = []
    sys.modules[PACKAGE] = package
    for name in ORDER:
        full = PACKAGE + "." + name
        module = type(sys)(full)
        names = module.__dict__
        sys.modules[full] = module
        names["__package__"] = PACKAGE
        names["__builtins__"] = builtins
        code = compile(sources[name], PACKAGE + "/" + name + ".py", "exec", 0, True)
        exec(code, names)
    return names


def private_builtins(sys):
    """Builtins whose import runs nothing of the service's import hooks for what is loaded already."""
    public = sys.modules["builtins"].__dict__
    fallback = public["__import__"]

    def find(name, globals=None, locals=None, fromlist=(), level=0):
        module = sys.modules.get(PACKAGE + "." + name if level else name)
        return module if module is not None else fallback(name, globals, locals, fromlist, level)

    private = dict(public)
    private["__import__"] = find
    return private


start(SOURCES, SNAPSHOT, REQUEST)  # noqa: F821 (the globals that we are run with)
