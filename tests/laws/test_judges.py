"""Law: an op whose compute may refuse values, and not only shapes and dtypes, says of which arguments.

`dynamic.function` computes later than it is asked to, so it must ask beforehand: see `Op.judges`.
"""

from __future__ import annotations

import dis
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

import pytest

from shared import ops  # noqa: F401  (it fills the table)
from shared.op import TABLE, Op

SHAPES_ALONE = {
    "all_gather", "angle", "argsort", "argwhere", "attention", "attention_grad", "batch_norm",
    "batch_norm_grad",
    "broadcast_to", "cast", "complex", "concatenate", "conv2d", "conv2d_input", "conv2d_weight", "crop",
    "cummax_index", "cummin_index", "cumprod", "cumsum", "det", "einsum", "fft", "gate", "gru_cell",
    "imag", "irfft", "layer_norm_grad",
    "linear", "linear_input", "linear_weight", "logsumexp", "lstm_cell", "matmul",
    "max_pool2d", "mode_index", "others_product", "qr", "real", "recurrence", "reduce_scatter",
    "reshape", "rfft", "rnn_cell", "roll", "rows_before", "searchsorted", "slogdet", "split", "stack",
    "std", "sum_to", "top_index", "transpose", "unique_rows", "up_to", "view_as_complex", "view_as_real",
    "where",
}  # fmt: skip
"""Ops whose compute raises, if at all, for what infer refuses too: law 1 holds that."""


def raises(function: Any, seen: set[CodeType] | None = None, depth: int = 0) -> bool:
    """Whether a function, or one of the family's own that it calls, raises anything."""
    seen = set() if seen is None else seen
    function = getattr(function, "__wrapped__", function)
    code = getattr(function, "__code__", None)
    if code is None or code in seen:
        return False
    seen.add(code)
    if any(step.opname == "RAISE_VARARGS" for step in dis.get_instructions(code)):
        return True
    called = [function.__globals__.get(name) for name in code.co_names]
    return depth < 3 and any(
        raises(other, seen, depth + 1)
        for other in called
        if isinstance(other, FunctionType) and other.__module__.startswith("shared.ops")
    )


@pytest.mark.parametrize("op", TABLE.values(), ids=str)
def test_what_may_be_refused_by_value_is_declared(op: Op) -> None:
    if op.judges:
        assert isinstance(op.judges, tuple) and (op.admits is None or isinstance(op.admits, Callable))
    elif op.name not in SHAPES_ALONE:
        assert not raises(op.compute), (
            f"{op.name}: compute raises; if that is for values (ids, probabilities, singular matrices), say "
            "of which arguments by judges=, and by admits= what it would say; else add it to SHAPES_ALONE"
        )
