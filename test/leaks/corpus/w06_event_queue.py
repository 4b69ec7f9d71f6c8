"""An unbounded queue whose consumer is slower than its producers."""

import asyncio

import leaklib


class Event:
    def __init__(self, number):
        self.number = number
        self.body = {"n": number, "text": "%064d" % number * 400}


async def main(app):
    bus.EVENTS = asyncio.Queue()

    async def produce():
        for number in range(4):
            bus.EVENTS.put_nowait(Event(number))

    async def consume():
        while True:
            await bus.EVENTS.get()
            await asyncio.sleep(5)

    consumer = asyncio.ensure_future(consume())
    await app.serve_async(produce)
    consumer.cancel()


app = leaklib.App(__doc__)
bus = leaklib.make_module("shop.bus", EVENTS=None)
asyncio.run(main(app))
