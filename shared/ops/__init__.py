"""The ops, as users call them. Each module holds one family; `docs/ops.md` lists them all.

The names `abs`, `all`, `any`, `max`, `min`, `pow`, `round` and `sum` are ops here, not Python's
builtins.
"""

from shared.ops.activations import elu, leaky_relu, relu
from shared.ops.attention import attention_weights, scaled_dot_product_attention
from shared.ops.bitwise import (
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
)
from shared.ops.choosing import (
    cast,
    clip,
    equal,
    greater,
    greater_equal,
    isfinite,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    not_equal,
    where,
)
from shared.ops.contraction import bilinear, einsum, trace
from shared.ops.control import cond, scan, while_loop
from shared.ops.convolution import conv1d, conv2d, conv_transpose2d
from shared.ops.creation import arange, eye, full, full_like, linspace, ones, ones_like, zeros, zeros_like
from shared.ops.distances import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cosine_similarity,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
)
from shared.ops.elementwise import (
    abs,
    add,
    ceil,
    cos,
    div,
    exp,
    expm1,
    floor,
    log,
    log1p,
    mul,
    neg,
    pow,
    reciprocal,
    round,
    rsqrt,
    sign,
    sin,
    sqrt,
    square,
    sub,
    tan,
)
from shared.ops.gaussian import erf, erfc, gelu, normal_cdf
from shared.ops.gru import gru_cell, gru_cell_composed
from shared.ops.indexing import getitem, take
from shared.ops.joining import concatenate, split, stack, unbind
from shared.ops.lookup import embedding, gather, one_hot, scatter_add, scatter_sum
from shared.ops.losses import accuracy, cross_entropy, nll_loss
from shared.ops.matrices import dot, linear, matmul, outer, tensordot, tril, triu
from shared.ops.normalization import batch_norm, layer_norm
from shared.ops.norms import logsumexp, norm
from shared.ops.pooling import adaptive_avg_pool2d, avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from shared.ops.products import prod
from shared.ops.random import bernoulli, dropout, generator_state, normal, uniform
from shared.ops.recurrent import lstm_cell, lstm_cell_composed, rnn_cell, rnn_cell_composed
from shared.ops.reductions import all, any, argmax, argmin, cumsum, max, mean, min, std, sum, var
from shared.ops.shapes import (
    broadcast_to,
    expand_dims,
    flatten,
    flip,
    permute,
    reshape,
    squeeze,
    sum_to,
    swapaxes,
    transpose,
)
from shared.ops.sigmoids import log_sigmoid, sigmoid, silu, softplus, tanh
from shared.ops.softmaxes import log_softmax, softmax
from shared.ops.tiling import pad, repeat, tile
from shared.ops.windows import col2im, im2col
from shared.usage.door import public

__all__ = [
    "abs", "accuracy", "adaptive_avg_pool2d", "add", "all", "any", "arange", "argmax", "argmin",
    "attention_weights", "avg_pool1d", "avg_pool2d", "batch_norm", "bernoulli", "bilinear",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "bitwise_and", "bitwise_left_shift",
    "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "broadcast_to", "cast", "ceil",
    "clip", "col2im", "concatenate", "cond", "conv1d", "conv2d", "conv_transpose2d", "cos",
    "cosine_similarity", "cross_entropy", "cumsum", "div", "dot", "dropout", "einsum", "elu",
    "embedding", "equal", "erf", "erfc", "exp", "expand_dims", "expm1", "eye", "flatten", "flip", "floor",
    "full", "full_like", "gather", "gelu", "generator_state", "getitem", "greater", "greater_equal",
    "gru_cell", "gru_cell_composed", "huber_loss", "im2col", "isfinite", "isnan", "kl_div",
    "l1_loss", "layer_norm", "leaky_relu", "less", "less_equal", "linear", "linspace", "log",
    "log1p", "log_sigmoid", "log_softmax", "logical_and", "logical_not", "logical_or",
    "logical_xor", "logsumexp", "lstm_cell", "lstm_cell_composed", "matmul", "max", "max_pool1d",
    "max_pool2d", "maximum", "mean", "min", "minimum", "mse_loss", "mul", "neg", "nll_loss", "norm",
    "normal", "normal_cdf", "not_equal", "one_hot", "ones", "ones_like", "outer", "pad", "permute",
    "pow", "prod", "reciprocal", "relu", "repeat", "reshape", "rnn_cell", "rnn_cell_composed",
    "round", "rsqrt", "scaled_dot_product_attention", "scan", "scatter_add", "scatter_sum",
    "sigmoid", "sign", "silu", "sin", "softmax", "softplus", "split", "sqrt", "square", "squeeze",
    "stack", "std", "sub", "sum", "sum_to", "swapaxes", "take", "tan", "tanh", "tensordot", "tile",
    "trace", "transpose", "tril", "triu", "unbind", "uniform", "var", "where", "while_loop",
    "zeros", "zeros_like",
]  # fmt: skip

public(globals(), __all__)
