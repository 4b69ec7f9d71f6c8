"""Receivers of a signal are kept as weak references with callbacks, and so are what these hold."""

import weakref

import leaklib


class Receiver:
    def __init__(self, number):
        self.number = number

    def forget(self, reference):
        pass


class Subscription:
    """What a weak reference calls keeps its own memory alive."""

    def __init__(self, number):
        self.state = bytearray(60000)
        self.number = number

    def dropped(self, reference):
        self.number = -1


def connect():
    receiver = Receiver(len(signals.RECEIVERS))
    signals.ALIVE.append(receiver)
    signals.RECEIVERS.append(weakref.ref(receiver, Subscription(receiver.number).dropped))


app = leaklib.App(__doc__)
signals = leaklib.make_module("shop.signals", RECEIVERS=[], ALIVE=[])
app.serve(connect)
