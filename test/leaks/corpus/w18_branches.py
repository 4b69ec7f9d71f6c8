"""One of two branches of an iterator lags behind, and all between them is kept."""

import itertools

import leaklib


def rows():
    number = 0
    while True:
        number += 1
        yield {"n": number, "text": "%032d" % number * 100}


def advance():
    for _ in range(30):
        next(etl.FAST)


app = leaklib.App(__doc__)
fast, slow = itertools.tee(rows())
etl = leaklib.make_module("shop.etl", FAST=fast, SLOW=slow)
app.serve(advance)
