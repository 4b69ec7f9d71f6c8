"""The census: counts everything that the roots lead to, in their order, and says who holds how much."""

import time

from .buffers import device_rows
from .emit import send, send_list
from .labels import Claims
from .modules import claim_modules
from .names import type_name
from .owners import choose_rows, merge, owner_rows, type_rows
from .threads import claim_frames, claim_orphans, claim_tasks, claim_threads, find_tasks, hold_tasks
from .unreached import claim_unreached, is_notable
from .walk import Tally

PACKAGE = __name__.rpartition(".")[0]
TYPES, TRACKED = 300, 200
PROGRESS_SECONDS = 0.5


def count_tracked(heap, write):
    """Tells what the collector tracks, so that a snapshot that is killed leaves something.

    Returns type and count by the type's id, and asyncio's tasks.
    """
    counts = heap.tracked()
    common = sorted(counts.values(), key=_count, reverse=True)[:TRACKED]
    send(write, "tracked", types=[{"type": type_name(kind), "count": n, "bytes": 0} for kind, n in common])
    tasks = find_tasks(heap, counts)
    heap.forget()
    return counts, tasks


def _count(row):
    return row[1]


def take_census(service, heap, counts, tasks, write):
    """Walks the heap and tells types, largest objects and owners; returns problems and all labels."""
    walk = heap.walk(service.opaque, tell_progress(write))
    claims = Claims(walk)
    tasks = hold_tasks(walk, tasks)
    application = claim_modules(claims, PACKAGE)
    claim_threads(claims, service.active, service.names)
    _walk_new(claims)
    claim_frames(claims, service.records, service.names)
    claim_orphans(claims, service.orphans)
    claim_tasks(claims, tasks)
    _walk_new(claims)
    missing = heap.missing(counts, claims.labels)
    if is_notable(missing, counts, application):
        claim_unreached(heap.unreached(claims.labels), service.gc_before["enabled"], claims)
        _walk_new(claims)
    _tell(walk, claims.labels, write)
    return sorted(claims.problems)[:20], claims.labels


def _walk_new(claims):
    begin = len(claims.labels)
    claims.expand()
    claims.run(begin)


def tell_progress(write):
    """A function that is told how many more objects were walked, and tells it at most twice a second."""
    told = [0, time.monotonic()]

    def beat(count):
        told[0] += count
        if time.monotonic() - told[1] > PROGRESS_SECONDS:
            told[1] = time.monotonic()
            send(write, "progress", objects=told[0])

    return beat


def _tell(walk, labels, write):
    total = Tally()
    for label in labels:
        merge(total, label.tally)
    types = type_rows(total, walk.facts)
    objects = sum(row["count"] for row in types)
    size = sum(row["bytes"] for row in types)
    if len(types) > TYPES:
        rest = types[TYPES:]
        sums = {name: sum(row[name] for row in rest) for name in ("count", "bytes")}
        types[TYPES:] = [dict(sums, type="<other>")]
    send(write, "types", objects=objects, bytes=size, types=types)
    send(write, "largest", objects=[_large(walk, *entry) for entry in walk.largest_first()])
    if device_rows():
        send(write, "devices", devices=device_rows()[:16])
    send_list(write, "owners", "owners", owner_rows(choose_rows(labels, walk.facts), walk))


def _large(walk, size, key, entries):
    row = {"type": type_name(walk.facts[key].kind), "bytes": size}
    return row if entries is None else dict(row, entries=entries)
