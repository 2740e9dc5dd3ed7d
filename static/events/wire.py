"""The wire format of protocol buffers, as far as event files need it: a message is its fields one after the
other, each a key (number and kind) and a value. (protobuf.dev, "Encoding".)"""

from __future__ import annotations

import struct
from collections.abc import Iterable


def varint(value: int) -> bytes:
    """A whole number from 0 up, seven bits to the byte, the lowest first."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def integer(number: int, value: int) -> bytes:
    """A field that is a whole number; one below 0 stands as its 64 bits."""
    return varint(number << 3) + varint(value & 2**64 - 1)


def double(number: int, value: float) -> bytes:
    """A field that is a double."""
    return varint(number << 3 | 1) + struct.pack("<d", value)


def single(number: int, value: float) -> bytes:
    """A field that is a float."""
    return varint(number << 3 | 5) + struct.pack("<f", value)


def block(number: int, value: bytes | str) -> bytes:
    """A field that is bytes, text, or a message."""
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def doubles(number: int, values: Iterable[float]) -> bytes:
    """A field that is many doubles, packed."""
    return block(number, b"".join(struct.pack("<d", value) for value in values))
