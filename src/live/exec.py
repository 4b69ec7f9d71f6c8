# Where it runs: in the service itself, on a thread of its own, between two of its bytecodes. Only when an operator asks.
# In:    REQUEST, a dict: `source` and the name to show for it; `mode` exec or single (an interactive statement); `limit`,
#        the most characters to answer; `paths`, more directories to import from, one a line; `keep`, a name under which
#        the variables wait for the next statement of a session, or nothing; a session ends by an empty source.
# Out:   RESULT, JSON as bytes: kind (finished, raised, incomplete, left, failed), output, error and whether it was cut.
# Never: raises, replaces sys.stdout (other threads write there), or leaves anything behind but what the source does.
import codeop
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


def names_for(keep):
    """The variables of a session, or fresh ones."""
    kept = sys.modules.get(keep) if keep else None
    if kept is None:
        kept = type(sys)(keep or "__pyheap__")
        kept.main = sys.modules.get("__main__")
        if keep:
            sys.modules[keep] = kept
    return kept.__dict__


def run(request):
    """Runs the source with a `print` of its own; answers what it printed and how it ended."""
    output, paths = Output(request["limit"]), request["paths"].splitlines()
    if request["source"] == "" and request["keep"]:
        sys.modules.pop(request["keep"], None)
        return answer("finished", "", output)

    def show(*values, sep=" ", end="\n", file=None, flush=False):
        print(*values, sep=sep, end=end, file=output if file is None else file, flush=flush)

    def display(value):
        if value is not None:
            output.write(repr(value) + "\n")

    names = names_for(request["keep"])
    names["print"] = show
    displays, sys.path[:0] = sys.displayhook, paths
    sys.displayhook = display
    try:
        if request["mode"] == "exec":
            code = compile(request["source"], request["name"], "exec", 0, True)
        else:
            code = codeop.compile_command(request["source"], request["name"], "single")
        if code is None:
            return answer("incomplete", "", output)
        exec(code, names)
        return answer("finished", "", output)
    except SystemExit as leaving:
        said = leaving.code
        is_well = said is None or said == 0
        return answer("left" if is_well else "failed", "" if is_well else "%s\n" % (said,), output)
    except BaseException as raised:
        trace = raised.__traceback__
        error = "".join(traceback.format_exception(type(raised), raised, trace and trace.tb_next))
        return answer("raised", error[-request["limit"] :], output)
    finally:
        sys.displayhook = displays
        for path in paths:
            sys.path.remove(path)


def answer(kind, error, output):
    """What is told about a run."""
    return {"kind": kind, "output": "".join(output.parts), "cut": output.cut, "error": error}


RESULT = json.dumps(run(REQUEST)).encode()  # noqa: F821 (the globals that we are run with)
