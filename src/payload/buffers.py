"""Memory that objects hold and do not tell of: buffers of ctypes, images of PIL, storages of torch.

A buffer that several share counts for the first of them that is measured, and for that one always.
"""

import sys

from .attributes import c_attribute, module_dict
from .names import mro_of, type_name

INLINE = 16  # what ctypes keeps in the object itself
_BYTES_A_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2, "LA": 4, "PA": 4}
_EXACT_TENSORS = ("torch.Tensor", "torch.nn.parameter.Parameter", "torch.Parameter")
_owners = {}
_on_devices = {}


def extra_bytes(kind):
    """A function that says what an instance holds beyond its own size, or None where that is nothing."""
    for base in mro_of(kind):
        name = type_name(base)
        if name == "_ctypes._CData":
            return _ctypes_reader(base)
        if name == "ImagingCore":
            return _image_reader(base)
        if name in ("torch._C._TensorBase", "torch._C.TensorBase"):
            return _tensor_reader(base) if type_name(kind) in _EXACT_TENSORS else None
    return None


def device_rows():
    """How many storages there are on each device that is not the CPU, and their bytes."""
    rows = {}
    for device, size in _on_devices.values():
        count, total = rows.get(device, (0, 0))
        rows[device] = (count + 1, total + size)
    return [{"device": device, "count": count, "bytes": total} for device, (count, total) in sorted(rows.items())]


def _ctypes_reader(base):
    sizeof = module_dict(sys.modules.get("_ctypes")).get("sizeof")
    owns = c_attribute(base, "_b_needsfree_")
    if type(sizeof) is not type(len) or owns is None:
        return None

    def read(thing):
        size = sizeof(thing)
        return size if size > INLINE and owns.__get__(thing) else 0

    return read


def _image_reader(base):
    size_of, mode_of = c_attribute(base, "size"), c_attribute(base, "mode")
    if size_of is None or mode_of is None:
        return None

    def read(thing):
        width, height = size_of.__get__(thing)
        return width * height * _BYTES_A_PIXEL.get(mode_of.__get__(thing), 4)

    return read


def _tensor_reader(base):
    # The first is what torch has since 2.0, the second what it had before.
    storage_of = c_attribute(base, "untyped_storage") or c_attribute(base, "_storage")
    device_of = c_attribute(base, "device")
    if storage_of is None or device_of is None:
        return None

    def read(thing):
        storage = storage_of(thing)
        size, address = _storage_facts(storage)
        device = device_of.__get__(thing)
        if c_attribute(type(device), "type").__get__(device) == "cpu":
            return size if _owners.setdefault(address, id(thing)) == id(thing) else 0
        _on_devices[address or id(thing)] = (str(device)[:40], size)
        return 0

    return read


def _storage_facts(storage):
    for base in mro_of(type(storage)):
        nbytes, data_ptr = c_attribute(base, "nbytes"), c_attribute(base, "data_ptr")
        if nbytes is not None and data_ptr is not None:
            return nbytes(storage), data_ptr(storage)
    return 0, 0
