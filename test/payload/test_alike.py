"""Many owners that hold little each, and are named alike, are told as one."""

import unittest

from snapshot import owners_of, run_service

SERVICE = r"""
import threading, types
def made(name, **names):
    module = sys.modules[name] = types.ModuleType(name)
    module.__dict__.update(names)
for number in range(30):
    made("plugin_%d" % number, TABLE=[bytearray(100) for _ in range(100)])
for number in range(3):
    made("few_%d" % number, TABLE=[bytearray(1000) for _ in range(100)])
ready, stop = threading.Semaphore(0), threading.Event()
def work():
    rows = [bytearray(200) for _ in range(100)]
    ready.release()
    stop.wait()
for number in range(40):
    threading.Thread(target=work, daemon=True).start()
for number in range(40): ready.acquire()
snapshot(text)
"""


class Alike(unittest.TestCase):
    def test_owners_that_are_named_alike_are_told_as_one(self):
        owners = {(owner["kind"], owner["scope"], owner["path"]): owner for owner in owners_of(run_service(SERVICE))}
        plugins = owners["module", "plugin_*", "TABLE"]
        self.assertEqual(30, plugins["alike"])
        self.assertGreater(plugins["bytes"], 30 * 100 * 100)
        self.assertEqual("bytearray", plugins["types"][0]["type"])
        self.assertEqual(3000, plugins["types"][0]["count"])
        self.assertTrue(plugins["notes"][0].startswith("such as plugin_"), plugins["notes"])
        (frames,) = [owner for owner in owners.values() if owner["kind"] == "frame" and owner["path"] == "rows"]
        self.assertEqual(40, frames["alike"])
        self.assertRegex(frames["scope"], r"^threads: work \(.*:\d+\)$")
        self.assertGreater(frames["bytes"], 40 * 100 * 200)

    def test_a_few_keep_their_names(self):
        scopes = {owner["scope"] for owner in owners_of(run_service(SERVICE))}
        self.assertTrue({"few_0", "few_1", "few_2"} < scopes)
