"""A WSGI shop that keeps every basket: the leak is in Baskets.open."""


class Basket:
    def __init__(self, number):
        self.number = number
        self.lines = ["line %d of basket %d" % (n, number) for n in range(5)]


class Baskets:
    open = [Basket(n) for n in range(5000)]


def application(environ, start_response):
    Baskets.open.append(Basket(len(Baskets.open)))
    body = b"%d baskets\n" % len(Baskets.open)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
