"""Tensors of torch and images of PIL, some of them views of others, until SIGTERM. Prints what of them is here."""

import signal
import sys
import time

STATE = {"end": False}
signal.signal(signal.SIGTERM, lambda *_: STATE.update(end=True))
here = []
try:
    import torch

    torch.set_num_threads(1)
    TENSORS = [torch.ones(25000) for _ in range(100)]  # of 4 bytes each
    VIEWS = [tensor[:10] for tensor in TENSORS]
    ELSEWHERE = [torch.empty(1000000, device="meta") for _ in range(3)]
    here.append("torch")
except ImportError:
    pass
try:
    import PIL.Image

    IMAGES = [PIL.Image.new("RGB", (500, 100)) for _ in range(100)]
    MASKS = [PIL.Image.new("L", (500, 100)) for _ in range(100)]
    here.append("PIL")
except ImportError:
    pass
print("here:", *here)
print("ready", flush=True)
while not STATE["end"]:
    time.sleep(0.01)
sys.stdout.write('{"bad": []}\n')
