"""What other interpreters hold is told beside what the main one does."""

import types
import unittest

from payload.interpreters import adopt


class Adopting(unittest.TestCase):
    def setUp(self):
        self.shop = types.ModuleType("shop")
        self.theirs = {"shop": self.shop, 7: "not a module's name"}
        self.modules = {"sys": types.ModuleType("sys")}
        self.basket = ["a basket"]

    def adopt(self, objects):
        self.listed = [self.modules]
        rows = [[2, self.theirs, objects]]
        problems = adopt(rows, self.modules, self.listed)
        self.assertEqual(rows, [])
        self.assertEqual(sorted(self.modules), ["shop (interpreter 2)", "sys"])
        self.assertIs(self.modules["shop (interpreter 2)"], self.shop)
        return problems

    def test_objects_of_the_interpreter_are_listed(self):
        self.assertEqual(self.adopt([self.theirs, self.basket]), [])
        self.assertEqual(list(map(id, self.listed)), list(map(id, [self.modules, self.theirs, self.basket])))

    def test_one_list_for_all_is_not_listed_twice(self):
        self.assertEqual(self.adopt([self.modules, self.theirs, self.basket]), [])
        self.assertEqual(len(self.listed), 1)

    def test_the_list_of_an_unknown_interpreter_is_left_out_and_told(self):
        problems = self.adopt([self.basket])
        self.assertEqual(problems, ["interpreter 2: only what its modules lead to is counted"])
        self.assertEqual(len(self.listed), 1)


if __name__ == "__main__":
    unittest.main()
