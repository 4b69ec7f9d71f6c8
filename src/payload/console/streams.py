"""What the operator's code has for sys.stdin, sys.stdout and sys.stderr."""

from .frames import send

LIMIT = 16 * 1024 * 1024
ENOUGH = 32768
EFBIG = 27


class Output:
    """Collects what is written and sends it in order, at line ends or when there is enough; at most LIMIT for a run."""

    def __init__(self):
        self.cut = False
        self._kind = b"out"
        self._parts = []
        self._length = 0
        self._room = LIMIT

    def renew(self):
        """Another run begins."""
        self.cut, self._room = False, LIMIT

    def write(self, kind, data):
        """Takes bytes of one stream; refuses what is too much, so that an endless loop comes to its end."""
        if kind != self._kind:
            self.flush()
            self._kind = kind
        if len(data) > self._room:
            self.cut, data = True, data[: self._room]
        self._room -= len(data)
        self._parts.append(data)
        self._length += len(data)
        if self.cut or b"\n" in data or self._length > ENOUGH:
            self.flush()
        if self.cut:
            raise OSError(EFBIG, "output is cut after %d MiB" % (LIMIT >> 20))

    def flush(self):
        """Sends what has been collected."""
        data, self._parts, self._length = b"".join(self._parts), [], 0
        for begin in range(0, len(data), ENOUGH):
            send(self._kind, data[begin : begin + ENOUGH])


class Bytes:
    """The `buffer` of a text stream."""

    mode, closed = "wb", False

    def __init__(self, output, kind):
        self._output = output
        self._kind = kind

    def write(self, data):
        data = bytes(data)
        self._output.write(self._kind, data)
        return len(data)

    def flush(self):
        self._output.flush()

    def writable(self):
        return True


class Text:
    """A text stream to the client. What cannot be encoded is spelled out."""

    encoding, errors, newlines = "utf-8", "backslashreplace", None
    mode, closed, line_buffering = "w", False, True

    def __init__(self, output, kind, descriptor):
        self.name = "<stdout>" if descriptor == 1 else "<stderr>"
        self.buffer = Bytes(output, kind)
        self._descriptor = descriptor

    def write(self, text):
        if not issubclass(type(text), str):
            raise TypeError("write() argument must be str, not " + type(text).__name__)
        self.buffer.write(str.encode(text, "utf-8", "backslashreplace"))
        return str.__len__(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        self.buffer.flush()

    def fileno(self):
        return self._descriptor

    def isatty(self):
        return False

    def readable(self):
        return False

    def seekable(self):
        return False

    def writable(self):
        return True


class Nothing:
    """A stream that is at its end: nobody types into a snapshot but the operator's code itself."""

    name, mode, encoding, errors, closed = "<stdin>", "r", "utf-8", "strict", False

    def read(self, size=-1):
        return ""

    def readline(self, size=-1):
        return ""

    def readlines(self, hint=-1):
        return []

    def __iter__(self):
        return iter(())

    def isatty(self):
        return False

    def readable(self):
        return True

    def fileno(self):
        raise OSError("there is no standard input in a snapshot")


class Memory:
    """A stream that keeps what is written, up to a length; isolated from what the client reads."""

    encoding, errors, closed = "utf-8", "backslashreplace", False

    def __init__(self, most):
        self._parts = []
        self._room = most

    def write(self, text):
        text = str.__str__(text)
        self._parts.append(text[: self._room])
        self._room -= len(self._parts[-1])
        return len(text)

    def flush(self):
        pass

    def isatty(self):
        return False

    def text(self):
        return "".join(self._parts)
