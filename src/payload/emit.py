"""Lines of ASCII JSON; our own encoder, because `json` may not be loaded and nothing can be imported."""

LINE_BYTES = 400_000

_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(char):
    number = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if 32 <= number < 127:
        return char
    if number < 0x10000:
        return "\\u%04x" % number
    number -= 0x10000
    return "\\u%04x\\u%04x" % (0xD800 | number >> 10, 0xDC00 | number & 0x3FF)


def to_json(value):
    """JSON of None, bools, ints, strings, and lists, tuples and dicts of such; keys are plain names."""
    kind = type(value)
    if kind is str:
        if value.isascii() and value.isprintable() and '"' not in value and "\\" not in value:
            return '"' + value + '"'
        return '"' + "".join(map(_escape, value)) + '"'
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is list or kind is tuple:
        return "[" + ",".join(map(to_json, value)) + "]"
    return "{" + ",".join([to_json(key) + ":" + to_json(item) for key, item in value.items()]) + "}"


def send(write, kind, **fields):
    """Writes one line."""
    write((to_json(dict({"kind": kind}, **fields)) + "\n").encode("ascii"))


def send_list(write, kind, name, items):
    """Writes the items as a list called `name`, on as many lines as they need; on one if there are none."""
    head = '{"kind":"%s","%s":[' % (kind, name)
    batch, length = [], 0
    for item in map(to_json, items):
        if batch and length + len(item) > LINE_BYTES:
            write((head + ",".join(batch) + "]}\n").encode("ascii"))
            batch, length = [], 0
        batch.append(item)
        length += len(item) + 1
    write((head + ",".join(batch) + "]}\n").encode("ascii"))
