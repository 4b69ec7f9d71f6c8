"""Ctrl-C at the client arrives as SIGINT: it interrupts the operator's code, and never a message in the middle."""

import _signal


class Interrupts:
    """Raises KeyboardInterrupt in what runs between begin() and end(), where nothing holds it off."""

    def __init__(self):
        self._runs = False
        self._held = 0
        self._came = False

    def install(self):
        """Makes SIGINT reach us; without effect where the interpreter does not count this thread as its main one."""
        try:
            _signal.signal(_signal.SIGINT, self._on_signal)
        except ValueError:
            return
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {_signal.SIGINT})

    def begin(self):
        """Code of the operator runs from here on."""
        self._came = False
        self._runs = True

    def end(self):
        """It does not any more."""
        self._runs = False

    def hold(self):
        """Nothing may be interrupted until release()."""
        self._held += 1

    def release(self):
        """The end of hold(); an interrupt that came meanwhile is raised now."""
        self._held -= 1
        if self._came and self._runs and not self._held:
            self._came = False
            raise KeyboardInterrupt

    def _on_signal(self, signum, frame):
        if not self._runs:
            return
        if self._held:
            self._came = True
        else:
            raise KeyboardInterrupt


interrupts = Interrupts()
