"""Every device gets a thread, and none of them ever ends."""

import threading

import leaklib

STOP = threading.Event()


def poll_device(number):
    readings = [float(number + n) for n in range(4000)]
    STOP.wait()
    return readings


def connect():
    if threading.active_count() < 1500:
        threading.Thread(target=poll_device, args=(threading.active_count(),), daemon=True).start()


app = leaklib.App(__doc__)
app.serve(connect)
