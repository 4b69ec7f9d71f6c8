"""A table in memory grows inside a C library."""

import sqlite3

import leaklib


def insert():
    database.CONNECTION.executemany("insert into log values (?, ?)", [(n, "%032d" % n * 60) for n in range(50)])


app = leaklib.App(__doc__)
database = leaklib.make_module("shop.database", CONNECTION=sqlite3.connect(":memory:"))
database.CONNECTION.execute("create table log (number, line)")
app.serve(insert)
