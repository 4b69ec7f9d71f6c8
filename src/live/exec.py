# Where it runs: in the service itself, on a thread of its own, between two of its bytecodes. Only when an operator asks.
# In:    REQUEST, a dict with the source, the name to show for it, and the most characters to answer.
# Out:   RESULT, JSON as bytes: output, error (the traceback or null) and whether something was cut off.
# Never: raises, replaces sys.stdout (other threads write there), or leaves anything behind but what the source does.
import json
import sys
import traceback


class Output:
    """What the source prints, up to a limit."""

    def __init__(self, limit):
        self.parts, self.left, self.cut = [], limit, False

    def write(self, text):
        """Takes a piece of text; what is too much is dropped and told."""
        self.cut = self.cut or len(text) > self.left
        self.parts.append(text[: self.left])
        self.left -= len(self.parts[-1])
        return len(text)

    def flush(self):
        """Nothing is held back."""


def run(request):
    """Runs the source with a `print` of its own; answers what it printed and the traceback, if it raised."""
    output, error = Output(request["limit"]), None

    def show(*values, sep=" ", end="\n", file=None, flush=False):
        print(*values, sep=sep, end=end, file=output if file is None else file, flush=flush)

    names = {"__name__": "__pyheap__", "main": sys.modules.get("__main__"), "print": show}
    try:
        exec(compile(request["source"], request["name"], "exec", 0, True), names)
    except BaseException as raised:
        trace = raised.__traceback__
        error = "".join(traceback.format_exception(type(raised), raised, trace and trace.tb_next))[-request["limit"] :]
    return {"output": "".join(output.parts), "cut": output.cut, "error": error}


RESULT = json.dumps(run(REQUEST)).encode()  # noqa: F821 (the globals that we are run with)
