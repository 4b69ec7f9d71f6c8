"""Uploads are buffered in BytesIO objects that stay registered."""

import io

import leaklib


def upload():
    body = io.BytesIO()
    body.write(b"%064d" % len(uploads.OPEN) * 1000)
    uploads.OPEN[len(uploads.OPEN)] = body


app = leaklib.App(__doc__)
uploads = leaklib.make_module("shop.uploads", OPEN={})
app.serve(upload)
