"""Handlers are closures, and each keeps the request that made it."""

import leaklib


class Bus:
    def __init__(self):
        self.handlers = {"changed": [], "closed": []}


def make_handler(request):
    def on_changed(value):
        return request["id"], value

    return on_changed


def subscribe():
    request = {"id": len(BUS.handlers["changed"]), "body": bytes(60000)}
    BUS.handlers["changed"].append(make_handler(request))


BUS = Bus()
app = leaklib.App(__doc__)
app.serve(subscribe)
