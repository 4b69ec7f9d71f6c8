"""A class keeps a list of all its instances."""

import leaklib


class Order:
    instances = []

    def __init__(self, number):
        self.number = number
        self.lines = [(number, line, "article %d" % line) for line in range(300)]
        Order.instances.append(self)


def handle():
    Order(len(Order.instances))


app = leaklib.App(__doc__)
app.serve(handle)
