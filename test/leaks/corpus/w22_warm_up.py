"""A table is filled once, right after the start, and never again."""

import leaklib


def fill():
    if len(warm.TABLE) < 2_000_000:
        begin = len(warm.TABLE)
        warm.TABLE.update((n, str(n)) for n in range(begin, begin + 2000))


app = leaklib.App(__doc__)
warm = leaklib.make_module("shop.warm", TABLE={})
while len(warm.TABLE) < 600_000:
    fill()
app.serve(lambda: None)
