"""Native code takes references to small strings and never gives them back.

Nothing leads to these, and the collector does not track them: they are in use, and nobody has them.
"""

import ctypes

import leaklib

keep = ctypes.pythonapi.Py_IncRef
keep.argtypes = [ctypes.py_object]
keep.restype = None


def handle():
    for number in range(300):
        keep("header %08d of a request that is long gone " % number * 6)


app = leaklib.App(__doc__)
app.serve(handle)
