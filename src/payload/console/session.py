"""Does what the client asks for, one thing after another."""

import gc
import posix
import sys

from .completion import complete
from .frames import WRITE, receive, send
from .interrupts import interrupts
from .lifetime import Lifetime
from .stacks import frames_by_thread
from .statements import compile_file, compile_statement
from .streams import Nothing, Output, Text
from .tracebacks import describe


def serve(snapshot, request):
    """Says that it is ready, with the version of Python or with what is wrong, and then answers for good."""
    session = Session(snapshot)
    for _ in (0, 1, 2):  # what code writes there by itself reaches the client too; nothing can be read from 0
        posix.dup(WRITE)
    problem = insert_paths(request["paths"])
    lifetime = Lifetime(request["seconds"])
    lifetime.prolong()
    interrupts.install()
    if problem:
        send(b"refused", problem)
    send(b"hello", sys.version.partition(" ")[0].encode("ascii", "replace"))
    while True:
        kind, body = receive()
        lifetime.prolong()
        if kind == b"complete":
            send(b"names", session.complete(body))
            continue
        lifetime.guard()
        ending = session.run(kind, body)
        lifetime.unguard()
        send(b"done", ending)


def insert_paths(paths):
    """Makes directories the first to import from; what is wrong with one of them, if anything is."""
    sys.dont_write_bytecode = True
    for path in reversed(paths):
        try:
            posix.listdir(path)
        except OSError as error:
            return ("%s cannot be read by the process's user: %s" % (path, error.strerror)).encode("utf-8", "replace")
        sys.path.insert(0, path)
    return b""


class Session:
    """The operator's names, which live as long as the snapshot."""

    def __init__(self, snapshot):
        self._output = Output()
        self._streams = (Nothing(), Text(self._output, b"out", 1), Text(self._output, b"err", 2))
        modules = sys.modules
        self.names = {
            "__name__": "__console__",
            "__doc__": None,
            "__builtins__": modules["builtins"],
            "frames": frames_by_thread(snapshot),
            "gc": gc,
            "main": modules.get("__main__"),
            "modules": modules,
            "sys": sys,
        }

    def complete(self, body):
        """Names for the end of a line, one a line; none when it cannot be told."""
        try:
            return "\n".join(complete(body.decode(), self.names)).encode("utf-8", "replace")
        except Exception:
            return b""

    def run(self, kind, body):
        """Runs a file or a statement, which `body` has behind its name and a NUL, and answers how it ended."""
        filename, _, source = body.partition(b"\0")
        filename = filename.decode("utf-8", "replace")
        self._output.renew()
        sys.stdin, sys.stdout, sys.stderr = self._streams
        sys.displayhook = self._show
        try:
            if kind == b"single":
                code = compile_statement(source.decode("utf-8", "replace"), filename)
                if code is None:
                    return b"incomplete"
            else:
                self.names["__file__"] = filename
                code = compile_file(source, filename)
            ending = self._execute(code)
        except BaseException as error:
            ending = self._tell(error)
        return ending + b" cut" if self._output.cut else ending

    def _execute(self, code):
        try:
            interrupts.begin()
            try:
                exec(code, self.names)
            finally:
                interrupts.end()
                self._output.flush()
        except SystemExit as error:
            return self._leave(error)
        return b"finished"

    def _tell(self, error):
        self._output.flush()
        send(b"error", describe(error).encode("utf-8", "backslashreplace"))
        return b"raised"

    def _leave(self, error):
        status = BaseException.__dict__["args"].__get__(error)[:1]
        if status in ((), (None,), (0,)):
            return b"left"
        text = "" if type(status[0]) is int else "%s\n" % status[0]
        send(b"error", (text or "SystemExit: %d\n" % status[0]).encode("utf-8", "backslashreplace"))
        return b"failed"

    def _show(self, value):
        if value is not None:
            text = repr(value)
            self.names["_"] = value
            sys.stdout.write(text + "\n")
