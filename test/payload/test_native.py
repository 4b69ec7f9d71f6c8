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


def _key(owner):
    # The path of what is unreachable names its types.
    return owner["kind"], owner["scope"], "" if owner["kind"] == "unreachable" else owner["path"]


def _sorted(value):
    return sorted(value, key=str) if type(value) is list else value


if __name__ == "__main__":
    unittest.main()
