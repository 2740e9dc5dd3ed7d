"""Cases of the cells of recurrent networks."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, distinct, normal


def _torch(name: str, *arguments: Any) -> Any:
    """PyTorch's own fused cells, by the functions behind its layers."""
    import torch

    return getattr(torch._VF, name)(*arguments)


def _weights(gates: int) -> list[Any]:
    """x (2, 3), h (2, 4), then weight_ih, weight_hh, bias_ih, bias_hh, in PyTorch's shapes."""
    rows = gates * 4
    return [normal(2, 3), normal(2, 4), normal(rows, 3), normal(rows, 4), normal(rows), normal(rows)]


_unknown = [("n", 3), ("n", 4), ("rows", 3), ("rows", 4), ("rows",), ("rows",)]

CASES = [
    Case("rnn_cell", lambda zx, zh: ops.rnn_cell(zx, zh), [normal(3, 4), normal(3, 4)],
         composed=ops.rnn_cell_composed, torch=lambda a, b: __import__("torch").tanh(a + b),
         unknown=[("n", "h"), ("n", "h")]),
    Case("rnn_cell", lambda zx, zh: ops.rnn_cell(zx, zh, "relu"), [distinct(3, 4), distinct(4) + 0.05],
         composed=lambda a, b: ops.rnn_cell_composed(a, b, "relu"), torch=lambda a, b: (a + b).relu(),
         unknown=[("n", "h"), ("h",)], name="relu, broadcast"),
    Case("rnn_cell", lambda z: ops.rnn_cell(z), [normal(3, 4)], torch=lambda z: z.tanh(), name="one sum"),
    Case("rnn_cell", lambda x, h, w, u, b, d: ops.rnn_cell(ops.linear(x, w, b), ops.linear(h, u, d)),
         _weights(1), torch=lambda *a: _torch("rnn_tanh_cell", *a), unknown=_unknown, name="in a layer"),
    Case("lstm_cell", lambda z, c: ops.lstm_cell(z, c), [normal(2, 3, 8), normal(2, 3, 2)],
         composed=ops.lstm_cell_composed, unknown=[("a", "b", 8), ("a", "b", 2)], name="more axes"),
    Case("lstm_cell", lambda z, c: ops.lstm_cell(z, c)[0], [normal(3, 8), normal(3, 2)],
         unknown=[("n", "gates"), ("n", "h")], name="the cell state dropped"),
    Case("lstm_cell", lambda z, c: ops.lstm_cell(z, c)[1], [normal(8), normal(2)], name="the output dropped"),
    Case(
        "lstm_cell",
        lambda x, h, w, u, b, d, c: ops.lstm_cell(ops.linear(x, w, b) + ops.linear(h, u, d), c),
        [*_weights(4), normal(2, 4)],
        torch=lambda x, h, w, u, b, d, c: _torch("lstm_cell", x, (h, c), w, u, b, d),
        unknown=[*_unknown, ("n", 4)], name="in a layer",
    ),
    Case("lstm_cell_grad", lambda *a: TABLE["lstm_cell_grad"](*a),
         [normal(3, 2), normal(3, 2), normal(3, 2), normal(3, 2), normal(3, 8)],
         unknown=[("n", 2), ("n", 2), ("n", 2), ("n", 2), ("n", 8)]),
    Case("gru_cell", lambda zx, zh, h: TABLE["gru_cell"](zx, zh, h),
         [normal(3, 6), normal(3, 6), normal(3, 2)], composed=lambda *a: [ops.gru_cell_composed(*a)],
         unknown=[("n", 6), ("n", 6), ("n", 2)]),
    Case("gru_cell", lambda zx, zh, h: ops.gru_cell(zx, zh, h), [normal(6), normal(6), normal(2)],
         composed=ops.gru_cell_composed, name="one example"),
    Case("gru_cell", lambda x, h, w, u, b, d: ops.gru_cell(ops.linear(x, w, b), ops.linear(h, u, d), h),
         _weights(3), torch=lambda *a: _torch("gru_cell", *a), unknown=_unknown, name="in a layer"),
    Case("gru_cell_grad", lambda *a: TABLE["gru_cell_grad"](*a),
         [normal(3, 2), normal(3, 6), normal(3, 2), normal(3, 6)],
         unknown=[("n", 2), ("n", 6), ("n", 2), ("n", 6)]),
]  # fmt: skip
