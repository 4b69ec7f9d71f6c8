"""The census: counts everything that the roots lead to, in their order, and says who holds how much."""

import time
from _collections import _count_elements

from .emit import send, send_list
from .labels import Claims
from .modules import claim_modules
from .names import type_name
from .owners import choose_rows, merge, owner_rows, type_rows
from .threads import claim_frames, claim_orphans, claim_tasks, claim_threads, find_tasks, hold_tasks
from .unreached import claim_unreached, count_missing, find_unreached, is_notable
from .walk import Tally, Walk

PACKAGE = __name__.rpartition(".")[0]
TYPES, TRACKED = 300, 200
PROGRESS_SECONDS = 0.5


def count_listed(objects, write):
    """Tells what the collector lists, so that a snapshot that is killed leaves something.

    Returns how many of each type it lists, by the type's id, and asyncio's tasks.
    """
    counts = {}
    _count_elements(counts, map(id, map(type, objects)))
    kinds = dict(zip(map(id, map(type, objects)), map(type, objects)))
    common = sorted(counts, key=counts.__getitem__, reverse=True)[:TRACKED]
    rows = [{"type": type_name(kinds[key]), "count": counts[key], "bytes": 0} for key in common]
    send(write, "tracked", types=rows)
    return {key: (kinds[key], count) for key, count in counts.items()}, find_tasks(objects, counts)


def take_census(service, listed, tasks, write):
    """Walks the heap and tells types, largest objects and owners; returns problems."""
    walk = Walk(service.opaque, _progress(write))
    claims = Claims(walk)
    tasks = hold_tasks(walk, tasks)
    application = claim_modules(claims, PACKAGE)
    claim_threads(claims, service.active, service.names)
    _walk_new(claims)
    claim_frames(claims, service.records, service.names)
    claim_orphans(claims, service.orphans)
    claim_tasks(claims, tasks)
    _walk_new(claims)
    missing = count_missing(listed, walk, [label.tally for label in claims.labels])
    if is_notable(missing, listed, application):
        found = find_unreached(missing, claims.labels, service.opaque, _progress(write))
        claim_unreached(found, service.gc_before["enabled"], claims)
        del found
        _walk_new(claims)
    _tell(walk, claims.labels, write)
    return sorted(claims.problems)[:20]


def _walk_new(claims):
    begin = len(claims.labels)
    claims.expand()
    claims.run(begin)


def _progress(write):
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
    send_list(write, "owners", "owners", owner_rows(choose_rows(labels, walk.facts), walk.facts))


def _large(walk, size, key, entries):
    row = {"type": type_name(walk.facts[key].kind), "bytes": size}
    return row if entries is None else dict(row, entries=entries)
