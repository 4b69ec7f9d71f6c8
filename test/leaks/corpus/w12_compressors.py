"""A compressor for each connection is kept, with its memory outside Python."""

import os
import zlib

import leaklib


def connect():
    compressor = zlib.compressobj(9, zlib.DEFLATED, 15, 9)
    compressor.compress(os.urandom(200_000))
    connections.DEFLATE[len(connections.DEFLATE)] = compressor


app = leaklib.App(__doc__)
connections = leaklib.make_module("shop.connections", DEFLATE={})
app.serve(connect)
