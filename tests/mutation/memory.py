"""Wrong declarations of whose memory a result may share, is a view of, or may be written over."""

from __future__ import annotations

from tests.mutation.mutation import Mutation, rows

FRESH = "alias=(),"


def taking(*positions: object) -> str:
    """`out=True` with hints that results may be written over arguments."""
    return f"out=True, hints=__import__('shared.op').op.PlannerHints(inplace={positions!r}),"


MUTATIONS: list[Mutation] = [
    *rows("memory", "shared/ops/shapes.py", [
        ("_reshape = Op(", "alias=(0,),", FRESH, "reshape"),
        ("_transpose = Op(", "alias=(0,),", FRESH, "transpose"),
        ("_flip = Op(", "alias=(0,),", FRESH, "flip"),
        ("_broadcast_to = Op(", "alias=(0,),", FRESH, "broadcast_to"),
        ("_sum_to = Op(", "alias=(0,),", FRESH, "sum_to"),
        ("_transpose = Op(", "axes == tuple(range(len(axes)))", "True", "transpose"),
        ("_flip = Op(", "lambda *, axis: not axis", "lambda *, axis: True", "flip"),
    ]),
    *rows("memory", "shared/ops/joining.py", [
        ("_unbind = Op(", "alias=(0,),", FRESH, "unbind"),
        ("_split = Op(", "alias=(0,),", FRESH, "split"),
        ("_unbind = Op(", "count: axis == 0", "count: True", "unbind"),
        ("_split = Op(", "sizes, axis: axis == 0", "sizes, axis: True", "split"),
    ]),
    *rows("memory", "shared/ops/indexing.py", [
        ('"getitem",\n', "alias=(0,),", FRESH, "getitem"),
        ("def _compute_scatter_index", "zeroed(xp, shape, g.dtype, out)", "zeroed(xp, shape, g.dtype, None)",
         "scatter_index"),
        ("def _is_leading", "return step in (None, 1) and", "return", "getitem"),
        ("def _is_leading", "part == EVERY for part in rest", "True for part in rest", "getitem"),
    ]),
    *rows("memory", "shared/ops/padding.py", [
        ("_crop = Op(", "alias=(0,),", FRESH, "pad or crop"),
        ("_crop = Op(", "_nothing(widths[1:])", "True", "pad or crop"),
        ("def _compute_pad", "y.fill(value)", "pass", "pad"),
    ]),
    *rows("memory", "shared/ops/distances.py", [("_of_shape = Op(", "alias=(0,),", FRESH, "")]),
    *rows("memory", "shared/ops/lookup.py", [
        ("def _compute_scatter_sum", "y = zeroed(array_module(values), shape, values.dtype, out)",
         "y = zeroed(array_module(values), shape, values.dtype, None) if out is None else out",
         "scatter or gather"),
    ]),
    *rows("memory", "shared/ops/matrices.py", [
        ("def _compute_linear(", "y = np.add(y, bias, out=y if bias.dtype == y.dtype else to)",
         "y = np.add(y, bias)", "linear"),
    ]),
    *rows("memory", "shared/ops/recurrent.py", [
        ("_lstm_cell = Op(", "out=True,", taking((), (1,), (0,)), "lstm_cell"),
        ("def _compute_lstm_cell(", "gates = np.multiply(z, 0.5, out=out[2]",
         "gates = np.multiply(z, 0.5, out=None", "lstm_cell"),
    ]),
    *rows("memory", "shared/ops/gru.py", [
        ("_gru_cell = Op(", "out=True,", taking((2,), (1,)), "gru_cell"),
    ]),
    *rows("memory", "shared/ops/reductions.py", [
        ("_cumsum = Op(", "out=True,", "out=True, alias=(0,), view=None,", "cumsum"),
        ("def _compute_mean", "put(y, out)", "y", "mean"),
        ("def fold", "c_order(y) if out is None else put(y, out)", "c_order(y)", "sum or max"),
    ]),
    *rows("memory", "shared/ops/choosing.py", [
        ('"where", _compute_where', "inplace=(1,)", "inplace=(0, 1, 2)", "where"),
        ("def _compute_where", "np.negative(mask.view(np.int8)), out=to",
         "np.negative(mask.view(np.int8)), out=None",
         "where"),
    ]),
    *rows("memory", "shared/ops/elementwise.py", [
        ('"reciprocal", lambda x, out=None', "out=out", "out=None", "reciprocal"),
        ("_POWERS = {", "np.multiply(np.square(a), a, out=out",
         "np.multiply(np.square(a, out=out), a, out=out", "pow"),
    ]),
    *rows("memory", "shared/ops/gaussian.py", [
        ("def _gelu_tanh_of", "y = held * held", "y = np.multiply(x, x, out=x)", "gelu"),
    ]),
    *rows("memory", "shared/ops/activations.py", [
        ('"elu", _compute_elu', "out=True,", "out=True, inplace=(0,),", "elu"),
    ]),
]  # fmt: skip
