"""`static.summary`: what a run shall tell TensorBoard. A summary is a Tensor whose value are the bytes to be
written, uint8; `summary.FileWriter(directory).add_summary(value, step)` writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.device.cuda import to_host
from shared.dims import Dim
from shared.errors import SettingError
from shared.op import Op
from shared.spec import Operand, Spec
from static.events import messages
from static.graph.collections import GraphKeys, add_to_collection, get_collection
from static.graph.graph import Node, Tensor, current_call, get_default_graph
from static.graph.operands import as_tensor, constant

BYTES = np.dtype(np.uint8)


def _bytes(data: bytes) -> Any:
    return np.frombuffer(data, BYTES).copy()


def _infer(*_: Operand, **settings: Any) -> Spec:
    return Spec((Dim(),), BYTES)


_scalar = Op(
    "summary_scalar",
    lambda x, *, tag: _bytes(messages.scalar(tag, float(to_host(x).reshape(())))),
    _infer, outputs=("y",), constant=("y",), listed=False,
)  # fmt: skip

_histogram = Op(
    "summary_histogram",
    lambda x, *, tag: _bytes(messages.histogram(tag, to_host(x))),
    _infer, outputs=("y",), constant=("y",), listed=False,
)  # fmt: skip


def _compute_image(x: Any, *, tag: str, most: int) -> Any:
    images = to_host(x)[:most]
    names = [f"{tag}/image"] if most == 1 else [f"{tag}/image/{i}" for i in range(len(images))]
    return _bytes(b"".join(messages.image(n, pixels(i)) for n, i in zip(names, images, strict=False)))


def pixels(image: Any) -> Any:
    """An image as uint8. Floats are scaled as TensorFlow 1 does: from 0 to the largest, or, where some are
    below 0, with 0 in the middle; what is not finite is 0."""
    if image.dtype == BYTES:
        return image
    values = np.where(np.isfinite(image), image, 0).astype(np.float64)
    low, high = values.min(initial=0), values.max(initial=0)
    if low < 0:
        largest = max(abs(low), high)
        return np.clip(values * (127 / largest) + 128, 0, 255).astype(BYTES)
    return np.clip(values * (255 / high) if high else values, 0, 255).astype(BYTES)


_image = Op(
    "summary_image", _compute_image, _infer, outputs=("y",), constant=("y",), listed=False
)  # fmt: skip


def _added(op: Op, name: str, x: Tensor, collections: Sequence[str] | None, **settings: Any) -> Tensor:
    """The node of a summary, and its place in collections. Its tag is its name, inside the scope at hand."""
    graph = get_default_graph()
    call = current_call.get()
    tag = f"{call.name}/{name}" if call is not None and call.name else name
    made = Node(graph, op, [x], {"tag": tag, **settings}, [_infer()], name.replace(" ", "_")).outputs[0]
    for collection in [GraphKeys.SUMMARIES] if collections is None else collections:
        add_to_collection(collection, made)
    return made


def scalar(name: str, tensor: Any, collections: Sequence[str] | None = None) -> Tensor:
    """A curve of one number."""
    x = as_tensor(tensor)
    if x.spec.shape != ():
        x = ops.reshape(x, ())
    return _added(_scalar, name, x, collections)


def histogram(name: str, values: Any, collections: Sequence[str] | None = None) -> Tensor:
    """How the numbers of a Tensor are distributed, and how that changes."""
    return _added(_histogram, name, as_tensor(values), collections)


def image(name: str, tensor: Any, max_outputs: int = 3, collections: Sequence[str] | None = None) -> Tensor:
    """The first of some images (N, H, W, C) with 1, 3 or 4 channels, uint8 or floats (see `pixels`)."""
    x = as_tensor(tensor)
    if len(x.shape) != 4 or x.shape[3] not in (1, 3, 4):
        raise SettingError(f"summary.image: {name} is (N, H, W, 1, 3 or 4), not {x.spec}")
    return _added(_image, name, x, collections, most=int(max_outputs))


def merge(inputs: Sequence[Tensor], collections: Sequence[str] | None = None) -> Tensor:
    """Several summaries as one."""
    made = ops.concatenate([constant(np.zeros(0, BYTES)), *inputs])
    for collection in collections or ():
        add_to_collection(collection, made)
    return made


def merge_all(key: str = GraphKeys.SUMMARIES, scope: str | None = None) -> Tensor | None:
    """All summaries of the graph as one; None if there are none."""
    found = get_collection(key, scope)
    return merge(found) if found else None
