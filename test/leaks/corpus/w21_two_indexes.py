"""Every session is in two dictionaries, and is taken out of one alone."""

import leaklib


class Session:
    def __init__(self, number):
        self.number = number
        self.history = [(number, n) for n in range(400)]


def login():
    number = len(sessions.BY_TOKEN)
    session = Session(number)
    sessions.BY_USER[number % 50] = session
    sessions.BY_TOKEN["token-%d" % number] = session


app = leaklib.App(__doc__)
sessions = leaklib.make_module("shop.sessions", BY_USER={}, BY_TOKEN={})
app.serve(login)
