"""Every request compiles a plugin and registers it as a module of its own."""

import sys
import types

import leaklib


def load_plugin():
    number = sum(name.startswith("plugin_") for name in sys.modules)
    module = types.ModuleType("plugin_%d" % number)
    module.__dict__["TABLE"] = list(range(300, 20000))
    exec("def run(x):\n    return x + %d\n" % number, module.__dict__)
    sys.modules[module.__name__] = module


app = leaklib.App(__doc__)
app.serve(load_plugin)
