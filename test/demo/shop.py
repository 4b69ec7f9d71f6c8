"""A small web shop that leaks: every session it has ever seen stays in SESSIONS. Answers /health all the time."""

import http.server
import sys
import threading
import time

RATE_MB_S = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0


class Session:
    def __init__(self, number):
        self.number = number
        self.user = "user-%d@example.org" % number
        self.basket = ["item-%d-%d" % (number, n) for n in range(20)]
        self.page = "x" * 2000


SESSIONS = {}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"ok, %d sessions\n" % len(SESSIONS)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def visitors():
    """Makes about 4.5 kB a session."""
    number = 0
    while True:
        for _ in range(int(RATE_MB_S * 11) + 1):
            number += 1
            SESSIONS["sid-%d" % number] = Session(number)
        time.sleep(0.05)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=visitors, name="visitors", daemon=True).start()
print("ready http://127.0.0.1:%d/health" % server.server_address[1], flush=True)
server.serve_forever()
