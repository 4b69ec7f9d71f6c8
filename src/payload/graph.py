"""The whole graph: what every object is and refers to. Native code writes the objects (see src/stub/graph.h); here is
what gives the numbers names: types, attributes, and the labels of the census that the ways to an object begin with.
"""

import gc
from itertools import islice

from .attributes import instance_dict, read_slot, slots_of
from .emit import send, send_list
from .names import printable, type_name
from .native import HOW, rows_of
from .sizes import HEAP_TYPE, MANAGED_DICT, flags_of

STARTS_A_ROW = 10_000
MOST_NAMES = 100
MOST_LABELS = 30_000


def tell_graph(native, labels, beat, write):
    """Writes kinds, labels, records and attribute names; the census must have been told."""
    objects = native["number"]()
    number = native["number_of"]
    kinds = list(rows_of(native["kinds"](), 4))
    send(write, "graph", objects=objects, kinds=len(kinds))
    rows = ({"type": type_name(kind), "bytes": size, "walks": HOW[how]} for kind, _, size, how in kinds)
    send_list(write, "graph-kinds", "kinds", rows)
    send_list(write, "graph-labels", "labels", _label_rows(labels, number))
    done = 1
    while done:
        done = native["tell"]()
        beat(done)
    # Only now: looking at an instance's attributes may move them into a dict.
    send_list(write, "graph-names", "names", _name_rows(kinds, number))
    send(write, "graph-end", references=native["references"]())


def _label_rows(labels, number):
    for label in islice((label for label in labels if label.starts), MOST_LABELS):
        row = {"kind": label.kind, "scope": label.scope, "path": label.path}
        row["isTop"] = label.parent is None or not label.parent.starts
        starts = [found for found in map(number, label.starts) if found]
        for begin in range(0, len(starts), STARTS_A_ROW):
            yield dict(row, starts=starts[begin : begin + STARTS_A_ROW])


def _name_rows(kinds, number):
    """The names of attributes by kind: by place among an instance's references, and by the number of the key."""
    for at, (kind, sample, _, _) in enumerate(kinds):
        if sample is None or not flags_of(kind) & HEAP_TYPE:
            continue
        names = instance_dict(sample)
        told = [(name, value) for name, value in islice(names.items(), MOST_NAMES) if type(name) is str]
        keys = [[number(name), printable(name, 60)] for name, _ in told]
        row = {"kind": at, "places": _places(kind, sample, names, told), "keys": [key for key in keys if key[0]]}
        if row["keys"] or any(row["places"]):
            yield row


def _places(kind, sample, names, told):
    """The name of each reference of an instance, as it is while its attributes are not in a dict."""
    held = {id(value): printable(name, 60) for name, value in told}
    for name, reader in islice(slots_of(kind), MOST_NAMES):
        held[id(read_slot(reader, sample))] = printable(name, 60)
    places = []
    for referent in gc.get_referents(sample)[:MOST_NAMES]:
        if referent is not names:
            places.append(held.get(id(referent), ""))
        elif not flags_of(kind) & MANAGED_DICT:
            places.append("")
        elif not any(places):  # they moved there from the instance
            places += [printable(name, 60) for name, _ in told]
    return places[:MOST_NAMES]
