"""What products and made arrays promise beyond the laws: their errors, and where arrays live."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import DTypeError, SettingError, ShapeError
from shared.state import Parameter
from tests.cases.case import normal

A, B = normal(2, 3), normal(4, 3)
MISTAKES = [
    ("matmul that wants a transpose", lambda a, b: ops.matmul(a, b), ShapeError,
     "sizes 3 and 4 differ; transpose the second?"),
    ("matmul of a number", lambda a, b: ops.matmul(a, 2.0), ShapeError, "multiply by it with *"),
    ("batches that do not broadcast", lambda a, b: ops.matmul(np.ones((2, 3, 3)), np.ones((4, 3, 3))),
     ShapeError,
     "matmul (its batch axes): shapes (2,) and (4,)"),
    ("linear of other features", lambda a, b: ops.linear(a, b[:, :2]), ShapeError,
     "x (2, 3) with weight (4, 2)"),
    ("linear with a bias too short", lambda a, b: ops.linear(a, b, [0.0]), ShapeError,
     "must have shape (4,)"),
    ("linear with a number as bias", lambda a, b: ops.linear(a, b, 1.0), ShapeError, "must have shape (4,)"),
    ("dot of matrices", lambda a, b: ops.dot(a, b), ShapeError, "must both be 1-d"),
    ("einsum of too few operands", lambda a, b: ops.einsum("ij,jk", a), SettingError,
     "names 2 operand(s), but 1"),
    ("einsum of too many axes", lambda a, b: ops.einsum("ijk", a), ShapeError, "'ijk' in 'ijk' names 3 axes"),
    ("einsum of sizes that differ", lambda a, b: ops.einsum("ij,jk", a, b), ShapeError,
     "label 'j' has size 3 and size 4"),
    ("einsum of an oblong diagonal", lambda a, b: ops.einsum("ii", a), ShapeError,
     "label 'i' has size 2 and size 3"),
    ("einsum of no letter", lambda a, b: ops.einsum("i1", a), SettingError, "can hold letters"),
    ("einsum into nowhere", lambda a, b: ops.einsum("ij->k", a), SettingError,
     "must name labels of the operands"),
    ("einsum without its text", lambda a, b: ops.einsum(a, b), SettingError, "give the subscripts as text"),
    ("tensordot of sizes that differ", lambda a, b: ops.tensordot(a, b, 1), ShapeError,
     "axis 1 of (2, 3) meets axis 0"),
    ("tensordot of too many axes", lambda a, b: ops.tensordot(a, b, 3), SettingError, "use one from 0 to 2"),
    ("tensordot of one axis twice", lambda a, b: ops.tensordot(a, b, ([1, 1], [1, 0])), SettingError,
     "twice"),
    ("bilinear of other features", lambda a, b: ops.bilinear(a, a, np.ones((5, 3, 2))), ShapeError,
     "is (out, in1, in2)"),
    ("the trace of a row", lambda a, b: ops.trace(a[0]), ShapeError, "it needs 2 axes"),
    ("the triangle of a row", lambda a, b: ops.tril(a[0]), ShapeError, "it needs 2 axes"),
    ("half a diagonal", lambda a, b: ops.triu(a, 0.5), SettingError, "must be an integer, not 0.5"),
    ("a negative size", lambda a, b: ops.zeros((2, -1), like=a), SettingError, "can not be negative"),
    ("a size that is no integer", lambda a, b: ops.ones(2.5, like=a), SettingError, "2.5 is no integer"),
    ("an array as the value", lambda a, b: ops.full((2,), a), SettingError, "must be a number"),
    ("a value too large", lambda a, b: ops.full((2,), 300, "uint8", like=np.ones(1)), DTypeError,
     "does not hold 300"),
    ("no dtype", lambda a, b: ops.zeros(2, "f33", like=a), DTypeError, "'f33' is not a dtype"),
    ("a step of zero", lambda a, b: ops.arange(0, 3, 0, like=a), SettingError, "step can not be zero"),
    ("a range without end", lambda a, b: ops.arange(float("inf"), like=a), SettingError, "must be finite"),
]  # fmt: skip


@pytest.mark.parametrize(
    "engine", [lambda x: x, dynamic.tensor, static.constant], ids=["arrays", "dynamic", "static"]
)
@pytest.mark.parametrize(("call", "kind", "words"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_what_can_not_be_computed_is_a_clear_error(
    call: Any, kind: type[Exception], words: str, engine: Any
) -> None:
    """At once on both engines, and in the same words."""
    with pytest.raises(kind) as caught:
        call(engine(A), engine(B))
    assert words in str(caught.value)


def test_an_array_lives_beside_what_it_is_like() -> None:
    assert type(ops.zeros_like(A)) is np.ndarray
    assert isinstance(ops.ones_like(dynamic.tensor(A)), dynamic.Tensor)
    assert isinstance(ops.eye(2, like=Parameter(A)), dynamic.Tensor)
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("n", 2))
    made = ops.full_like(x, 3)  # outside the block, and in x's graph all the same
    assert made.graph is graph and made.shape == x.shape


def test_creation_without_like_asks_the_engine_at_hand() -> None:
    assert isinstance(ops.arange(3), dynamic.Tensor)
    with static.Graph().as_default():
        assert isinstance(ops.arange(3), static.Tensor)


def test_einsum_keeps_for_backward_only_the_other_operands() -> None:
    fixed, trained = normal(50, 60), dynamic.tensor(normal(60, 70), requires_grad=True)
    y = ops.einsum("ij,jk->ik", fixed, trained)
    node, _ = y.edge
    assert [isinstance(x, np.ndarray) for x in node.inputs] == [True, False]
