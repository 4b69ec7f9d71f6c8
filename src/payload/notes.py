"""What can be said about a container beyond its size: its entries and their types, its bounds, what they all call."""

import gc
import sys
from _collections import deque
from itertools import chain, islice

from .attributes import c_attribute, instance_dict, module_dict
from .children import children
from .names import printable, type_name
from .walk import entries_of, entry_count

SAMPLE = 200
_FUNCTION = type(printable)


class _Bound:
    def method(self):
        pass


_METHOD = type(_Bound().method)
_BOUNDS = frozenset(
    ("bound", "cap", "capacity", "cache_size", "limit", "max", "max_entries", "max_items", "max_keys", "max_len")
    + ("max_length", "max_size", "maxentries", "maxitems", "maxlen", "maxsize", "size_limit")
)
_DEQUE_BOUND = deque.__dict__["maxlen"].__get__


def describe_starts(starts, walk):
    """Entries, entry types and notes for the objects of a label."""
    entries = [_entries(start) for start in starts]
    known = [count for count, _ in entries if count is not None]
    notes = [note for start in starts[:1] for note in _own_notes(start)]
    if len(starts) > 1:
        notes.append("%d objects that are reached alike" % len(starts))
    counts = {}
    for _, holder in entries:
        for key, count in walk.entry_types(holder).items():
            counts[key] = counts.get(key, 0) + count
    held = chain.from_iterable(entries_of(holder) for _, holder in entries)
    sample = [entry for entry in islice(held, SAMPLE) if entry is not None]
    return {
        "entries": sum(known) if known else None,
        "entryTypes": _common_types(counts, walk.facts),
        "notes": notes + _common_calls(sample),
    }


def _common_types(counts, facts):
    known = [key for key in counts if key in facts]
    least = sorted((counts[key] for key in known), reverse=True)[:5]
    rows = [{"type": type_name(facts[key].kind), "count": counts[key]} for key in known if counts[key] >= least[-1]]
    return sorted(rows, key=_rank)[:5]


def _rank(row):
    return (-row["count"], row["type"])


def _entries(thing):
    """How many, and the builtin container that has them."""
    count = entry_count(thing)
    if count is not None:
        return count, thing
    if _is_type_of(thing, "_queue", "SimpleQueue"):
        held = [r for r in gc.get_referents(thing) if r is not type(thing)]
        if len(held) == 1 and type(held[0]) is list:  # until 3.12 the items are in a list
            held = held[0]
        return c_attribute(type(thing), "qsize")(thing), held
    info = _cache_info(thing)
    return (info[3] if info else None), ()


def _is_type_of(thing, module, name):
    return type(thing) is module_dict(sys.modules.get(module)).get(name)


def _cache_info(thing):
    """(hits, misses, maxsize, currsize) of an exact functools.lru_cache wrapper."""
    if not _is_type_of(thing, "_functools", "_lru_cache_wrapper"):
        return None
    try:
        return tuple(c_attribute(type(thing), "cache_info")(thing))
    except Exception:
        return None


def _own_notes(thing):
    info = _cache_info(thing)
    if info is not None:
        hits, misses, most, size = info
        return ["lru_cache maxsize=%s currsize=%d hits=%d misses=%d" % (most, size, hits, misses)]
    if type(thing) is deque and _DEQUE_BOUND(thing) is not None:
        return ["deque maxlen=%d" % _DEQUE_BOUND(thing)]
    return []


def bound_note(start, holder):
    """What bounds a container, where it or who holds it says so in a number that it has nearly reached."""
    count, _ = _entries(start)
    if not count:
        return []
    for thing in (start, holder):
        for name, value in islice(instance_dict(thing).items(), SAMPLE):
            if type(name) is str and type(value) is int and name.strip("_") in _BOUNDS and count <= value <= 2 * count:
                return ["bounded: %s=%d" % (printable(name, 60), value)]
    return []


def _common_calls(sample):
    """What nine of ten entries are about to call, or are."""
    if len(sample) < 3:
        return []
    counts = {}
    for entry in sample:
        steps = [("", entry)]
        try:
            steps += children(entry)
        except Exception:
            continue
        for told in {(step, name) for step, held in steps for name in _call_name(held)}:
            counts[told] = counts.get(told, 0) + 1
    common = [told for told, count in counts.items() if count * 10 >= len(sample) * 9]
    return ["every entry%s is %s" % told for told in common[:3]]


def _call_name(thing):
    kind = type(thing)
    if kind is _METHOD:
        thing = thing.__func__
        kind = type(thing)
    if kind is _FUNCTION:
        return [printable(thing.__qualname__, 160)]
    return []
