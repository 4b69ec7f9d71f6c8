"""The walk against an independent, slow count: every object once, with its own size."""

import unittest

from snapshot import line_of, owners_of, run_service

SERVICE = r"""
import collections, itertools
serial = itertools.count(1 << 40)
def number(): return next(serial)
def text(): return "text %030d" % number()
class Slotted:
    __slots__ = ("a", "b", "c")
    def __init__(self, *held): self.a, self.b, self.c = held
class Mapping(dict): __slots__ = ()
class Sequence(list): __slots__ = ()
class Sized(list):
    __slots__ = ()
    def __sizeof__(self): raise RuntimeError
def heap():
    shared = [text(), text(), (text(), number())]
    made = []
    for i in range(300):
        made.append({text(): number(), text(): shared})                     # str keys only
        made.append({number(): text(), text(): [shared, shared]})           # keys of several types
        made.append({(text(), number()): text()})
        made.append(collections.OrderedDict([(text(), shared), (number(), text())]))
        made.append(collections.defaultdict(None, {text(): text()}))
        made.append(Mapping({text(): {text(): text()}, number(): shared}))
        made.append(Mapping({text(): text()}))
        made.append(Slotted(text(), shared[i % 3], made[i]))
        made.append(Sequence([text(), number()]))
        made.append(Sized([text()]))
        made.append({text(), text()})
        made.append(frozenset([number(), shared[0]]))
        made.append(collections.deque([text(), bytearray(i), text().encode()]))
        made.append(((text(),), [], 1.5 + number(), made[i]))
        made.append(memoryview(bytes(1000 + i)))
    made.append(made)
    chain = None
    for _ in range(20000): chain = (chain, text()) if chain else (text(),)
    made.append(chain)
    cycle = []
    for _ in range(1000): cycle = [cycle, text()]
    made.append(cycle)
    return made

HEAP = heap()
EMPTY = {id(()), id(None), id(b"")}

def slow(root):
    import gc
    seen, todo, size = {id(root): root}, [root], 0
    while todo:
        thing = todo.pop()
        kind = type(thing)
        # a raising __sizeof__ hides the list's own, to which the collector's header is added
        size += list.__sizeof__(thing) + 16 if kind is Sized else sys.getsizeof(thing)
        held = gc.get_referents(thing)
        if kind in (dict, Mapping, collections.OrderedDict, collections.defaultdict):
            held = held + list(dict.keys(thing))
        for child in held:
            if not isinstance(child, type) and id(child) not in EMPTY and id(child) not in seen:
                seen[id(child)] = child
                todo.append(child)
    return len(seen), size

objects, size = slow(HEAP)
sys.stdout.write('{"kind":"expected","objects":%d,"bytes":%d}\n' % (objects, size))
sys.stdout.flush()
snapshot(text_of_payload)
"""


class AgainstASlowCount(unittest.TestCase):
    def test_objects_and_bytes_are_the_same(self):
        lines = run_service("text_of_payload = text\n" + SERVICE)
        expected = line_of(lines, "expected")
        found = [owner for owner in owners_of(lines) if owner["path"].startswith("HEAP")]
        self.assertEqual(expected["objects"], sum(owner["objects"] for owner in found))
        self.assertEqual(expected["bytes"], sum(owner["bytes"] for owner in found))

    def test_largest_objects_come_with_their_entries(self):
        lines = run_service("BIG = {i: None for i in range(100000)}\nBLOB = bytearray(7000000)\nsnapshot(text)\n")
        largest = line_of(lines, "largest")["objects"]
        self.assertEqual("bytearray", largest[0]["type"])
        self.assertNotIn("entries", largest[0])
        self.assertEqual(("dict", 100000), (largest[1]["type"], largest[1]["entries"]))
        self.assertEqual(sorted((row["bytes"] for row in largest), reverse=True), [row["bytes"] for row in largest])
        self.assertEqual(30, len(largest))


if __name__ == "__main__":
    unittest.main()
