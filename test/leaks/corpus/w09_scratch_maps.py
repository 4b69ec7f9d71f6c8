"""Anonymous mappings for scratch space are never closed."""

import mmap

import leaklib


def scratch():
    memory = mmap.mmap(-1, 1 << 18)
    memory.write(b"x" * len(memory))
    scratch_space.BUFFERS.append(memory)


app = leaklib.App(__doc__)
scratch_space = leaklib.make_module("shop.scratch", BUFFERS=[])
app.serve(scratch)
