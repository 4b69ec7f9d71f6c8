"""Parsed feeds are kept whole, for the sake of one element of each."""

import xml.etree.ElementTree

import leaklib

TEXT = "<feed>" + "".join("<item id='%d'><title>item %d</title></item>" % (n, n) for n in range(400)) + "</feed>"


def fetch():
    root = xml.etree.ElementTree.fromstring(TEXT)
    feeds.PARSED.append(root)


app = leaklib.App(__doc__)
feeds = leaklib.make_module("shop.feeds", PARSED=[])
app.serve(fetch)
