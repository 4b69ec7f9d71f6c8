"""A service that keeps baskets in a sub-interpreter of its own, and sleeps."""

import signal
import sys
import time

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

CODE = """
class Basket:
    def __init__(self, n):
        self.n = n
import sys, types
shop = sys.modules["shop"] = types.ModuleType("shop")
Basket.__module__ = "shop"
shop.BASKETS = [Basket(n) for n in range(12345)]
"""


def fill():
    """Makes a sub-interpreter and fills it."""
    made = interpreters.create()
    if hasattr(interpreters, "exec"):
        failed = interpreters.exec(made, CODE)
    else:
        failed = interpreters.run_string(made, CODE)
    if failed is not None:
        raise SystemExit(str(failed))
    return made


KEPT = fill()  # before 3.13 an interpreter ends with the last reference to it
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("ready", flush=True)
while True:
    time.sleep(0.1)
