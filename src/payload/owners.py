"""From labels to owners: which labels are worth a row, and what the row says."""

from .names import type_name
from .notes import bound_note, describe_starts
from .walk import entry_count

MOST = 200
LEAST_BYTES = 64 * 1024
MANY = 64
MANY_ALIKE = 16


def bytes_by_type(tally, facts):
    """Bytes per type id."""
    found = {key: count * facts[key].size for key, count in tally.counts.items()}
    for key, size in tally.bytes.items():
        found[key] += size
    return found


def merge(into, other):
    """Adds one tally to another."""
    for sums, more in ((into.counts, other.counts), (into.bytes, other.bytes)):
        for key, amount in more.items():
            sums[key] = sums.get(key, 0) + amount


def choose_rows(labels, facts):
    """The labels that become owners; what the others hold is added to the nearest of these.

    A light label goes up into its parent. A label that does little more than lead to a heavy one goes down into
    that, so that the row bears the name of the container and not of what it hangs on.
    """
    own = {id(label): sum(bytes_by_type(label.tally, facts).values()) for label in labels}
    split = max(LEAST_BYTES, sum(own.values()) // 1000)
    heavy, rows = {}, []
    for label in reversed(labels):  # what is below comes first
        label.total += own[id(label)]
        below = heavy.get(id(label), ())
        _note_twins(below)
        parent = label.parent if label.parent is not None and label.parent.starts else None
        if parent is not None:
            parent.total += label.total
        row = label
        if below and own[id(label)] < split:
            row = max(below, key=_total)
        elif not below and parent is not None and label.total < split:
            row = parent
        if row is not label:
            merge(row.tally, label.tally)
            own[id(row)] += own[id(label)]
        else:
            rows.append(label)
        if row is not parent and parent is not None:
            heavy.setdefault(id(parent), []).append(row)
    return sorted(merge_alike(rows, own), key=lambda row: own[id(row)], reverse=True)


def merge_alike(rows, own):
    """Folds rows that are named alike, as modules `plugin_1`, `plugin_2` or threads in one function, into the first.

    None of them may hold much, and together they may hold all; `own` has what each holds, by its id.
    """
    groups = {}
    for row in rows:
        groups.setdefault((row.kind, _pattern(row), _without_numbers(row.path)), []).append(row)
    kept = []
    for (_, scope, path), group in groups.items():
        if len(group) < MANY_ALIKE:
            kept += group
            continue
        first = group[0]
        for row in group[1:]:
            merge(first.tally, row.tally)
            own[id(first)] += own[id(row)]
        first.notes.append("such as %s: %s" % (first.scope, first.path))
        first.scope, first.path, first.alike = scope, path, len(group)
        kept.append(first)
    return kept


def _pattern(row):
    """The scope without numbers; of a frame without the thread that it belongs to."""
    return "threads: " + row.scope.rpartition(": ")[2] if row.kind == "frame" else _without_numbers(row.scope)


def _without_numbers(name):
    """The name with `*` for each number in it."""
    parts = "".join("*" if char.isdigit() else char for char in name).split("*")
    return "*".join([part for at, part in enumerate(parts) if part or at in (0, len(parts) - 1)])


def _total(label):
    return label.total


def _note_twins(labels):
    """Containers of the same length under one roof may well share what they hold."""
    alike = {}
    for label in labels:
        count = entry_count(label.starts[0]) or 0
        if count > MANY:
            alike.setdefault((id(type(label.starts[0])), count), []).append(label)
    for twins in alike.values():
        if len(twins) > 1:
            for label in twins:
                label.notes.append("%d containers beside it have as many entries" % (len(twins) - 1))


def owner_rows(rows, walk):
    """Owner of model.ts for each of the largest rows, and one for the rest together."""
    told = [_owner(label, walk) for label in rows[:MOST]]
    if len(rows) > MOST:
        rest = rows[MOST]
        for label in rows[MOST + 1 :]:
            merge(rest.tally, label.tally)
        row = {"kind": "interpreter", "scope": "everything else", "path": "", "type": ""}
        told.append(dict(row, entryTypes=[], notes=[], **_sums(rest.tally, walk.facts)))
    return told


def _owner(label, walk):
    start = label.starts[0]
    row = {"kind": label.kind, "scope": label.scope, "path": label.path, "type": type_name(type(start))}
    if label.alike:
        row["alike"] = label.alike
    if label.kind == "task" and len(label.starts) > 1:
        found = {"entries": len(label.starts), "entryTypes": [], "notes": []}
    elif label.parent is None or label.alike:
        found = {"entries": None, "entryTypes": [], "notes": []}
    else:
        found = describe_starts(label.starts, walk)
        if len(label.starts) == 1:
            found["notes"] += bound_note(start, label.parent.starts[0] if label.parent.starts else None)
    if found["entries"] is None:
        del found["entries"]
    found["notes"] = label.notes + found["notes"]
    return dict(row, **found, **_sums(label.tally, walk.facts))


def _sums(tally, facts):
    types = type_rows(tally, facts)
    return {
        "objects": sum(row["count"] for row in types),
        "bytes": sum(row["bytes"] for row in types),
        "types": types[:8],
    }


def type_rows(tally, facts):
    """TypeRow of model.ts for every type, largest first."""
    sizes = bytes_by_type(tally, facts)
    rows = [{"type": type_name(facts[k].kind), "count": tally.counts[k], "bytes": sizes[k]} for k in sizes]
    return sorted(rows, key=_rank)


def _rank(row):
    return (-row["bytes"], row["type"])
