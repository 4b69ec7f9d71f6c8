"""Types into a program on a pseudo terminal: type_into.py KEYS PROGRAM..., KEYS a JSON list of what to wait for and
what to type, by turns. Prints what the program showed; its exit code is the program's, or 90 when a wait was in vain.
"""

import json
import os
import pty
import select
import sys
import time

keys, program = json.loads(sys.argv[1]), sys.argv[2:]
try:
    pid, terminal = pty.fork()
except OSError as error:
    sys.exit("no pty: %s" % error)
if pid == 0:
    os.execvp(program[0], program)
shown, at = b"", 0


def read(seconds):
    """Whether there was something, or still may be."""
    global shown
    if select.select([terminal], [], [], seconds)[0]:
        try:
            shown += os.read(terminal, 65536)
        except OSError:
            return False
    return True


def leave(code):
    sys.stdout.write(shown.decode("utf-8", "replace"))
    sys.exit(code)


for wanted, typed in zip(keys[::2], keys[1::2]):
    end = time.monotonic() + 30
    while wanted.encode() not in shown[at:]:
        if not read(0.1) or time.monotonic() > end:
            os.kill(pid, 9)
            print("never shown: %r" % wanted)
            leave(90)
    at = shown.index(wanted.encode(), at) + len(wanted.encode())
    time.sleep(0.3)
    for key in typed:  # one by one, as fingers do
        os.write(terminal, key.encode())
        time.sleep(0.05)
while read(1):
    pass
leave(os.waitpid(pid, 0)[1] >> 8)
