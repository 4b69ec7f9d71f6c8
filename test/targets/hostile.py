"""A service that has laid its hands on everything that a console might lean on. Prints `ready`, obeys SIGTERM."""

import builtins
import signal
import sys
import time


class Grumpy:
    def __repr__(self):
        raise RuntimeError("no repr")

    def __getattr__(self, name):
        raise RuntimeError("touched " + name)

    def __dir__(self):
        raise RuntimeError("no dir")

    @property
    def ran(self):
        print("a property ran")
        return 1


class Modules(dict):
    def __getitem__(self, name):
        raise RuntimeError("no modules")

    def get(self, name, default=None):
        raise RuntimeError("no modules")


GRUMPY = Grumpy()
real_print = print
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
real_print("ready", flush=True)


def refuse(*args, **kwargs):
    raise RuntimeError("patched")


builtins.print = builtins.open = builtins.input = refuse
sys.excepthook = sys.displayhook = refuse
sys.stdout = sys.stderr = GRUMPY
sys.modules = Modules(sys.modules)
while True:
    time.sleep(0.05)
