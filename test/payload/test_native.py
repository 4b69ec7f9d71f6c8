"""The native walk against the walk in Python, over the same heaps."""

import os
import unittest

import test_exact
import test_hostile
import test_owners
from snapshot import line_of, owners_of, run_both_ways

WALKER = os.environ.get("PYHEAP_WALKER")


@unittest.skipUnless(WALKER, "PYHEAP_WALKER names no native walker: it needs gcc")
class TheSameCensus(unittest.TestCase):
    def compare(self, program, unreached=False):
        python, native = run_both_ways(program)
        self.assertEqual(line_of(python, "tracked")["types"], line_of(native, "tracked")["types"])
        for kind, name in (("types", "types"), ("largest", "objects")):
            expected, found = (line_of(lines, kind)[name] for lines in (python, native))
            if not unreached:
                self.assertEqual(_sorted(expected), _sorted(found))
        owners = [{_key(owner): owner for owner in owners_of(lines)} for lines in (python, native)]
        self.assertEqual(*map(sorted, owners))
        for key, owner in owners[0].items():
            with self.subTest(key):
                if owner["kind"] == "unreachable":  # types are told apart there by counts only
                    self.assertGreaterEqual(owners[1][key]["objects"], owner["objects"])
                else:
                    self.assertEqual(owner, owners[1][key])
        self.assertEqual(line_of(python, "end"), line_of(native, "end"))

    def test_of_every_kind_of_holder(self):
        self.compare(test_owners.SERVICE.replace("native=%s, fork=%s", "native=True"), unreached=True)

    def test_of_every_kind_of_object(self):
        self.compare("text_of_payload = text\n" + test_exact.SERVICE)

    def test_of_objects_that_fight_back(self):
        self.compare(test_hostile.SERVICE.replace("native=False", "native=True"))

    def test_of_many_classes(self):
        self.compare(
            r"""
KINDS = [type("Kind%d" % i, (), {"__slots__": ("a",) * (i % 2)}) for i in range(9000)]
THINGS = [kind() for kind in KINDS]
snapshot(text)
"""
        )

    def test_of_things_that_are_not_done_or_lie(self):
        self.compare(
            r"""
class Untraversed:
    def __init__(self): self.held = [1.5]
class Lying: __slots__ = ("held",)
class Deep: __slots__ = ("below",)
CHAIN = None
for _ in range(200000):
    deep = Deep(); deep.below = CHAIN; CHAIN = deep
UNTRAVERSED = [Untraversed() for _ in range(100)]
LYING = [Lying() for _ in range(100)]
for lying in LYING: lying.held = [2.5]
gc.disable()
ctypes.c_void_p.from_address(id(Untraversed) + 184).value = None  # tp_traverse
ctypes.c_ssize_t.from_address(id(Lying) + 32).value = 1 << 50  # tp_basicsize
def halfway():
    yield "first"
    snapshot(text)
WAITING = tuple(halfway())
"""
        )

    def test_of_a_service_that_may_map_no_more(self):
        self.compare(
            r"""
import resource
size = int(open("/proc/self/statm").read().split()[0]) * 4096
HELD = ["%0100d" % i for i in range(1000)]
resource.setrlimit(resource.RLIMIT_AS, (size + (14 << 20), resource.RLIM_INFINITY))
snapshot(text)
"""
        )

    def test_of_an_interpreter_that_is_laid_out_otherwise(self):
        for part in ("layout_of(type(thing))", "frozen_at = 80"):
            replaced = part.replace("thing", "None").replace("80", "88")
            self.compare("assert %r in text\nsnapshot(text.replace(%r, %r))" % (part, part, replaced))


def _key(owner):
    # The path of what is unreachable names its types.
    return owner["kind"], owner["scope"], "" if owner["kind"] == "unreachable" else owner["path"]


def _sorted(value):
    return sorted(value, key=str) if type(value) is list else value


if __name__ == "__main__":
    unittest.main()
