"""Keeps every report that it has ever made, about 3 MB of them a second."""

import time


class Report:
    def __init__(self, n):
        self.rows = ["%d %d" % (n, row) for row in range(500)]


ARCHIVE = {}
print("ready", flush=True)
while True:
    ARCHIVE[len(ARCHIVE)] = Report(len(ARCHIVE))
    time.sleep(0.01)
