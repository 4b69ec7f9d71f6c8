"""Allocation sites, of a service in which tracemalloc runs."""

import unittest

from snapshot import line_of, run_service

LEAK = r"""
import _tracemalloc
code = '''
def grow(count):
    return [b"%d" % n * 100 for n in range(count)]

def other():
    return bytearray(50000)
'''
leaks = {"__name__": "leaks"}
exec(compile(code, "/srv/shop/cache.py", "exec"), leaks)
_tracemalloc.start(FRAMES)
A = leaks["grow"](3000)
B = leaks["other"]()
"""


def allocated(program, frames=5):
    """The line about a service that allocates 0.9 MB in line 3 and 50 KB in line 6 of a file, through `program`."""
    return line_of(run_service(LEAK.replace("FRAMES", str(frames)) + program + "\nsnapshot(text)\n"), "allocated")


class Traced(unittest.TestCase):
    def test_the_largest_site_is_the_line_that_allocated_most_with_its_callers(self):
        told = allocated("")
        first = told["sites"][0]
        self.assertEqual({"file": "/srv/shop/cache.py", "line": 3}, first["frames"][0])
        self.assertIn(first["count"], range(3000, 3100))  # and what the interpreter needed itself
        self.assertGreater(first["bytes"], 3000 * 100)
        self.assertEqual("<string>", first["frames"][-1]["file"])  # the service's main program
        self.assertEqual(5, told["frames"])
        self.assertGreater(told["overheadBytes"], 3000 * 48)
        self.assertIsNone(told["problem"])
        lines = [(site["frames"][0]["file"], site["frames"][0]["line"]) for site in told["sites"]]
        self.assertIn(("/srv/shop/cache.py", 6), lines)
        self.assertGreaterEqual(told["bytes"], sum(site["bytes"] for site in told["sites"]))

    def test_nothing_that_the_payload_allocates_is_told(self):
        told = allocated("")
        files = {frame["file"] for site in told["sites"] for frame in site["frames"][:1]}
        self.assertFalse([file for file in files if file.startswith("pyheap_payload")])
        # What is left is the service's own, and the functions that stand in for native code in this test.
        self.assertLess(told["bytes"], 2_000_000)

    def test_one_frame_is_enough_for_a_site(self):
        told = allocated("", frames=1)
        self.assertEqual([{"file": "/srv/shop/cache.py", "line": 3}], told["sites"][0]["frames"])

    def test_at_most_100_sites_are_told_largest_first(self):
        told = allocated(
            "for n in range(300):\n"
            "    exec(compile('\\n' * n + 'X%d = bytearray(9000 + %d)' % (n, n * 10), 'many.py', 'exec'))\n"
        )
        self.assertEqual(100, len(told["sites"]))
        sizes = [site["bytes"] for site in told["sites"]]
        self.assertEqual(sorted(sizes, reverse=True), sizes)

    def test_a_site_that_is_reached_by_two_ways_is_one_and_shows_the_way_of_most_bytes(self):
        told = allocated("def often(): return leaks['grow'](9000)\nC = often()\n")
        sites = [s for s in told["sites"] if s["frames"][0] == {"file": "/srv/shop/cache.py", "line": 3}]
        self.assertEqual(1, len(sites))
        self.assertGreaterEqual(sites[0]["count"], 12000)

    def test_a_service_without_tracemalloc_has_no_such_line(self):
        lines = run_service("import _tracemalloc\nsnapshot(text)\n")
        self.assertEqual([], [line for line in lines if line["kind"] == "allocated"])

    def test_the_census_has_ended_before(self):
        kinds = [line["kind"] for line in run_service(LEAK.replace("FRAMES", "2") + "\nsnapshot(text)\n")]
        self.assertLess(kinds.index("end"), kinds.index("allocated"))

    def test_functions_that_are_not_the_interpreters_own_are_not_called(self):
        lines = run_service(
            LEAK.replace("FRAMES", "2")
            + "_tracemalloc._get_traces = lambda: os.write(11, b'touched')\nsnapshot(text)\n"
        )
        self.assertEqual([], [line for line in lines if line["kind"] == "allocated"])

    def test_file_names_that_fight_back_are_names(self):
        told = allocated(
            "def told(*_): os.write(11, b'touched')\n"
            "class Evil(str): __str__ = __len__ = __getitem__ = isprintable = told\n"
            "def evil(code): return code.replace(\n"
            "    co_filename=Evil('evil\\n' * 200),\n"
            "    co_consts=tuple(evil(c) if hasattr(c, 'co_code') else c for c in code.co_consts),\n"
            ")\n"
            "leaks['grow'].__code__ = evil(leaks['grow'].__code__)\n"
            "D = leaks['grow'](50000)\n"
        )
        file = told["sites"][0]["frames"][0]["file"]
        self.assertTrue(file.startswith("evil"), file)
        self.assertLessEqual(len(file), 300)

    def test_long_tracebacks_with_long_names_fit_into_a_line(self):
        told = allocated(
            "name = 'd' * 250 + '/%d.py'\n"
            "for n in range(120):\n"
            "    names = {}\n"
            "    exec(compile('def f(d): return f(d - 1) if d else bytearray(9000)', name % n, 'exec'), names)\n"
            "    globals()['E%d' % n] = names['f'](60)\n",
            frames=60,
        )
        self.assertEqual(100, len(told["sites"]))
        self.assertIn(max(len(site["frames"]) for site in told["sites"]), range(6, 60))
