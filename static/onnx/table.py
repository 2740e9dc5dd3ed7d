"""How each op is said in ONNX's words.

A row is called with the writer, which adds nodes, and with the op's arguments and settings as
its `compute` takes them; it gives the name of the value, or the names of several. Where ONNX has
the very op, the row is its name in a table.
"""

from __future__ import annotations

from static.onnx.ops.attention import ATTENTION
from static.onnx.ops.bitwise import BITWISE
from static.onnx.ops.control import branch, repeat, repeat_while
from static.onnx.ops.convolution import CONVOLUTION
from static.onnx.ops.elementwise import ELEMENTWISE
from static.onnx.ops.indexing import INDEXING
from static.onnx.ops.mathematics import MATHEMATICS
from static.onnx.ops.normalization import NORMALIZATION
from static.onnx.ops.ordering import ORDERING
from static.onnx.ops.pooling import POOLING
from static.onnx.ops.products import PRODUCTS
from static.onnx.ops.recurrent import RECURRENT
from static.onnx.ops.reductions import REDUCTIONS
from static.onnx.ops.scattering import SCATTERING
from static.onnx.writer import Row

ROWS: dict[str, Row] = {
    **ELEMENTWISE, **BITWISE, **MATHEMATICS, **REDUCTIONS, **PRODUCTS, **CONVOLUTION, **POOLING,
    **NORMALIZATION, **ATTENTION, **RECURRENT, **INDEXING, **ORDERING, **SCATTERING,
    "scan": repeat, "cond": branch, "while_loop": repeat_while,
}  # fmt: skip
"""By the name of the op."""

_EVALUATE = "a model that is exported has done with training: build it after model.eval()"
_NO_DRAWS = "ONNX can not draw the same numbers; draw them outside and feed them to a placeholder"
_NO_EFFECTS = "an ONNX model only computes; export what does not depend on it"
_NO_LOSS = "a loss belongs to training; export the model's outputs"
_NO_RUN = "ONNX runs along an axis by Scan alone; write it as ops.scan, which is exported"
_NO_MODE = "ONNX has no words for the most frequent; compute it outside"
_NO_GRADIENT = "it is part of a gradient; export what a forward pass gives"
_NO_FUNCTION = "ONNX has no such function, and none that it could be made of; compute it outside of the model"
_NO_FACTORS = "ONNX factors no matrices; compute it outside, and feed what it gives to a placeholder"
_NO_COMPLEX = "ONNX's runtimes have no complex numbers; export what is real, and transform outside"
_NO_RANKS = "an ONNX model runs by itself; build it for one rank, and load the weights"
NO_WORDS = {
    **dict.fromkeys(
        ("all_gather", "all_reduce", "all_reduce_extreme", "all_reduce_weighted", "broadcast", "reduce",
         "reduce_scatter", "rows_before"), _NO_RANKS,
    ),
    **dict.fromkeys(("erfinv", "lgamma", "polygamma"), _NO_FUNCTION),
    **dict.fromkeys(("batch_norm", "dropout"), _EVALUATE),
    **dict.fromkeys(
        ("uniform", "normal", "truncated_normal", "permutation", "bernoulli", "cut_to_rows"), _NO_DRAWS
    ),
    **dict.fromkeys(("print", "assert", "check_numerics"), _NO_EFFECTS),
    **dict.fromkeys(
        ("cholesky", "eig", "eigh", "eigvalsh", "inv", "matrix_rank", "pinv", "qr", "slogdet", "solve",
         "solve_triangular", "svd", "svdvals"), _NO_FACTORS,
    ),
    **dict.fromkeys(
        ("angle", "complex", "conj", "fft", "imag", "irfft", "real", "resized", "rfft", "view_as_complex",
         "view_as_real"), _NO_COMPLEX,
    ),
    **dict.fromkeys(
        ("bce", "bce_with_logits", "class_index", "cross_entropy", "ctc_loss", "huber", "of_shape",
         "variance"), _NO_LOSS,
    ),
    **dict.fromkeys(("cummax_index", "cummin_index", "cumprod", "logcumsumexp", "recurrence"), _NO_RUN),
    "mode_index": _NO_MODE,
    "bitcast": "the opset that is written has no BitCast; read the bits outside of the model",
    **dict.fromkeys(
        ("adaptive_avg_unpool2d", "attention_grad", "batch_norm_grad", "cofactor", "cofactor_slope",
         "conv2d_weight", "draw_in",
         "gaussian", "gelu_grad", "gru_cell_grad", "layer_norm_grad", "lstm_cell_grad", "max_pick2d",
         "max_pool2d_input", "others_product", "relu_grad", "sigmoid_slope", "sum_unpool2d"), _NO_GRADIENT,
    ),
}  # fmt: skip
"""What to do about ops that are not exported."""
