"""Summary tables, and the outlines that they are made with."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import models, nn, ops
from shared.data.trees import Tree
from shared.dims import Dim
from shared.errors import EngineError, GradientError, SymbolicValueError
from shared.nn.outline import Outline
from shared.nn.overview import FLOPS
from shared.op import TABLE
from shared.spec import Spec
from tests.shared.nn.entry import normal


def small() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(None, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(10)
    )


TABLE_OF_SMALL = """\
Layer             Output        Parameters  FLOPs
-------------------------------------------------
Sequential        (2, 10)                -      -
  0: Conv2d       (2, 4, 6, 6)          36  5,184
  1: BatchNorm2d  (2, 4, 6, 6)           8      -
  2: ReLU         (2, 4, 6, 6)           -      -
  3: Flatten      (2, 144)               -      -
  4: Linear       (2, 10)            1,450  5,760
-------------------------------------------------
1,494 parameters and 9 numbers in buffers: 5.88 KiB
One forward pass: 10.94 kFLOP (a multiply-add is two)"""


def test_the_table_reads_like_a_table() -> None:
    assert str(nn.summary(small(), (2, 1, 8, 8))) == TABLE_OF_SMALL


def test_sizes_may_be_unknown() -> None:
    table = nn.summary(small(), ("N", 1, 8, 8))
    assert table.rows[0].output == "(N, 10)"
    assert isinstance(table.flops, Dim) and str(table.flops) == "5472*N"


def test_a_loop_over_unknown_steps_counts_its_work_in_them() -> None:
    model = nn.LSTM(4, 6)
    table = nn.summary(model, ("T", 3, 4))
    assert table.rows[0].output == "(T, 3, 6), (1, 3, 6), (1, 3, 6)"
    per_step = nn.summary(model, (5, 3, 4)).flops // 5
    assert str(table.flops) == f"{per_step}*T"


def test_a_summary_computes_nothing_and_changes_no_state() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    before = model.state_dict()
    nn.summary(model, np.full((5, 3), np.nan, np.float32))
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert all(p.grad is None for p in model.parameters())
    assert not model._forward_hooks


def test_inputs_may_be_shapes_arrays_tensors_or_specs_and_named() -> None:
    model = nn.LSTM(4, 6)
    by_shape = nn.summary(model, (5, 3, 4))
    for x in (normal(5, 3, 4), dynamic.tensor(normal(5, 3, 4)), Spec((5, 3, 4), np.dtype("f4"))):
        assert str(nn.summary(model, x)) == str(by_shape)
    state = ((1, 3, 6), (1, 3, 6))
    assert nn.summary(model, (5, 3, 4), state, lengths=np.array([5, 1, 2])).flops == by_shape.flops
    tokens = np.zeros((5, 3), np.int64)
    assert nn.summary(models.CharLSTM(7, 4), tokens).rows[0].output == "(5, 3, 7), (1, 3, 4), (1, 3, 4)"


def test_shared_layers_and_tied_weights_count_once_and_every_call_works() -> None:
    layer = nn.Linear(4, 4)
    table = nn.summary(nn.Sequential(layer, nn.ReLU(), layer), (2, 4))
    assert table.parameters == 20
    assert table.flops == 2 * (2 * 2 * 4 * 4)
    assert table.rows[1].calls == 2 and "x 2" in str(table)


def test_a_layer_that_is_not_called_is_shown_so() -> None:
    class Lazy(nn.Module):
        def __init__(self) -> None:
            self.used, self.idle = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x: Any) -> Any:
            return self.used(x) @ self.idle.weight

    table = nn.summary(Lazy(), (2, 4))
    assert "idle: Linear  not called" in str(table)
    assert table.rows[0].flops == 2 * 2 * 4 * 4


def test_frozen_parameters_are_said_to_be() -> None:
    model = small()
    model[0].requires_grad_(False)
    nn.summary(model, (2, 1, 8, 8))
    model[0].requires_grad_(False)
    assert "1,494 parameters (36 of them frozen)" in str(nn.summary(model, (2, 1, 8, 8)))


def test_a_tree_has_a_summary() -> None:
    tree = Tree("", np.array([1, 2, 0]), np.array([2, 2, -1]))
    table = nn.summary(models.TreeLSTM(5, 4), tree)
    per_node = 2 * 4 * 16
    per_child = 2 * 4 * 4
    of_children = 2 * 4 * 12
    assert table.flops == 3 * (per_node + of_children) + 2 * per_child


def test_the_work_is_what_pytorch_counts() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: it is the oracle here")
    from torch.utils.flop_counter import FlopCounterMode

    tn = torch.nn
    for ours, theirs, shape in (
        (nn.Linear(5, 7), tn.Linear(5, 7), (2, 3, 5)),
        (nn.Conv2d(4, 6, 3, 2, 1, groups=2), tn.Conv2d(4, 6, 3, 2, 1, groups=2), (2, 4, 9, 8)),
        (nn.Conv1d(4, 6, 3), tn.Conv1d(4, 6, 3), (2, 4, 9)),
        (nn.ConvTranspose2d(4, 6, 3, 2), tn.ConvTranspose2d(4, 6, 3, 2), (2, 4, 5, 6)),
    ):
        with FlopCounterMode(display=False) as counter:
            theirs(torch.zeros(shape))
        assert nn.summary(ours, shape).flops == counter.get_total_flops(), ours


def test_an_einsum_counts_like_the_product_it_is() -> None:
    class Product(nn.Module):
        def __init__(self, subscripts: str) -> None:
            self.subscripts = subscripts

        def forward(self, *xs: Any) -> Any:
            return ops.einsum(self.subscripts, *xs)

    assert nn.summary(Product("bij,bjk->bik"), (2, 3, 4), (2, 4, 5)).flops == 2 * 2 * 3 * 4 * 5
    assert nn.summary(Product("bij,jk->bik"), ("B", 3, 4), (4, 5)).rows[0].output == "(B, 3, 5)"
    assert nn.summary(Product("ii"), (4, 4)).flops == 0


def test_a_summary_needs_no_engine() -> None:
    code = (
        "from shared import models, nn; import sys; print(nn.summary(models.LeNet(), (1, 1, 28, 28)));"
        "assert not {'dynamic', 'static'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "61,706 parameters" in done.stdout, done.stderr


def test_attention_counts_its_products() -> None:
    """Three projections, scores, weighted sum, projection."""
    n, t, e = 2, 5, 8
    work = 2 * n * t * (3 * e * e + t * e + t * e + e * e)
    assert nn.summary(nn.MultiheadAttention(e, 2), *[(t, n, e)] * 3).flops == work


def test_what_is_counted_are_ops_that_exist() -> None:
    assert set(FLOPS) <= set(TABLE)


# --- outlines ------------------------------------------------------------------------------


def outline(*shape: Any) -> Outline:
    return Outline(Spec(shape, np.dtype(np.float32)))


def test_ops_on_outlines_are_inferred() -> None:
    y = ops.exp(outline(Dim("N"), 3)) @ normal(3, 4) + 1
    assert repr(y) == "<outline f32[N,4]>"
    assert (normal(3) * outline(2, 3)).shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: bool(x > 0), SymbolicValueError),
        (lambda x: float(x), SymbolicValueError),
        (lambda x: np.asarray(x), SymbolicValueError),
        (lambda x: x + dynamic.tensor(normal(2, 3)), EngineError),
        (lambda x: dynamic.tensor(normal(2, 3)) + x, EngineError),
    ],
)
def test_an_outline_has_no_value(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        call(outline(2, 3))


def test_an_outline_can_not_be_trained() -> None:
    from shared import optim

    layer = nn.Linear(3, 1)
    with pytest.raises(GradientError, match="no values"):
        optim.SGD(layer.parameters(), lr=0.1).minimize(ops.sum(layer(outline(2, 3))))
