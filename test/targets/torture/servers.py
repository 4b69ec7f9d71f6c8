"""Servers of other people, with their own masters. What they reap and what signals they get is counted beneath them."""

import os
import signal

import witness


def gunicorn():
    """The real gunicorn, whose workers end now and then because somebody kills them; the master is captured."""
    from gunicorn import arbiter
    from gunicorn.app.base import BaseApplication

    class Application(BaseApplication):
        def load_config(self):
            for name, value in {"bind": "127.0.0.1:0", "workers": 2, "loglevel": "critical"}.items():
                self.cfg.set(name, value)

        def load(self):
            return lambda _environ, start: start("200 OK", []) and []

    class Arbiter(arbiter.Arbiter):
        rounds = 0

        def handle_chld(self, sig, frame):
            witness.seen["SIGCHLD"] += 1
            super().handle_chld(sig, frame)

        def spawn_worker(self):
            witness.children_made += 1
            made.add(super().spawn_worker())

        def manage_workers(self):
            witness.beat()
            self.rounds += 1
            if self.rounds % 3 == 0 and self.WORKERS:
                self.kill_worker(min(self.WORKERS), signal.SIGTERM)
            super().manage_workers()
            if self.rounds == 1:
                witness.ready(steady=False)

    made, me = set(), os.getpid()
    waitpid = os.waitpid

    def watched(pid, options):
        done, status = waitpid(pid, options)
        if done and done not in made:
            witness.blame("gunicorn reaped %d with %#x, which is no worker" % (done, status))
        return done, status

    os.waitpid = watched
    try:
        Arbiter(Application()).run()
    except SystemExit as end:
        if os.getpid() != me:
            os._exit(end.code or 0)  # a worker, which has nothing to report
        if end.code:
            witness.blame("gunicorn ended with %r" % (end.code,))
    os.waitpid = waitpid


STATES = {"gunicorn": gunicorn}
