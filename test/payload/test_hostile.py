"""Objects that fight back: no code of theirs runs, nothing is lost."""

import unittest

from snapshot import line_of, owners_of, run_service

# Whatever runs in the snapshot says so on the payload's own descriptor.
SERVICE = r"""
import functools, gc, threading, types

def told(*_, **__):
    try: os.write(11, b'{"kind":"touched","by":"%s"}\n' % sys._getframe(1).f_code.co_name.encode())
    except OSError: pass
    raise RuntimeError("do not touch")

NAMES = '''__class__ __sizeof__ __getattr__ __getattribute__ __eq__ __hash__ __len__ __iter__ __bool__ __repr__ __str__
    __contains__ __getitem__ __setattr__ __call__ __format__ __index__ __int__ __lt__ __gt__ __next__ items keys
    values __get__ __reduce_ex__ __dir__ __instancecheck__ __subclasscheck__ __subclasses__ __prepare__
    __name__ __qualname__ __module__ __flags__ __basicsize__ __mro__ __bases__'''.split()
hooks = lambda *leave: {name: told for name in NAMES if name not in leave}
as_properties = {n: property(told) for n in ("__class__", "__dict__", "__module__", "__name__", "__flags__",
                                             "__mro__", "__sizeof__", "__len__")}
KEPT = ("__getattribute__", "__setattr__", "__call__", "__prepare__", "__name__", "__qualname__", "__module__",
        "__mro__", "__bases__", "__flags__", "__basicsize__", "__hash__")

Meta = type("Meta", (type,), dict(hooks("__qualname__", *KEPT[:4]), **as_properties))
def init(self): self.data = bytearray(2000)
Evil = type.__new__(Meta, "Evil", (), dict(hooks(*KEPT, *as_properties), **as_properties, __init__=init))
class EvilDict(dict): pass
class EvilList(list): pass
class EvilStr(str): pass
class EvilThread(threading.Thread):
    def run(self): ready.set(); stop.wait()
class Slots: __slots__ = ("a", "unset")
class NoDict:
    __class__ = __dict__ = property(told)
    def __init__(self): object.__setattr__(self, "x", bytearray(2000))
class Liar: pass
class FakeModule(types.ModuleType): pass

stop, ready = threading.Event(), threading.Event()
thread = EvilThread(daemon=True); thread.start(); ready.wait()
EVILS = []
for _ in range(400):
    EVILS.append(object.__new__(Evil)); init(EVILS[-1])
DICT = EvilDict({i: bytearray(2000) for i in range(400)})
SMALL = EvilDict(a=EVILS[0])
LIST = EvilList(bytearray(2000) for _ in range(400))
STR = EvilStr("x" * 900000)
SLOTS = Slots(); SLOTS.a = [bytearray(2000) for _ in range(400)]
NODICT = [NoDict() for _ in range(400)]
ONE = NoDict()
LIARS = [Liar() for _ in range(20000)]
sys.modules["no.module"] = EVILS[1]
sys.modules["fake"] = FakeModule("fake")
sys.modules["fake"].HELD = [bytearray(2000) for _ in range(400)]
MIXED = {EvilStr("key"): 1, "a\nnewline and \x00": [bytearray(2000) for _ in range(400)]}
def function(): pass
function.__dict__.update({"big": [bytearray(2000) for _ in range(400)]})
CHAIN = None
for _ in range(20000): CHAIN = [CHAIN]
NESTED = ()
for _ in range(20000): NESTED = (NESTED, bytearray(20))
LONG = type("Long" * 10000, (), {})()
CYCLE = []; CYCLE.append(CYCLE)

# From here on everything is armed.
for cls in (EvilDict, EvilList, EvilStr, EvilThread, Slots, FakeModule):
    for name, hook in hooks(*KEPT).items():
        if name not in ("__class__", "__subclasses__"): type.__setattr__(cls, name, hook)
Liar.__module__ = "x" * 5000; Liar.__qualname__ = 'quote " and \x1b[31m'
Meta.__getattribute__ = told
for touch in (
    lambda: len(EVILS[0]), lambda: EVILS[0].__class__, lambda: EVILS[0].x, lambda: Evil == 1, lambda: hash(Evil),
    lambda: Evil.__name__, lambda: len(DICT), lambda: NODICT[0].__dict__, lambda: str(STR),
):
    try: touch()
    except RuntimeError: continue
    raise SystemExit("not armed")
snapshot(text, native=False)
"""


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lines = run_service(SERVICE)
        cls.owners = {owner["path"]: owner for owner in owners_of(cls.lines)}

    def test_none_of_its_code_runs(self):
        self.assertEqual([], [line for line in self.lines if line["kind"] == "touched"])

    def test_there_are_no_problems(self):
        self.assertEqual([], line_of(self.lines, "end")["problems"])
        self.assertEqual([], [line for line in self.lines if line["kind"] == "error"])

    def test_what_it_holds_is_found_by_name(self):
        for path, size in (
            ("EVILS", 800_000),
            ("DICT", 800_000),
            ("LIST", 800_000),
            ("STR", 900_000),
            ("SLOTS.a", 800_000),
            ("NODICT", 800_000),
            ("HELD", 800_000),
            ("MIXED[*]", 800_000),
            ("function.big", 800_000),
        ):
            with self.subTest(path):
                self.assertGreater(self.owners[path]["bytes"], size)

    def test_long_chains_are_walked_to_their_end(self):
        self.assertGreaterEqual(self.owners[_deepest(self.owners, "CHAIN")]["objects"], 19_990)
        self.assertGreaterEqual(self.owners[_deepest(self.owners, "NESTED")]["objects"], 39_980)

    def test_names_are_printable_and_short(self):
        names = [row["type"] for row in line_of(self.lines, "types")["types"]]
        self.assertTrue(all(name.isprintable() and len(name) <= 200 for name in names))
        self.assertTrue(any(name.startswith("xxx") for name in names))

    def test_a_key_that_is_no_name_is_not_shown(self):
        self.assertFalse([path for path in self.owners if "newline" in path])


