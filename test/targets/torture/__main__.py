"""A service in one state that a capture may meet, in one kind of surroundings: `python torture STATE [SURROUNDINGS]`.

It checks itself while it runs. On SIGTERM it prints one JSON line with everything that was not as it should be.
"""

import sys

import busy
import children
import loops
import resting
import servers
import signals
import surroundings
import threads
import witness

STATES = {}
for module in (resting, busy, threads, signals, children, loops, servers):
    STATES.update(module.STATES)

state, *rest = sys.argv[1:]
witness.listen()
surroundings.enter(rest[0] if rest else "plain")
try:
    STATES[state]()
except BaseException as error:
    witness.blame("%s was raised: %r" % (type(error).__name__, error))
    raise
finally:
    witness.report()
