"""Values of a context variable stay alive in contexts that are kept."""

import contextvars

import leaklib

CURRENT = contextvars.ContextVar("current")


class Request:
    def __init__(self, number):
        self.number = number
        self.body = bytes(50000)


def handle():
    CURRENT.set(Request(len(context.SAVED)))
    context.SAVED.append(contextvars.copy_context())


app = leaklib.App(__doc__)
context = leaklib.make_module("shop.context", SAVED=[])
app.serve(handle)
