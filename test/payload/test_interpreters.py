"""What other interpreters hold is told beside what the main one does."""

import types
import unittest

from payload.interpreters import adopt


class Adopting(unittest.TestCase):
    def test_modules_bear_the_number_of_their_interpreter(self):
        shop = types.ModuleType("shop")
        modules = {"sys": types.ModuleType("sys")}
        rows = [[2, {"shop": shop, 7: "not a module's name"}]]
        self.assertEqual(adopt([[], None, [], rows], modules), 1)
        self.assertEqual(rows, [])
        self.assertEqual(sorted(modules), ["shop (interpreter 2)", "sys"])
        self.assertIs(modules["shop (interpreter 2)"], shop)

    def test_without_others_nothing_changes(self):
        for snapshot in (None, [[], None], [[], None, [], []]):
            modules = {}
            self.assertEqual(adopt(snapshot, modules), 0)
            self.assertEqual(modules, {})


if __name__ == "__main__":
    unittest.main()
