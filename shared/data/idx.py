"""The IDX format of MNIST: a magic number, the sizes, the bytes."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from shared.errors import DataError

_KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | Path) -> Any:
    """The array in an IDX file, plain or gzipped, in the machine's byte order.

    DataError, naming the file, if it is broken, cut off, too long, or no IDX file. Format:
    LeCun, Cortes and Burges, "The MNIST database", section "The IDX file format".
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except EOFError:
        raise _broken(path, "is cut off") from None
    except (OSError, zlib.error) as error:
        raise _broken(path, f"can not be read ({error})") from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _KINDS:
        raise _broken(path, f"is no IDX file: it begins with {content[:4].hex(' ') or 'nothing'}")
    axes = content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise _broken(path, f"is cut off in the sizes of its {axes} axes")
    shape = struct.unpack(f">{axes}I", content[4:start])
    dtype = np.dtype(_KINDS[content[2]])
    expected = math.prod(shape) * dtype.itemsize
    if len(content) - start != expected:
        raise _broken(
            path, f"should hold {expected:,} bytes for its shape {shape}, and holds {len(content) - start:,}"
        )
    values = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="))


def _broken(path: str | Path, what: str) -> DataError:
    return DataError(f"{path} {what}; delete it, and load the data set again")
