"""IDX files: what is whole is read, and anything else is an error that names the file."""

from __future__ import annotations

import contextlib
import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from shared.data.idx import read_idx
from shared.errors import DataError

KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def written(path: Path, kind: int, shape: tuple[int, ...]) -> tuple[bytes, Any]:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(KINDS[kind])
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes(), array


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
@pytest.mark.parametrize("packed", [True, False])
def test_every_dtype_is_read_in_the_machines_byte_order(
    tmp_path: Path, kind: int, shape: tuple[int, ...], packed: bool
) -> None:
    content, array = written(tmp_path / "x", kind, shape)
    (tmp_path / "x").write_bytes(gzip.compress(content) if packed else content)
    found = read_idx(tmp_path / "x")
    assert found.dtype.isnative
    assert found.flags.writeable
    np.testing.assert_array_equal(found, array, strict=False)


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_cut_off_anywhere_is_refused_by_name(tmp_path: Path, packed: bool) -> None:
    content, _ = written(tmp_path / "x", 0x0B, (2, 3))
    content = gzip.compress(content) if packed else content
    path = tmp_path / "numbers-idx2-short"
    for end in range(len(content)):
        path.write_bytes(content[:end])
        with pytest.raises(DataError, match=r"numbers-idx2-short .*; delete it, and load"):
            read_idx(path)
    path.write_bytes(content + b"!")
    with pytest.raises(DataError, match="numbers-idx2-short"):
        read_idx(path)


@given(content=st.binary(max_size=40), packed=st.booleans(), magic=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_content_gives_anything_but_an_array_or_that_error(
    tmp_path: Path, content: bytes, packed: bool, magic: bool
) -> None:
    content = b"\0\0\x08" + content if magic else content
    (tmp_path / "x").write_bytes(gzip.compress(content) if packed else content)
    with contextlib.suppress(DataError):
        assert read_idx(tmp_path / "x").dtype == np.uint8 or not magic


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing can not be read"):
        read_idx(tmp_path / "missing")
