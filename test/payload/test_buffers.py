"""Memory that objects hold outside themselves."""

import unittest

from snapshot import owners_of, run_service

CTYPES = r"""
import ctypes
OWNED = [ctypes.create_string_buffer(50000) for _ in range(100)]
NUMBERS = [(ctypes.c_double * 1000)() for _ in range(100)]
class Point(ctypes.Structure): _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_char * 3000)]
POINTS = [Point() for _ in range(100)]
BACKING = bytearray(300000)
VIEWS = [(ctypes.c_char * 300000).from_buffer(BACKING) for _ in range(100)]
PARTS = [point.y for point in POINTS] + [ctypes.cast(OWNED[0], ctypes.c_char_p) for _ in range(100)]
SMALL = [ctypes.c_int(n) for n in range(100)]
snapshot(text)
"""


class OfCtypes(unittest.TestCase):
    def test_what_owns_a_buffer_has_its_size_and_what_looks_at_it_does_not(self):
        lines = run_service(CTYPES)
        sizes = {owner["path"]: owner["bytes"] for owner in owners_of(lines) if owner["scope"] == "__main__"}
        self.assertTrue(100 * 50000 < sizes["OWNED"] < 100 * 51000, sizes)
        self.assertTrue(100 * 8000 < sizes["NUMBERS"] < 100 * 9000, sizes)
        self.assertTrue(100 * 3000 < sizes.get("POINTS", 0) + sizes.get("PARTS", 0) < 100 * 4500, sizes)
        backing = sizes.get("BACKING", 0) + sizes.get("VIEWS", 0)
        self.assertTrue(300000 < backing < 400000, sizes)
