"""Lines are ASCII JSON, whole, and shorter than the reader's limit."""

import json
import unittest

from payload.emit import send, send_list, to_json
from payload.names import printable, type_name
from payload.stacks import thread_stacks


class Json(unittest.TestCase):
    def test_is_read_back_as_it_was(self):
        for value in (
            None,
            True,
            False,
            0,
            -5,
            1 << 60,
            "",
            'quote " backslash \\ slash /',
            "tab\tnewline\nnul\x00escape\x1b\x7f",
            "\u00e4\u2028\u20ac\U0001f40d",
            [],
            {},
            {"a": [1, {"b": None}], "c": ("x", 2)},
        ):
            with self.subTest(repr(value)):
                text = to_json(value)
                self.assertTrue(text.isascii())
                self.assertEqual(json.loads(json.dumps(value)), json.loads(text))

    def test_a_lone_surrogate_is_escaped(self):
        self.assertEqual('"\\udc80"', to_json("\udc80"))

    def test_a_long_list_takes_several_lines_and_an_empty_one_takes_one(self):
        for count, lines in ((0, 1), (3, 1), (9000, 3)):
            written = []
            send_list(written.append, "owners", "owners", [{"name": "x" * 100, "n": i} for i in range(count)])
            self.assertEqual(lines, len(written))
            self.assertTrue(all(line.endswith(b"]}\n") and len(line) < 512 * 1024 for line in written))
            read = [row["n"] for line in written for row in json.loads(line.decode())["owners"]]
            self.assertEqual(list(range(count)), read)

    def test_a_line_says_its_kind_first(self):
        written = []
        send(written.append, "progress", objects=5)
        self.assertEqual([b'{"kind":"progress","objects":5}\n'], written)


class Names(unittest.TestCase):
    def test_text_is_made_printable_and_is_cut_in_the_middle(self):
        for text, limit, expected in (
            ("plain", 10, "plain"),
            ("a\x00b\n", 10, "a\ufffdb\ufffd"),
            ("abcdefghijklmnop", 9, "abcdef\u2026op"),
            (5, 9, "?"),
        ):
            with self.subTest(text):
                self.assertEqual(expected, printable(text, limit))
        self.assertEqual(200, len(printable("x" * 10**6, 200)))

    def test_a_str_subclass_is_not_asked(self):
        class Text(str):
            def __getitem__(self, index):
                raise RuntimeError

            __len__ = isprintable = __str__ = __getitem__

        self.assertIs(str, type(printable(Text("name"), 10)))
        self.assertEqual("name", printable(Text("name"), 10))

    def test_types_are_named_with_their_module_but_builtins_are_not(self):
        self.assertEqual("dict", type_name(dict))
        self.assertEqual("json.decoder.JSONDecoder", type_name(json.JSONDecoder))
        self.assertEqual("Odd", type_name(type("Odd", (), {"__module__": 5})))


class Stacks(unittest.TestCase):
    def test_of_deep_stacks_the_ends_are_kept(self):
        code = compile("", "service.py", "exec")
        records = [[7, None, code, line, {}] for line in range(1000)]
        (thread,) = thread_stacks(records, {7: "worker"})
        lines = [frame["line"] for frame in thread["frames"]]
        self.assertEqual(list(range(48)) + list(range(984, 1000)), lines)
        self.assertEqual("worker", thread["name"])

    def test_a_record_that_is_damaged_is_a_question_mark(self):
        (thread,) = thread_stacks([[7, None, None, None, None]], {})
        self.assertEqual([{"file": "?", "line": 0, "function": "?"}], thread["frames"])


if __name__ == "__main__":
    unittest.main()
