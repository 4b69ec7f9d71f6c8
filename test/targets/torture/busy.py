"""Busy in the main thread: in malloc, in the collector, deep in calls, in C code with and without the GIL."""

import ctypes
import gc
import hashlib
import random
import re
import zlib

import witness


def looping(prepare, steady=True):
    def state():
        work = prepare()
        witness.ready(steady=steady)
        while not witness.stopping:
            if not work():
                witness.blame("a result was wrong")
            witness.beat()

    return state


def malloc():
    """Blocks of 0.5 to 9 kB, which the interpreter leaves to malloc, in a ring that is checked."""
    ring = [None] * 400
    chance = random.Random(1)
    count = [0]

    def work():
        for _ in range(20):
            number = count[0] = count[0] + 1
            size = chance.randrange(520, 9000)
            letter = chr(97 + number % 26)
            old = ring[number % 400]
            if old is not None and not is_whole(*old):
                return False
            cells = dict.fromkeys(range(chance.randrange(60, 400)), letter)
            ring[number % 400] = (letter, letter * size, cells, bytes([number % 256]) * size)
        return True

    return work


def is_whole(letter, text, cells, data):
    return text == letter * len(text) and data == data[:1] * len(text) and set(cells.values()) == {letter}


class Node:
    def __init__(self, number):
        self.number = number
        self.other = None


def collect():
    """Cycles, with a collector that runs all the time."""
    gc.set_threshold(40, 3, 3)
    kept = []

    def work():
        for number in range(600):
            one, two = Node(number), Node(number)
            one.other, two.other = two, one
            if number % 20 == 0:
                kept.append(one)
        good = all(node.other.other is node and node.other.number == node.number for node in kept)
        del kept[:-2000]
        return good

    return work


def recursion():
    def deep(level):
        return level if level == 0 else deep(level - 1) + 1

    return lambda: deep(800) == 800


def generators():
    def stage(source):
        for item in source:
            yield item + 1

    def work():
        source = iter(range(100))
        for _ in range(100):
            source = stage(source)
        return list(source) == list(range(100, 200))

    return work


def exceptions():
    def fall(level):
        try:
            if level == 0:
                raise KeyError(level)
            fall(level - 1)
        except KeyError as error:
            raise ValueError(level) from error
        except ValueError:
            raise

    def work():
        try:
            fall(60)
        except ValueError as error:
            return error.args == (0,)
        return False

    return work


def native():
    """C code that keeps the GIL and is interrupted by nothing: sorting, regular expressions, sums."""
    numbers = list(range(120000, 0, -1))
    pattern = re.compile("(a*)*b")

    def work():
        good = sorted(numbers)[0] == 1 and sum(range(200000)) == 19999900000
        return good and pattern.match("a" * 15) is None

    return work


def released():
    """C code without the GIL: hashes and compression of large blocks."""
    data = bytes(range(256)) * 8192
    digest = hashlib.sha256(data).hexdigest()

    def work():
        packed = zlib.compress(data, 1)
        return hashlib.sha256(data).hexdigest() == digest and zlib.decompress(packed) == data

    return work


def held():
    """Sleeps in C code that keeps the GIL."""
    library = ctypes.PyDLL(None)
    return lambda: library.usleep(200000) == 0 or witness.stopping


STATES = {
    "malloc": looping(malloc),
    "collect": looping(collect),
    "recursion": looping(recursion),
    "generators": looping(generators),
    "exceptions": looping(exceptions),
    "native": looping(native),
    "released": looping(released),
    "held": looping(held),
}
