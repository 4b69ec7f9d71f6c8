"""Every kind of holder is found by name, and everything is attributed once."""

import unittest

from snapshot import line_of, owners_of, run_service

SERVICE = r"""
import asyncio, functools, gc, queue, threading, types, weakref
from collections import OrderedDict, defaultdict, deque

def fill(n=400, size=1000): return [bytearray(size + i) for i in range(n)]
def module(name, **names):
    made = sys.modules[name] = types.ModuleType(name)
    made.__dict__.update(names)

class Item:
    def __init__(self): self.data = bytearray(1000)
class Slotted:
    __slots__ = ("rows",)
    def __init__(self): self.rows = fill()
class Pool:
    def __init__(self): self.name, self._dirty = "pool", {Item() for _ in range(400)}
class Lru(OrderedDict):
    def __init__(self): self.retries, self.capacity = 405, 400
class Holder:
    def __init__(self): self._max_size, self.entries = 600, {i: bytearray(1000) for i in range(400)}
class App:
    def __init__(self): self.state = {"sessions": fill(), "users": fill(), "a secret, not a name!": fill()}
class Registry:
    models = {}
class Frozen:
    kept = None
class Local(threading.local): pass
class Worker(threading.Thread):
    def run(self):
        mine = fill()
        LOCAL.log = fill()
        self.private = fill()
        ready.set()
        stop.wait()

def memoize(function):
    answers = {}
    @functools.wraps(function)
    def remember(text):
        answers[text] = 1
        return function(text)
    return remember
@memoize
def guess(text): return text
for i in range(400): guess("%01000d" % i)
@functools.lru_cache(maxsize=None)
def cached(number): return bytearray(1000)
for i in range(400): cached(i)
def with_default(seen=fill()): pass

GLOBAL = fill()
SLOTTED = Slotted()
APP = App()
LRU = Lru()
for i in range(400): LRU[i] = bytearray(1000)
HOLDER = Holder()
TEXT_KEYS = {"%01000d" % i: None for i in range(400)}
QUEUE = queue.SimpleQueue()
for item in fill(): QUEUE.put(item)
RING = deque(fill(), maxlen=400)
VIEWS = [memoryview(b) for b in fill()]
PARTIAL = functools.partial(print, fill())
for i in range(400): Registry.models[i] = type("Model%d" % i, (), {"field": bytearray(1000)})
SHELVES = [{"content": fill(100)} for _ in range(4)]
module("shop.broker", POOL=Pool())
Frozen.kept = fill()
LOCAL = Local()
LOCAL.log = fill()
stop, ready = threading.Event(), threading.Event()
worker = Worker(name="worker-1", daemon=True)
worker.start(); ready.wait()
del worker
class Node:
    def __init__(self): self.me, self.data = self, bytearray(1000)
gc.collect(); gc.disable()
for i in range(3000): Node()
gc.freeze()

async def wait_for_ever(body): await asyncio.sleep(3600)
async def consume():
    backlog = fill()
    await wait_for_ever(0)
async def serve():
    consumer = asyncio.ensure_future(consume())
    tasks = [asyncio.ensure_future(wait_for_ever(bytearray(1000))) for _ in range(400)]
    for task in tasks: task.add_done_callback(print)
    del tasks, task
    await asyncio.sleep(0)
    snapshot(text, native=%s, fork=%s)
    await asyncio.sleep(3600)
asyncio.run(serve())
"""

# kind, scope, path, type, entries
EXPECTED = (
    ("module", "__main__", "GLOBAL", "list", 400),
    ("module", "__main__", "SLOTTED.rows", "list", 400),
    ("module", "__main__", "APP.state['sessions']", "list", 400),
    ("module", "__main__", "APP.state['users']", "list", 400),
    ("module", "__main__", "APP.state[*]", "list", 400),
    ("module", "__main__", "LRU", "__main__.Lru", 400),
    ("module", "__main__", "HOLDER.entries", "dict", 400),
    ("module", "__main__", "TEXT_KEYS", "dict", 400),
    ("module", "__main__", "QUEUE", "_queue.SimpleQueue", 400),
    ("module", "__main__", "RING", "collections.deque", 400),
    ("module", "__main__", "VIEWS", "list", 400),
    ("module", "__main__", "PARTIAL.args[*]", "list", 400),
    ("module", "__main__", "SHELVES[*]['content']", "list", 400),
    ("module", "__main__", "guess: closure variable answers", "dict", 400),
    ("module", "__main__", "with_default: default of seen", "list", 400),
    ("module", "shop.broker", "POOL._dirty", "set", 400),
    ("class", "__main__.Registry", "models", "dict", 400),
    ("class", "__main__.Frozen", "kept", "list", 400),
    ("thread", "thread worker-1", "Thread.private", "list", 400),
    ("frame", "asyncio task consume", "backlog", "list", 400),
    ("task", "asyncio", "wait_for_ever", "_asyncio.Task", 400),
)


