"""The native walk against the walk in Python, over the same heaps."""

import os
import unittest

import test_exact
import test_hostile
import test_owners
from snapshot import line_of, owners_of, run_both_ways

LIBRARY = r"""
import array, collections, contextvars, ctypes, dataclasses, datetime, decimal, enum, fractions, io, itertools
import json, re, threading, types, uuid, weakref
import xml.etree.ElementTree as ET
n=300
D=[decimal.Decimal(i)/7 for i in range(n)]
T=[datetime.datetime(2000,1,1)+datetime.timedelta(i) for i in range(n)]
C=[collections.Counter("hello%d"%i) for i in range(n)]
J=json.loads(json.dumps([{"a":i,"b":[1.5*i,None,True]} for i in range(n)]))
R=[re.compile("a%d(b|c)*"%i) for i in range(20)]
AR=[array.array("d",[1.0]*i) for i in range(n)]
IT=[itertools.chain([i],iter([i,2])) for i in range(n)]+[itertools.tee([i]) for i in range(n)]
W=[weakref.ref(c) for c in C]; WV=weakref.WeakValueDictionary(enumerate(C))
E=enum.Enum("E",["x%d"%i for i in range(50)])
@dataclasses.dataclass
class DC: a:int; b:str="x"
DS=[DC(i,"%d"%i) for i in range(n)]
def gen(a):
    yield a; yield [a]
G=[gen([i]) for i in range(n)]
for g in G[::2]: next(g)
U=[uuid.uuid4() for i in range(n)]
F=[fractions.Fraction(i,7) for i in range(n)]
IO=[io.BytesIO(b"x"*i) for i in range(n)]+[io.StringIO("x"*i) for i in range(n)]
CV=[contextvars.ContextVar("x%d"%i) for i in range(n)]
for i,v in enumerate(CV): v.set([i])
CTX=contextvars.copy_context()
EX=[]
for i in range(n):
    try: 1/0
    except Exception as e: EX.append(e)
L=[(lambda x: lambda: x)(i) for i in range(n)]
X=ET.fromstring("<a>"+"<b c='d'>e</b>"*n+"</a>")
RNG=[range(i) for i in range(n)]; SL=[slice(i,[i]) for i in range(n)]
BIG=[10**(i*10) for i in range(n)]; NEG=[-10**(i*3) for i in range(n)]
UNI=["\u00e4"*i for i in range(n)]+["\u20ac"*i for i in range(n)]+["\U0001f40d"*i for i in range(n)]
class SS(str): pass
class LL(int): pass
class TT(tuple): pass
SSS=[SS("%d"%i) for i in range(n)];
for s in SSS: s.attr=[1,s]
LLL=[LL(10**i) for i in range(n)]; TTT=[TT([i]*i) for i in range(n)]
NT=collections.namedtuple("NT","a b"); NTS=[NT(i,[i]) for i in range(n)]
SN=[types.SimpleNamespace(a=i,b=[i]) for i in range(n)]
P=[types.MappingProxyType({i:[i]}) for i in range(n)]
BM=[d.__eq__ for d in DS]; BF=[[].append for i in range(n)]
KV=[d.keys() for d in C]; ITS=[iter(d.items()) for d in C]
CT=[(ctypes.c_int*i)() for i in range(1,50)]
class Mixed:
    def __init__(self,i):
        self.a=i
        if i%3==0: self.__dict__["zz%d"%i]=i
        if i%5==0: del self.a
MX=[Mixed(i) for i in range(n)]
LK=[threading.RLock() for i in range(n)]
snapshot(text)
"""

WALKER = os.environ.get("PYHEAP_WALKER")


@unittest.skipUnless(WALKER, "PYHEAP_WALKER names no native walker: it needs gcc")
class TheSameCensus(unittest.TestCase):
    def compare(self, program):
        python, native = run_both_ways(program)
        owners = [{(o["kind"], o["scope"], o["path"]): o for o in owners_of(lines)} for lines in (python, native)]
        unreached = [[rows.pop(key) for key in list(rows) if key[0] == "unreachable"] for rows in owners]
        self.assertEqual(line_of(python, "tracked")["types"], line_of(native, "tracked")["types"])
        self.assertEqual(*map(sorted, owners))
        for key, owner in owners[0].items():
            with self.subTest(key):
                self.assertEqual(owner, owners[1][key])
        # The walk in Python tells what was not reached by counts of types only, so it may find less of that.
        self.assertGreaterEqual(*(sum(owner["objects"] for owner in rows) for rows in reversed(unreached)))
        if unreached == [[], []]:
            for kind, name in (("types", "types"), ("largest", "objects")):
                self.assertEqual(*(_sorted(line_of(lines, kind)[name]) for lines in (python, native)))
        self.assertEqual(line_of(python, "end"), line_of(native, "end"))

    def test_of_every_kind_of_holder(self):
        self.compare(test_owners.SERVICE.replace("native=%s, fork=%s", "native=True"))

    def test_of_every_kind_of_object(self):
        self.compare("text_of_payload = text\n" + test_exact.SERVICE)

    def test_of_objects_that_fight_back(self):
        self.compare(test_hostile.SERVICE.replace("native=False", "native=True"))

    def test_of_what_the_standard_library_makes(self):
        self.compare(LIBRARY)

    def test_of_many_classes(self):
        self.compare(
            r"""
KINDS = [type("Kind%d" % i, (), {"__slots__": ("a",) * (i % 2)}) for i in range(9000)]
THINGS = [kind() for kind in KINDS]
snapshot(text)
"""
        )

    def test_of_things_that_are_not_done_or_lie(self):
        self.compare(
            r"""
class Untraversed:
    def __init__(self): self.held = [1.5]
class Lying: __slots__ = ("held",)
class Deep: __slots__ = ("below",)
CHAIN = None
for _ in range(200000):
    deep = Deep(); deep.below = CHAIN; CHAIN = deep
UNTRAVERSED = [Untraversed() for _ in range(100)]
LYING = [Lying() for _ in range(100)]
for lying in LYING: lying.held = [2.5]
gc.disable()
ctypes.c_void_p.from_address(id(Untraversed) + 184).value = None  # tp_traverse
ctypes.c_ssize_t.from_address(id(Lying) + 32).value = 1 << 50  # tp_basicsize
def halfway():
    yield "first"
    snapshot(text)
WAITING = tuple(halfway())
"""
        )

    def test_of_a_service_that_may_map_no_more(self):
        self.compare(
            r"""
import resource
size = int(open("/proc/self/statm").read().split()[0]) * 4096
HELD = ["%0100d" % i for i in range(1000)]
resource.setrlimit(resource.RLIMIT_AS, (size + (14 << 20), resource.RLIM_INFINITY))
snapshot(text)
"""
        )

    def test_of_an_interpreter_that_is_laid_out_otherwise(self):
        for part in ("layout_of(type(thing))", "frozen_at = 80"):
            replaced = part.replace("thing", "None").replace("80", "88")
            self.compare("assert %r in text\nsnapshot(text.replace(%r, %r))" % (part, part, replaced))


def _sorted(value):
    return sorted(value, key=str)


if __name__ == "__main__":
    unittest.main()
