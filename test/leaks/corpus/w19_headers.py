"""A view of ten bytes keeps the whole packet."""

import leaklib


def receive():
    packet = bytearray(b"%08d" % len(net.HEADERS) * 8000)
    net.HEADERS.append(memoryview(packet)[:10])


app = leaklib.App(__doc__)
net = leaklib.make_module("shop.net", HEADERS=[])
app.serve(receive)
