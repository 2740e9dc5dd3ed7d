"""Models inside packages of the registry: on both engines what onnxruntime gives, and what they are for.

They run where the packages are installed: `pip install --no-deps magika swift-f0 basic-pitch
rapidocr-onnxruntime silero-vad`, without what they depend on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import onnx
from shared.onnx.reading import package
from tests.shared.onnx.real import REAL, Real

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra 'onnx' brings it")

NEAR = 1e-5
"""Of an output's range: how near to onnxruntime."""

ILL = {
    "basic-pitch": "it takes logarithms of what is nearly nothing between the notes",
    "rapidocr, detector": "its sigmoids are of numbers in the thousands",
}
"""Models whose float32 numbers are off by more than that in onnxruntime itself, and why. Ours must be about
as near to those in float64: within four times onnxruntime's own distance."""


@pytest.mark.parametrize("name", REAL)
def test_real_models_give_what_onnxruntime_gives_and_mean_it(name: str) -> None:
    real = REAL[name]
    path = real.path()
    if path is None:
        pytest.skip(f"{real.package} is not installed (see this file's docstring)")
    if "rapidocr" in name:
        pytest.importorskip("PIL", reason="it renders the text")
    feeds = real.feeds(path.parent)
    wanted = by_onnxruntime(path, feeds)
    assert real.says(wanted, path.parent)
    model = onnx.load(path).eval()
    with dynamic.no_grad(), np.errstate(all="ignore"):
        made = several(model(**{key: dynamic.tensor(array) for key, array in feeds.items()}))
        here = [y.numpy() for y in made]
        assert real.says(here, path.parent)
        for value, same in zip(here, on_static(model, real, feeds), strict=True):
            np.testing.assert_array_equal(value, same)
    right = in_float64(path, feeds) if name in ILL else wanted
    for value, want, truth in zip(here, wanted, right, strict=True):
        span = np.ptp(want) or 1
        assert np.abs(value - truth).max() <= max(NEAR * span, 4 * np.abs(want - truth).max())


def several(made: Any) -> tuple[Any, ...]:
    return made if isinstance(made, tuple) else (made,)


def by_onnxruntime(path: Any, feeds: dict[str, Any]) -> list[Any]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    found: list[Any] = onnxruntime.InferenceSession(path, options).run(None, feeds)
    return found


def on_static(model: Any, real: Real, feeds: dict[str, Any]) -> list[Any]:
    """What a compiled program gives, with the bits of dynamic."""
    with static.Graph().as_default() as graph:
        xs = {
            key: array if key in (*real.known, *model.known) else static.placeholder(array.dtype, array.shape)
            for key, array in feeds.items()
        }
        ys = list(several(model(**xs)))
        with static.Session(graph=graph, optimize="exact") as session:
            session.run(static.global_variables_initializer())
            fed = {x: feeds[key] for key, x in xs.items() if x is not feeds[key]}
            found: list[Any] = session.run(ys, fed)
            return found


def in_float64(path: Any, feeds: dict[str, Any]) -> list[Any]:
    """What the same file gives with every float32 in it, kept or fed, as float64."""
    proto = package().load(path)
    widen(proto.graph)
    wide = {
        key: dynamic.tensor(array.astype("float64") if array.dtype == "float32" else array)
        for key, array in feeds.items()
    }
    with dynamic.no_grad():
        return [y.numpy() for y in several(onnx.load(proto)(**wide))]


def widen(graph: Any) -> None:
    helper, kinds = package().numpy_helper, package().TensorProto
    arrays = [a.t for node in graph.node for a in node.attribute if a.HasField("t")]
    for tensor in [*graph.initializer, *arrays]:
        if tensor.data_type == kinds.FLOAT:
            tensor.CopyFrom(helper.from_array(helper.to_array(tensor).astype("float64"), tensor.name))
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type == kinds.FLOAT:
            value.type.tensor_type.elem_type = kinds.DOUBLE
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name == "to" and attribute.i == kinds.FLOAT:
                attribute.i = kinds.DOUBLE
