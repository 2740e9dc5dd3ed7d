"""Promise: what `summary.FileWriter` writes is what another reader reads, and what TensorBoard does."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import static as tf
from shared.errors import SettingError, StateError
from static.events.records import crc32c
from static.words.summary import pixels


@pytest.fixture(autouse=True)
def graph() -> Any:
    with tf.Graph().as_default() as made:
        yield made


# --- a reader of its own ---------------------------------------------------------------------------


def checksum(data: bytes) -> int:
    """CRC-32C bit by bit, and turned as records hold it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 * (crc & 1))
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


def records(path: Path) -> Iterator[bytes]:
    file = io.BytesIO(path.read_bytes())
    while head := file.read(12):
        length, check = struct.unpack("<QI", head)
        data = file.read(length)
        assert check == checksum(head[:8]) and struct.unpack("<I", file.read(4))[0] == checksum(data)
        yield data


def fields(data: bytes) -> dict[int, list[Any]]:
    """A message by its fields' numbers: ints, floats or bytes."""
    found: dict[int, list[Any]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            value, at, shift = value | (byte & 127) << shift, at + 1, shift + 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            value: Any = varint()
        else:
            size = varint() if kind == 2 else {1: 8, 5: 4}[kind]
            value, at = data[at : at + size], at + size
            value = value if kind == 2 else struct.unpack("<d" if kind == 1 else "<f", value)[0]
        found.setdefault(key >> 3, []).append(value)
    return found


def written(folder: Path) -> list[dict[int, list[Any]]]:
    (path,) = folder.glob("events.out.tfevents.*")
    return [fields(data) for data in records(path)]


def write(folder: Path) -> tuple[Any, Any]:
    """A graph with a summary of each kind, run three times; gives what it was run on."""
    x, image = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.float32, [2, 4, 5, 3])
    with tf.name_scope("part"):
        total = tf.reduce_sum(x, name="total")
        tf.summary.scalar("sum", total)
    tf.summary.histogram("numbers", x)
    tf.summary.image("picture", image)
    merged = tf.summary.merge_all()
    values = [np.float32([1, -2, 0, 4, step]) for step in range(3)]
    drawn = np.random.default_rng(0).random((2, 4, 5, 3)).astype(np.float32)
    with tf.Session() as session, tf.summary.FileWriter(folder, session.graph) as writer:
        for step, value in enumerate(values):
            writer.add_summary(session.run(merged, {x: value, image: drawn}), step)
    return values, drawn


def test_an_event_file_is_read_back(tmp_path: Path) -> None:
    values, drawn = write(tmp_path)
    version, drawing, *events = written(tmp_path)
    assert version[3] == [b"brain.Event:2"] and version[1][0] > 1e9
    nodes = {fields(node)[1][0].decode(): fields(node) for node in fields(drawing[4][0])[1]}
    assert nodes["part/total"][2] == [b"sum"] and nodes["part/total"][3] == [b"placeholder"]
    assert [event.get(2, [0])[0] for event in events] == [0, 1, 2]
    for event, value in zip(events, values, strict=True):
        found = [fields(part) for part in fields(event[5][0])[1]]
        tags = [b"part/sum", b"numbers", b"picture/image/0", b"picture/image/1"]
        assert [part[1][0] for part in found] == tags
        assert found[0][2] == [value.sum()]
        histogram = fields(found[1][5][0])
        low, high, count, total, squares = (histogram[i][0] for i in range(1, 6))
        assert (low, high, count, total, squares) == (
            value.min(), value.max(), 5, value.sum(), np.square(value).sum(),
        )  # fmt: skip
        edges, counts = (np.frombuffer(histogram[i][0]) for i in (6, 7))
        assert counts.sum() == 5 and (np.diff(edges) > 0).all() and edges[-1] >= high and edges[0] < low
        expected = [((value > a) & (value <= b)).sum() for a, b in pairwise(edges)]
        assert counts[0] == 0 and counts[1:].tolist() == expected
        picture = fields(found[2][4][0])
        assert [picture[i][0] for i in (1, 2, 3)] == [4, 5, 3]
        assert np.array_equal(unpacked(picture[4][0], 4, 5, 3), pixels(drawn[0]))