def _deepest(owners, name):
    return max((path for path in owners if path.startswith(name)), key=len)


class Tracers(unittest.TestCase):
    def test_the_services_tracer_and_profiler_do_not_see_the_payload(self):
        lines = run_service(
            r"""
def told(*_):
    try: os.write(11, b'{"kind":"touched"}\n')
    except OSError: pass
sys.setprofile(told)
snapshot(text)
"""
        )
        self.assertEqual([], line_of(lines, "end")["problems"])
        after_hello = [line["kind"] for line in lines][[line["kind"] for line in lines].index("runtime") :]
        self.assertNotIn("touched", after_hello)

    def test_a_service_at_its_recursion_limit_is_read_all_the_same(self):
        lines = run_service(
            r"""
def climb(n):
    return climb(n - 1) if n else snapshot(text)
climb(sys.getrecursionlimit() - 16)
"""
        )
        self.assertEqual([], line_of(lines, "end")["problems"])
        (thread,) = line_of(lines, "stacks")["threads"]
        self.assertEqual(64, len(thread["frames"]))


class Trouble(unittest.TestCase):
    def test_an_error_of_the_payload_itself_is_a_line_that_names_the_place(self):
        broken = r"""
text = text.replace("def run(service", "def run_away(service", 1)
snapshot(text)
"""
        lines = run_service(broken)
        self.assertEqual(["hello", "error"], [line["kind"] for line in lines])
        self.assertRegex(lines[1]["error"], "^KeyError at ")

    def test_a_part_that_fails_is_a_problem_and_the_others_are_told(self):
        lines = run_service('snapshot(text.replace("def claim_modules(", "def claim_nothing(", 1))')
        self.assertEqual("error", lines[-1]["kind"])
        lines = run_service('snapshot(text.replace("stats = gc.get_stats()", "stats = gc.no_stats()", 1))')
        (problem,) = line_of(lines, "end")["problems"]
        self.assertRegex(problem, r"^runtime: AttributeError at pyheap_payload/runtime.py:\d+$")
        self.assertGreater(len(owners_of(lines)), 10)

    def test_a_reader_that_goes_away_ends_it_quietly(self):
        lines = run_service(
            r"""
import signal
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
read, write = os.pipe(); os.close(read); os.dup2(write, 11)
exec(text, {"__builtins__": __builtins__, "SNAPSHOT": None, "REQUEST": None})
os.write(1, b'{"kind":"quiet"}\n')
os._exit(0)
"""
        )
        self.assertEqual([{"kind": "quiet"}], lines)


if __name__ == "__main__":
    unittest.main()
