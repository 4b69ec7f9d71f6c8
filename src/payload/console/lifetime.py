"""The snapshot must not outlive its client, whatever code runs in it."""

import _signal
import posix

from .frames import READ

F_SETFL, F_SETOWN, F_SETSIG = 4, 8, 10
ASYNC = 0o20000


class Lifetime:
    """Kills the snapshot when the client goes away while code runs, and when it is silent for too long."""

    def __init__(self, seconds):
        self._seconds = seconds
        try:
            from fcntl import fcntl
        except BaseException:
            fcntl = None  # its file is gone or the service keeps it from us: the alarm alone ends us then
        self._fcntl = fcntl
        if fcntl is not None:
            fcntl(READ, F_SETOWN, posix.getpid())
            fcntl(READ, F_SETSIG, _signal.SIGKILL)

    def prolong(self):
        """The client has spoken: the alarm, whose default action nothing here changes, begins anew."""
        _signal.setitimer(_signal.ITIMER_REAL, self._seconds)

    def guard(self):
        """From here on the kernel kills us when the client closes its pipe: it says nothing while code runs."""
        if self._fcntl is not None:
            self._fcntl(READ, F_SETFL, ASYNC)

    def unguard(self):
        """From here on the client may speak."""
        if self._fcntl is not None:
            self._fcntl(READ, F_SETFL, 0)
