"""A mutable default argument collects what every call leaves in it."""

import leaklib


def collect(row, batch=[]):  # noqa: B006 (that is the leak)
    batch.append(row)
    return len(batch)


def handle():
    metrics.collect({"at": len(metrics.collect.__defaults__[0]), "body": "%032d" % 7 * 1500})


app = leaklib.App(__doc__)
metrics = leaklib.make_module("shop.metrics", collect=collect)
app.serve(handle)
