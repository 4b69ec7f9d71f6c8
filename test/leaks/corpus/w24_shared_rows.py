"""Log rows are few bytes each, and there are millions of them in nested lists."""

import leaklib


def log():
    minute = [[n, n * 0.5, None] for n in range(1000)]
    journal.MINUTES.append(minute)


app = leaklib.App(__doc__)
journal = leaklib.make_module("shop.journal", MINUTES=[])
app.serve(log)
