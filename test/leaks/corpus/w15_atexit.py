"""Every job registers a clean-up with atexit, which keeps its arguments until the end."""

import atexit

import leaklib


class Job:
    def __init__(self, number):
        self.number = number
        self.rows = [str(n) * 3 for n in range(1000)]


def clean_up(job):
    job.rows.clear()


def run():
    atexit.register(clean_up, Job(1))


app = leaklib.App(__doc__)
app.serve(run)