class EveryKindOfHolder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lines = run_service(SERVICE.replace("native=%s, fork=%s", "native=True"))
        cls.owners = owners_of(cls.lines)

    def owner(self, kind, scope, path):
        found = [o for o in self.owners if (o["kind"], o["scope"], o["path"]) == (kind, scope, path)]
        self.assertEqual(1, len(found), (kind, scope, path, [(o["scope"], o["path"]) for o in self.owners[:40]]))
        return found[0]

    def test_is_named_with_its_type_and_entries_and_keeps_what_it_holds(self):
        for kind, scope, path, type_name, entries in EXPECTED:
            with self.subTest(path):
                owner = self.owner(kind, scope, path)
                self.assertEqual((type_name, entries), (owner["type"], owner["entries"]))
                self.assertGreater(owner["bytes"], 400_000)
                self.assertLess(owner["bytes"], 1_500_000)

    def test_a_container_says_what_bounds_it_where_it_or_its_holder_has_that_number(self):
        self.assertEqual(["bounded: capacity=400"], self.owner("module", "__main__", "LRU")["notes"])
        self.assertEqual(["bounded: _max_size=600"], self.owner("module", "__main__", "HOLDER.entries")["notes"])
        self.assertEqual([], self.owner("module", "shop.broker", "POOL._dirty")["notes"])

    def test_an_lru_cache_says_how_it_is_used(self):
        owner = self.owner("module", "__main__", "cached")
        self.assertIn("lru_cache maxsize=None currsize=400 hits=0 misses=400", owner["notes"])
        self.assertEqual(400, owner["entries"])

    def test_a_bounded_deque_says_so(self):
        self.assertIn("deque maxlen=400", self.owner("module", "__main__", "RING")["notes"])

    def test_a_variable_of_another_threads_function_is_named(self):
        (owner,) = [o for o in self.owners if o["kind"] == "frame" and o["path"] == "mine"]
        self.assertRegex(owner["scope"], r"^thread worker-1: (Worker\.)?run \(.*:\d+\)$")
        self.assertEqual(400, owner["entries"])

    def test_cycles_with_the_collector_off_are_garbage_that_nobody_holds(self):
        (owner,) = [o for o in self.owners if o["scope"] == "reference cycles that no root leads to"]
        self.assertEqual(("unreachable", "__main__.Node"), (owner["kind"], owner["path"]))
        self.assertIn("cyclic garbage: automatic gc is disabled", owner["notes"])
        self.assertEqual(3000, [t["count"] for t in owner["types"] if t["type"] == "__main__.Node"][0])

    def test_entry_types_are_told(self):
        owner = self.owner("module", "shop.broker", "POOL._dirty")
        self.assertEqual([{"type": "__main__.Item", "count": 400}], owner["entryTypes"])

    def test_owners_add_up_to_the_total_and_so_do_types(self):
        total = line_of(self.lines, "types")
        for field in ("objects", "bytes"):
            self.assertEqual(total[field], sum(o[field] for o in self.owners))
        self.assertEqual(total["bytes"], sum(t["bytes"] for t in total["types"]))
        self.assertEqual(total["objects"], sum(t["count"] for t in total["types"]))

    def test_nothing_of_the_payload_is_counted(self):
        names = [t["type"] for t in line_of(self.lines, "types")["types"]]
        names += [o["scope"] + o["path"] for o in self.owners]
        self.assertEqual([], [name for name in names if "pyheap" in name])

    def test_tasks_tell_the_line_that_they_await_in(self):
        (tasks,) = [owner for owner in self.owners if owner["kind"] == "task" and owner["path"] == "wait_for_ever"]
        self.assertRegex(tasks["notes"][0], r"^awaits in wait_for_ever \(<string>:\d+\)$")

    def test_lines_come_in_the_order_of_their_worth(self):
        order = list(dict.fromkeys(line["kind"] for line in self.lines if line["kind"] != "progress"))
        self.assertEqual(["hello", "runtime", "stacks", "tracked", "types", "largest", "owners", "end", "pools"], order)
        self.assertEqual([], line_of(self.lines, "end")["problems"])

    def test_what_was_frozen_and_switched_off_is_told(self):
        gc = line_of(self.lines, "runtime")["gc"]
        self.assertFalse(gc["enabled"])
        self.assertGreater(gc["frozen"], 1000)

    def test_stacks_name_threads_and_functions(self):
        threads = {thread["name"]: thread for thread in line_of(self.lines, "stacks")["threads"]}
        self.assertTrue(threads["MainThread"]["isMain"])
        self.assertFalse(threads["worker-1"]["isMain"])
        self.assertRegex(threads["MainThread"]["frames"][0]["function"], "serve")


class WithoutNativeHelp(unittest.TestCase):
    def test_the_payload_finds_threads_and_thread_locals_itself(self):
        lines = run_service(SERVICE.replace("native=%s, fork=%s", "native=False, fork=False"))
        for thread in line_of(lines, "stacks")["threads"]:
            self.assertEqual([], [frame for frame in thread["frames"] if "pyheap" in frame["file"]])
        owners = owners_of(lines)
        found = {(o["kind"], o["path"]): o for o in owners}
        self.assertEqual(800, found["module", "LOCAL.log"]["entries"])
        self.assertEqual(400, found["frame", "mine"]["entries"])
        self.assertEqual(400, found["thread", "Thread.private"]["entries"])


class FewBigCycles(unittest.TestCase):
    def test_are_found_though_they_are_few_objects(self):
        owners = owners_of(
            run_service(
                r"""
import gc
class Request:
    def __init__(self): self.me, self.body = self, bytearray(100000)
gc.collect(); gc.disable()
for i in range(60): Request()
snapshot(text)
"""
            )
        )
        (owner,) = [o for o in owners if o["scope"] == "reference cycles that no root leads to"]
        self.assertEqual("__main__.Request", owner["path"])
        self.assertGreater(owner["bytes"], 6_000_000)


class HeldByNativeCode(unittest.TestCase):
    def test_is_not_called_garbage(self):
        owners = owners_of(
            run_service(
                r"""
import signal
class Keeper:
    def __init__(self): self.rows = [[i] for i in range(20000)]
    def handle(self, *_): pass
signal.signal(signal.SIGUSR2, Keeper().handle)
snapshot(text)
"""
            )
        )
        found = {o["scope"]: o for o in owners if o["kind"] == "unreachable"}
        self.assertGreater(found["not reached from any root"]["objects"], 20_000)
        self.assertNotIn("reference cycles that no root leads to", found)


if __name__ == "__main__":
    unittest.main()
