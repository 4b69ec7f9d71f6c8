"""How much of pymalloc's pools is in use: small objects that are gone leave holes, and what lives keeps the whole."""

import sys

from .emit import send

POOL_BYTES = 16384 if sys.version_info >= (3, 10) else 4096


def tell_pools(native, write):
    """Tells how many pools there are, what they take and what of it is in use; zeros where nobody knows."""
    told = native["pools"](POOL_BYTES) if native is not None else [0, 0, 0]
    send(write, "pools", count=told[0], bytes=told[1], usedBytes=told[2])