def test_a_tag_is_what_was_given(tmp_path: Path) -> None:
    """findings/events-under-another-name.sh."""
    one = tf.constant(1.0)
    merged = tf.summary.merge([tf.summary.scalar(tag, one) for tag in ("my loss", "my_loss")])
    with tf.Session() as session, tf.summary.FileWriter(tmp_path) as writer:
        writer.add_summary(session.run(merged), 0)
    *_, event = written(tmp_path)
    assert [fields(part)[1] for part in fields(event[5][0])[1]] == [[b"my loss"], [b"my_loss"]]


def unpacked(png: bytes, height: int, width: int, channels: int) -> Any:
    """The pixels of a PNG whose rows have no filter."""
    at = png.index(b"IDAT")
    (size,) = struct.unpack(">I", png[at - 4 : at])
    assert struct.unpack(">I", png[at + 4 + size : at + 8 + size])[0] == zlib.crc32(png[at : at + 4 + size])
    rows = np.frombuffer(zlib.decompress(png[at + 4 : at + 4 + size]), np.uint8).reshape(height, -1)
    assert (rows[:, 0] == 0).all()
    return rows[:, 1:].reshape(height, width, channels)


def test_tensorboard_reads_it(tmp_path: Path) -> None:
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="TensorBoard is not installed"
    )
    values, _ = write(tmp_path)
    read = accumulator.EventAccumulator(str(tmp_path), size_guidance={"images": 0, "histograms": 0})
    read.Reload()
    assert [(event.step, event.value) for event in read.Scalars("part/sum")] == [
        (step, value.sum()) for step, value in enumerate(values)
    ]
    last = read.Histograms("numbers")[-1].histogram_value
    assert (last.min, last.max, last.num, sum(last.bucket)) == (-2, 4, 5, 5)
    picture = read.Images("picture/image/0")[0]
    assert (picture.width, picture.height) == (5, 4) and len(read.Graph().node) > 3


def test_the_checksum_is_the_one_of_its_rfc() -> None:
    assert crc32c(bytes(32)) == 0x8A9136AA and crc32c(b"\xff" * 32) == 0x62A8AB43  # RFC 3720, B.4
    assert crc32c(bytes(range(32))) == 0x46DD794E


def test_what_is_empty_or_infinite_is_written_too(tmp_path: Path) -> None:
    x = tf.placeholder(tf.float32, [None])
    told = tf.summary.merge([tf.summary.histogram("x", x), tf.summary.scalar("s", tf.constant(np.nan))])
    with tf.Session() as session, tf.summary.FileWriter(tmp_path) as writer:
        for value in ([], [np.inf, np.nan], [0.0], [1e300, -1e-300]):
            writer.add_summary(session.run(told, {x: np.float32(np.clip(value, -3e38, 3e38))}), 2**40)
    events = written(tmp_path)[1:]
    assert len(events) == 4 and {event[2][0] for event in events} == {2**40}
    assert pixels(np.float32([[[-1.0], [0.0], [np.nan], [2.0]]])).ravel().tolist() == [64, 128, 128, 255]
    assert tf.summary.merge_all("nothing") is None


def test_a_writer_refuses_what_is_no_summary_and_what_comes_too_late(tmp_path: Path) -> None:
    writer = tf.summary.FileWriter(tmp_path / "made" / "for" / "it")
    with pytest.raises(SettingError, match=r"takes what session\.run"):
        writer.add_summary(3.0)
    with pytest.raises(SettingError, match=r"summary\.image: grey is \(N, H, W, 1, 3 or 4\)"):
        tf.summary.image("grey", tf.zeros([4, 5]))
    writer.close()
    with pytest.raises(StateError, match="it is closed"):
        writer.add_graph(tf.get_default_graph())
