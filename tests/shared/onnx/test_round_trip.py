"""What `static` exports comes in again: the same numbers on dynamic, and the same graph on static."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nest, onnx
from shared.errors import ExportError
from shared.models import Transformer
from shared.onnx.reading import package
from tests.cases import all_cases
from tests.cases.case import Case
from tests.laws.harness import outputs
from tests.static.onnx.test_onnx import BATCHES, MODELS, PROGRAMS, assert_agree, evaluating

NEAR = {"rtol": 1e-5, "atol": 1e-5}
rng = np.random.default_rng(7)


@pytest.mark.parametrize("case", [pytest.param(case, id=str(case)) for case in all_cases()])
def test_every_op_that_goes_out_comes_in_again(case: Case, tmp_path: Path) -> None:
    """Exported with unknown sizes and run on dynamic, each case of the laws gives what it gives itself."""
    arrays = case.arrays(np.float32)
    file = tmp_path / "case.onnx"
    with static.Graph().as_default() as graph:
        shapes = case.placeholder_shapes(arrays, False)
        named = enumerate(zip(arrays, shapes, strict=True))
        xs = [static.placeholder(a.dtype, shape, f"x{i}") for i, (a, shape) in named]
        ys = outputs(case.call(*xs))
    try:
        graph.export_onnx(file, {f"y{i}": y for i, y in enumerate(ys)}, xs)
    except ExportError:
        return  # tests/static/onnx says whether it may be refused
    with dynamic.no_grad(), np.errstate(all="ignore"):
        wanted = outputs(case.call(*map(dynamic.tensor, arrays)))
        made: Any = onnx.load(file)(*map(dynamic.tensor, arrays))
    for want, got in zip(wanted, made if isinstance(made, tuple) else (made,), strict=True):
        assert (got.shape, got.dtype) == (want.shape, want.dtype)
        np.testing.assert_allclose(dynamic.tensor(got).numpy(), want.numpy(), **NEAR)


TWICE: dict[str, tuple[Any, Any, list[dict[str, int]], Any]] = {
    **{name: (lambda make=make: evaluating(make()), shape, BATCHES, None)
       for name, (make, shape) in MODELS.items() if name != "ResNet18"},
    **{name: (lambda build=build: build, ("N", 4), [{"N": 2}, {"N": 6}], None)
       for name, build in PROGRAMS.items()},
    "a language model": (
        lambda: evaluating(Transformer(11, context=12, width=16, heads=4)), ("N", "T"),
        [{"N": 1, "T": 3}, {"N": 5, "T": 12}], 11,
    ),
}  # fmt: skip
"""By name: what makes it, the shape of its input, sizes to run it with, what integers are drawn below."""

AS_THEY_WERE = {
    "MLP", "MLP on images", "LeNet", "TransformerEncoderLayer", "scan", "scan that measures", "map_fn",
    "cond", "nested", "sizes in settings",
}  # fmt: skip
"""Programs that go out again with the very nodes that they came in with. Of the others most differ in a node
or two: a `flip` beside a Scan for its direction, a Reshape for an Unsqueeze."""


@pytest.mark.parametrize("name", TWICE)
def test_programs_come_in_with_their_sizes_unknown_and_go_out_again(name: str, tmp_path: Path) -> None:
    """The first file, on dynamic and on static, gives the same bits; what static exports of it gives what the
    first program gave."""
    make, shape, runs, top = TWICE[name]
    build, dtype = make(), "float32" if top is None else "int64"
    first, second = tmp_path / "first.onnx", tmp_path / "second.onnx"
    with exported(build, shape, dtype, first) as run, np.errstate(all="ignore"):
        model = onnx.load(first).eval()
        with exported(model, shape, dtype, second) as run_again:
            for sizes in runs:
                at = [sizes.get(n, n) for n in shape]
                a = rng.standard_normal(at).astype(dtype) if top is None else rng.integers(0, top, at)
                with dynamic.no_grad():
                    made: Any = model(dynamic.tensor(a))
                here, there = run(a), run_again(a)
                for got, same in zip(made if isinstance(made, tuple) else (made,), there, strict=True):
                    np.testing.assert_array_equal(got.numpy(), same)
                assert_agree(first, here, {"x": a})
                assert_agree(second, here, {"x": a})
    if name in AS_THEY_WERE:
        assert kinds(first) == kinds(second)


@contextmanager
def exported(build: Any, shape: Any, dtype: str, file: Path) -> Iterator[Any]:
    """The program's file; gives a function that runs it in a session."""
    with static.Graph().as_default() as graph:
        x = static.placeholder(dtype, shape, name="x")
        ys = nest.flatten(build(x))[0]
        with static.Session(graph=graph, optimize="exact") as session:
            session.run(static.global_variables_initializer())
            graph.export_onnx(file, {f"y{i}": y for i, y in enumerate(ys)}, session=session)
            yield lambda a: session.run(ys, {x: a})


def kinds(file: Path) -> Counter[str]:
    """How many nodes of each kind a file has."""
    return Counter(node.op_type for node in package().load(file).graph.node)
