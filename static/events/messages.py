"""The messages of event files: Event, Summary and its values, GraphDef. Numbers of fields are those of
TensorFlow's `event.proto`, `summary.proto`, `graph.proto`, `node_def.proto` and `attr_value.proto`."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim
from static.events.wire import block, double, doubles, integer, single
from static.graph.graph import READ, Graph, Node, Tensor


def event(
    wall_time: float, step: int | None = None, *, version: str | None = None, graph: bytes | None = None,
    summary: bytes | None = None,
) -> bytes:  # fmt: skip
    """An Event: what is written as one record."""
    found = double(1, wall_time)
    if step is not None:
        found += integer(2, step)
    if version is not None:
        found += block(3, version)
    if graph is not None:
        found += block(4, graph)
    return found if summary is None else found + block(5, summary)


def scalar(tag: str, value: float) -> bytes:
    """A Summary of one number. (Summaries one after the other are one.)"""
    return block(1, block(1, tag) + single(2, value))


def histogram(tag: str, values: Any) -> bytes:
    """A Summary of how numbers are distributed."""
    numbers = np.asarray(values, np.float64).reshape(-1)
    numbers = numbers[np.isfinite(numbers)]
    counts = np.bincount(np.searchsorted(EDGES, numbers, "left"), minlength=len(EDGES))
    used = np.flatnonzero(counts)
    first, last = (max(int(used[0]) - 1, 0), int(used[-1]) + 1) if used.size else (0, 1)
    low, high = (numbers.min(), numbers.max()) if numbers.size else (0.0, 0.0)
    message = double(1, low) + double(2, high)
    message += double(3, len(numbers)) + double(4, numbers.sum()) + double(5, np.square(numbers).sum())
    message += doubles(6, EDGES[first:last]) + doubles(7, counts[first:last].astype(float))
    return block(1, block(1, tag) + block(5, message))


def _edges() -> Any:
    """Upper bounds of the counts, each a tenth above the one before, on both sides of 0."""
    positive = 1e-12 * 1.1 ** np.arange(774)
    return np.concatenate([-positive[::-1], [0.0], positive, [np.finfo(np.float64).max]])


EDGES = _edges()


def image(tag: str, pixels: Any) -> bytes:
    """A Summary of one image, uint8 (H, W, C) of 1, 3 or 4 channels."""
    height, width, channels = pixels.shape
    message = integer(1, height) + integer(2, width) + integer(3, channels) + block(4, png(pixels))
    return block(1, block(1, tag) + block(4, message))


def png(pixels: Any) -> bytes:
    """An image, uint8 (H, W, C), as a file of the format PNG (ISO/IEC 15948)."""
    height, width, channels = pixels.shape
    colours = {1: 0, 3: 2, 4: 6}[channels]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    packed = zlib.compress(rows.tobytes())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


# --- graphs ----------------------------------------------------------------------------------------

_TYPES = {
    "float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "complex64": 8, "int64": 9,
    "bool": 10, "uint16": 17, "complex128": 18, "float16": 19, "uint32": 22, "uint64": 23,
}  # fmt: skip


def graph_def(graph: Graph) -> bytes:
    """A graph as a GraphDef, for its picture: nodes with their inputs, dtypes and shapes. A loop or branch is
    one node."""
    nodes = b"".join(block(1, _node(node)) for node in list(graph.nodes))
    return nodes + block(4, integer(1, 22))  # the version of graphs that it follows


def _node(node: Node) -> bytes:
    found = block(1, node.name) + block(2, "VariableV2" if node.op is READ else node.op.name)
    for x in node.inputs:
        if isinstance(x, Tensor):
            found += block(3, f"{x.node.name}:{x.index}" if x.index else x.node.name)
    for before in node.control:
        found += block(3, f"^{before.name}")
    if node.outputs:
        found += _attribute("dtype", integer(6, _TYPES.get(node.outputs[0].dtype.name, 0)))
        shapes = b"".join(block(7, _shape(tensor)) for tensor in node.outputs)
        found += _attribute("_output_shapes", block(1, shapes))
    return found


def _attribute(name: str, value: bytes) -> bytes:
    return block(5, block(1, name) + block(2, value))


def _shape(tensor: Tensor) -> bytes:
    if tensor.shape is UNKNOWN_RANK:
        return integer(3, 1)
    sizes = (-1 if isinstance(size, Dim) else int(size) for size in tensor.shape)
    return b"".join(block(2, integer(1, size)) for size in sizes)
