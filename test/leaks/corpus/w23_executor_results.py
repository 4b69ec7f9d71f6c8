"""Finished futures are kept for their results."""

import concurrent.futures

import leaklib


def render(number):
    return ("page %d " % number) * 8000


def submit():
    pages.DONE.append(POOL.submit(render, len(pages.DONE)))
    if len(pages.DONE) % 20 == 0:
        pages.DONE[-1].result()


app = leaklib.App(__doc__)
POOL = concurrent.futures.ThreadPoolExecutor(2)
pages = leaklib.make_module("shop.pages", DONE=[])
app.serve(submit)
POOL.shutdown()
