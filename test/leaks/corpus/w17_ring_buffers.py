"""Buffers made with ctypes are kept for every transfer."""

import ctypes

import leaklib


def transfer():
    ring = ctypes.create_string_buffer(b"x" * 60000)
    dma.RINGS.append(ring)


app = leaklib.App(__doc__)
dma = leaklib.make_module("shop.dma", RINGS=[])
app.serve(transfer)
