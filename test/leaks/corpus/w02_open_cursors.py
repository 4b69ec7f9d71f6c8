"""Generators that nobody finishes keep the variables of their frames."""

import leaklib


def pages(number):
    page = (b"%08d|" % number) * 8000
    while True:
        yield page[:80]


def open_cursor():
    cursor = pages(len(stream.CURSORS))
    next(cursor)
    stream.CURSORS.append(cursor)


app = leaklib.App(__doc__)
stream = leaklib.make_module("shop.stream", CURSORS=[])
app.serve(open_cursor)
