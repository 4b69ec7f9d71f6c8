"""The collector is on and its thresholds are so high that it never runs."""

import gc

import leaklib


class Node:
    def __init__(self):
        self.data = bytearray(50000)
        self.peer = None


def pair():
    left, right = Node(), Node()
    left.peer, right.peer = right, left


app = leaklib.App(__doc__)
gc.set_threshold(10_000_000, 10, 10)
app.serve(pair)
