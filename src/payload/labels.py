"""Labels: the named places of the heap. What is met through a label first is counted for it.

Labels are claimed before anything is walked, level by level, so that every named container is reached by its shortest
name and the walk of one label ends where the next begins.
"""

from .children import children, is_telling
from .names import printable, type_name
from .walk import Tally

DEPTH = 6
MOST_STARTS = 20_000


class Label:
    """A path inside a scope and the objects that it stands for: several, when their paths are alike."""

    __slots__ = ("kind", "scope", "path", "starts", "parent", "below", "tally", "notes", "total", "alike")

    def __init__(self, kind, scope, path, parent=None):
        self.kind = kind
        self.scope = scope
        self.path = path
        self.starts = []
        self.parent = parent
        self.below = {}
        self.tally = Tally()
        self.notes = []
        self.total = 0
        self.alike = 0  # how many were folded into this one

    def step(self, step):
        """The label one step down."""
        label = self.below.get(step)
        if label is None:
            path = printable((self.path + step).lstrip("."), 200)
            label = self.below[step] = Label(self.kind, self.scope, path, self)
        return label


class Claims:
    """All labels in the order in which they are walked, and the budget for naming more."""

    def __init__(self, walk):
        self.labels = []
        self._walk = walk
        self._left = MOST_STARTS
        self._new = []
        self.problems = set()

    def claim(self, label, thing):
        """Makes the object a start of the label, unless it was met before."""
        if self._walk.claim(thing):
            self.adopt(label, thing)

    def adopt(self, label, thing):
        """Makes the object, which was claimed before, a start of the label."""
        if not label.starts:
            self._new.append(label)
        label.starts.append(thing)

    def claim_telling(self, label, step, thing):
        """Claims for the label one step down what is worth a name."""
        if is_telling(thing) and not self._walk.has(thing):
            self.claim(label.step(step), thing)

    def expand(self):
        """Names what the new labels hold, level by level."""
        level, self._new = self._new, []
        self.labels += level
        for _ in range(DEPTH):
            for label in level:
                self._expand(label)
            level, self._new = self._new, []
            self.labels += level

    def run(self, begin):
        """Walks the labels from number `begin` on: first what is next to each, then all the rest."""
        self._walk.run(self.labels[begin:])

    def _expand(self, label):
        if label.parent is None and label.kind != "thread":
            return  # a heap of things that have nothing in common but where they were found
        for start in label.starts:
            if self._left <= 0:
                return
            self._left -= 1
            try:
                for step, held in children(start):
                    self.claim_telling(label, step, held)
            except Exception as error:
                self.problems.add("naming what is in %s: %s" % (type_name(type(start)), type_name(type(error))))
