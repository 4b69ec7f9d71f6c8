# Where it runs: first of all, in the snapshot, as one text behind a line `SOURCES = {...}`.
# In:    SOURCES, the other files by name without .py; SNAPSHOT, None or [records, active] (see service.py);
#        REQUEST, None or a dict: gcEnabled says whether the collector was on before native code disabled it, native
#        has the functions of the native walker (see native.py).
# Out:   lines of JSON on descriptor 11; the hello goes out before anything else is compiled.
#        REQUEST["afterwards"] is left to be called when malloc's figures have been told, or is None.
# Never: raises, prints, opens anything, or imports what is not built into the interpreter.

PACKAGE = "pyheap_payload"
# A module stands behind those that it imports.
KINDS = ("census", "stacks")
ORDER = (
    "names",
    "interpreters",
    "attributes",
    "buffers",
    "emit",
    "stacks",
    "runtime",
    "service",
    "sizes",
    "walk",
    "children",
    "labels",
    "modules",
    "threads",
    "unreached",
    "heap",
    "native",
    "notes",
    "owners",
    "census",
    "traced",
    "graph",
    "pools",
    "main",
)


def start(sources, snapshot, request):
    """Takes the census and tells it on descriptor 11; whatever goes wrong is told there too."""
    import posix

    def write(data):
        while data:
            data = data[posix.write(11, data) :]

    try:
        write(b'{"kind":"hello","format":1}\n')
        make_quiet()
        request = request if type(request) is dict else {}
        gc_before, end, native = seal_heap(request)
        own_globals, kinds = globals(), request.get("kinds", KINDS)
        names = load(sources)
        heap = names["choose_heap"](end, native) if "census" in kinds else None
        request["afterwards"] = names["run"](names["Service"](snapshot, gc_before, own_globals), heap, kinds, write)
    except BaseException as error:
        try:
            write(b'{"kind":"error","error":"%s"}\n' % where(error).encode("ascii", "replace"))
        except OSError:
            pass  # nobody listens any more


def make_quiet():
    """Keeps the service's tracers and profilers out, and its deep recursion from stopping us."""
    import sys

    sys.settrace(None)
    sys.setprofile(None)
    sys.setrecursionlimit(sys.getrecursionlimit() + 2000)
    monitoring = sys.__dict__.get("monitoring")
    if monitoring is not None:
        for tool in range(6):
            if monitoring.get_tool(tool) is not None:
                monitoring.set_events(tool, 0)


def seal_heap(request):
    """Marks the end of what the collector lists of the service: what it lists from here on is ours.

    Returns the collector's state before, the first object of ours, and the native functions if these found it too.
    """
    import gc
    import sys

    before = {
        "enabled": bool(request.get("gcEnabled", gc.isenabled())),
        "counts": gc.get_count(),
        "frozen": gc.get_freeze_count(),
    }
    gc.disable()
    native = request.get("native")
    frozen_at = 80 if sys.version_info < (3, 14) else 72
    end = []
    found = type(native) is dict and native["seal"](end, frozen_at)
    return before, end, native if found else None


def load(sources):
    """Makes the private modules in order; returns the names of the last."""
    import sys

    names = {}
    builtins = private_builtins(sys)
    package = sys.modules[PACKAGE] = type(sys)(PACKAGE)
    package.__path__ = []
    for name in ORDER:
        full = PACKAGE + "." + name
        module = sys.modules[full] = type(sys)(full)
        names = module.__dict__
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


def where(error):
    """The error's type and where it was raised; its own text could be anything."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place = " at " + code.co_filename + ":" + str(trace.tb_lineno)
        trace = trace.tb_next
    name = type.__dict__["__qualname__"].__get__(type(error)) + place
    return "".join(c if c.isprintable() and c not in '"\\' else "?" for c in name)[:300]


start(SOURCES, SNAPSHOT, REQUEST)  # noqa: F821 (the globals that we are run with)
