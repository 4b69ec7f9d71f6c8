# Where it runs: in the service itself, as exec.py; behind the text of src/payload/names.py. Only where the configuration
# says allow_inline and no snapshot can be taken.
# In:    nothing.
# Out:   RESULT, JSON as bytes: what the collector lists, by type. The service stands still meanwhile: 0.1 to 0.25 s for a
#        million objects.
import gc
import sys
from _collections import _count_elements

MOST = 300


def count():
    """The most frequent types of what the collector lists, with their names; runs no code of the service."""
    objects = gc.get_objects()
    counts = {}
    _count_elements(counts, map(id, map(type, objects)))
    kinds = dict(zip(map(id, map(type, objects)), map(type, objects)))
    common = sorted(counts, key=counts.__getitem__, reverse=True)[:MOST]
    return len(objects), [(type_name(kinds[key]), counts[key]) for key in common]  # noqa: F821 (names.py)


def quote(text):
    """A JSON string; json itself may not be loaded, and nothing is imported here."""
    return '"' + "".join(c if " " <= c < "\x7f" and c not in '"\\' else "\\u%04x" % min(ord(c), 0xFFFD) for c in text) + '"'


def tell():
    """All as JSON."""
    total, rows = count()
    types = ",".join('{"type":%s,"count":%d,"bytes":0}' % (quote(name), n) for name, n in rows)
    version = quote(sys.version.replace("\n", " "))
    return ('{"objects":%d,"version":%s,"types":[%s]}' % (total, version, types)).encode("ascii")


RESULT = tell()
