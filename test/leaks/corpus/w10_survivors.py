"""Many small objects were freed, and the few that live keep nearly all arenas."""

import leaklib

STATE = {"done": False}


def burst():
    if not STATE["done"]:
        points = [(n, str(n)) for n in range(300_000, 300_000 + 16000)]
        burst_module.KEPT.extend(points[::400])
        burst_module.BATCHES.append(points)
    if app.pacer.grown() >= app.pacer.limit * 0.95 and not STATE["done"]:
        STATE["done"] = True
        burst_module.BATCHES.clear()


app = leaklib.App(__doc__)
burst_module = leaklib.make_module("shop.burst", KEPT=[], BATCHES=[])
app.serve(burst)
