"""Wrong shapes and dtypes, foretold."""

from __future__ import annotations

from tests.mutation.mutation import Mutation, rows

MUTATIONS: list[Mutation] = [
    *rows("infer", "shared/ops/shapes.py", [
        ("def _infer_reshape", "return Spec(shape, x.dtype)", "return Spec(shape[::-1], x.dtype)", "reshape"),
        ("_transpose = Op(", "x.shape[axis] for axis in axes", "x.shape[axes[axis]] for axis in axes",
         "transpose"),
        ("def _infer_broadcast_to", "return Spec(shape, x.dtype)", "return Spec(shape_of(x), x.dtype)",
         "broadcast_to"),
        ("f\"sum_to: {str_shape(shape)} does not", "return Spec(shape, x.dtype)",
         "return Spec(x.shape, x.dtype)", "sum_to"),
    ]),
    *rows("infer", "shared/ops/joining.py", [
        ("def _infer_concatenate", "total = total + shape[axis]", "total = shape[axis]", "concatenate"),
        ("def _infer_concatenate", "promote(*xs)", "xs[0].dtype", "concatenate"),
        ("def _infer_stack", "len(xs), *first[axis:]", "len(xs) + 1, *first[axis:]", "stack"),
        ("_unbind = Op(", "x.shape[:axis], *x.shape[axis + 1 :]", "x.shape[:axis], *x.shape[axis:][:-1]",
         "unbind"),
        ("def _infer_split", "size, *x.shape[axis + 1 :]), x.dtype) for size in sizes)",
         "size, *x.shape[axis + 1 :]), x.dtype) for size in sizes[::-1])", "split"),
    ]),
    *rows("infer", "shared/ops/indexing.py", [
        ("def infer_getitem", "basic.append(1)", "basic.append(2)", "getitem"),
        ("def infer_getitem", "at = place if _stand_together(parts) else 0", "at = place", "getitem"),
        ("def _stand_together", "return not any(kinds[first:last])", "return True", "getitem"),
        ("def _rows_axis", 'or arrays[0].dtype.kind == "b"', "", "getitem"),
    ]),
    *rows("infer", "shared/ops/sorting.py", [
        ("def _infer_top_index", "k, *x.shape[axis + 1 :]), INTEGER", "n, *x.shape[axis + 1 :]), INTEGER",
         "top_index"),
    ]),
    *rows("infer", "shared/ops/searching.py", [
        ("def _infer_unique", "Spec(x.shape[:1], INTEGER)", "Spec(x.shape[1:], INTEGER)", "unique_rows"),
    ]),
    *rows("infer", "shared/ops/lookup.py", [
        ("def _infer_gather", "return Spec(index.shape, x.dtype)", "return Spec(x.shape, x.dtype)", "gather"),
        ("_one_hot = Op(", "(*labels.shape, classes), dtype", "(classes, *labels.shape), dtype", "one_hot"),
        ("def _infer_embedding", "*weight.shape[1:]), weight.dtype", "*weight.shape[1:]), ids.dtype",
         "embedding"),
    ]),
    *rows("infer", "shared/ops/padding.py", [
        ("def _infer_pad", "b + size + a for", "b + size + b for", "pad"),
        ("def _infer_crop", "size - before - after for", "size - before for", "pad or crop"),
    ]),
    *rows("infer", "shared/ops/reductions.py", [
        ("def sum_dtype", 'x.dtype.kind in "bi" and', 'x.dtype.kind in "b" and', "sum"),
        ("def _place_of", "np.dtype(np.intp))", "np.dtype(np.int32))", "argmax"),
        ("_cumsum = Op(", "Spec(x.shape, sum_dtype(x))", "Spec(x.shape, x.dtype)", "cumsum"),
        ("def reduced", "tuple(1 if i in axes", "tuple(2 if i in axes", "sum or max"),
    ]),
    *rows("infer", "shared/ops/matrices.py", [
        ("def _infer_matmul", "(*stretched, a.shape[-2], b.shape[-1])",
         "(*stretched, b.shape[-1], a.shape[-2])", "matmul"),
        ("def _infer_linear(", "(*x.shape[:-1], *rows)", "(*x.shape[:-1], x.shape[-1])", "linear"),
        ("def _infer_linear_weight", "(g.shape[-1], x.shape[-1])", "(x.shape[-1], g.shape[-1])",
         "linear_weight"),
    ]),
    *rows("infer", "shared/ops/contraction.py", [
        ("def _infer_einsum", "_parts(subscripts)[1]", "sorted(_parts(subscripts)[1])", "einsum"),
    ]),
    *rows("infer", "shared/ops/windows.py", [
        ("def places", "return room // step + 1", "return room // step + 2", "im2col or conv2d"),
        ("def _infer_im2col", "window.kernel[0] * window.kernel[1]", "window.kernel[0] * window.kernel[0]",
         "im2col"),
    ]),
    *rows("infer", "shared/ops/convolution.py", [
        ("def _infer_conv2d_weight", "x.shape[1] // groups", "x.shape[1]", "conv"),
        ("def _infer_conv2d_input", "w.shape[1] * groups", "w.shape[1]", "conv"),
    ]),
    *rows("infer", "shared/ops/layer_normalization.py", [
        ("def _infer_layer_norm(", "(*x.shape[:lead], *(1,) * len(shape))", "x.shape[:lead]", "layer_norm"),
    ]),
    *rows("infer", "shared/ops/batch_normalization.py", [
        ("def _infer_batch_norm(", "one = Spec((channels,)", "one = Spec((1,)",
         "batch_norm"),
    ]),
    *rows("infer", "shared/ops/group_normalization.py", [
        ("def _infer_rms_norm", "(*x.shape[:lead], *(1,) * len(shape))", "x.shape[:lead]", "rms_norm"),
    ]),
    *rows("infer", "shared/ops/ctc.py", [
        ("def _infer_ctc_loss", "Spec((n,), log_p.dtype), Spec(log_p.shape",
         "Spec((n,), log_p.dtype), Spec((n,)", "ctc_loss"),
    ]),
    *rows("infer", "shared/ops/losses.py", [
        ("def _infer_cross_entropy", 'y = labels.shape if reduction == "none" else ()', "y = labels.shape",
         "cross_entropy"),
    ]),
    *rows("infer", "shared/ops/recurrent.py", [
        ("def _infer_lstm_cell(", "Spec(z.shape, z.dtype)", "Spec(c.shape, z.dtype)", "lstm_cell"),
    ]),
    *rows("infer", "shared/ops/gru.py", [
        ("def _infer_gru_cell(", "Spec(zx.shape, promote(zx, zh))", "Spec(h.shape, promote(zx, zh))",
         "gru_cell"),
    ]),
    *rows("infer", "shared/ops/adaptive.py", [
        ("def _infer_adaptive_avg_pool2d", "(*x.shape[:2], *places)", "(*x.shape[:2], *places[::-1])",
         "adaptive"),
        ("def _infer_adaptive_max_pool2d", "(*x.shape[:2], *places)", "(*x.shape[:2], *places[::-1])",
         "adaptive"),
    ]),
    *rows("infer", "shared/ops/averaging.py", [
        ("def _infer_sum_pool2d", "x.shape[2:])), x.dtype)", "x.shape[2:])[::-1]), x.dtype)", "sum_pool2d"),
    ]),
    *rows("infer", "shared/ops/choosing.py", [
        ("def _where_dtype", "return promote(a, b)", "return promote(b)", "where"),
        ("def _clip_dtype", "ufunc_dtype(\"clip\", np.maximum, (x, low))",
         "ufunc_dtype(\"clip\", np.maximum, (x, x))",
         "clip"),
    ]),
    *rows("infer", "shared/spec.py", [
        ("def broadcast_shapes", "range(-width, 0)", "range(-1, -width - 1, -1)", "add or mul"),
        ("def float_dtype", "np.exp, (operand,)", "np.negative, (operand,)", "sigmoid or exp or rsqrt"),
        ("def promote", "_weak_type(x)(0) if is_weak(x)", "np.float64(0) if is_weak(x)",
         "where or concatenate"),
    ]),
    *rows("setting", "shared/ops/reductions.py", [
        ("def _mean_dtype", "np.dtype(np.float64)", "np.dtype(np.float32)", "test_ops_values"),
    ]),
]  # fmt: skip
