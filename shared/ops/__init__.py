"""The ops, as users call them. Each module holds one family; `docs/ops.md` lists them all.

The names `abs`, `all`, `any`, `max`, `min`, `pow`, `round` and `sum` are ops here, not Python's
builtins.
"""

from shared.ops.attention import attention_weights, scaled_dot_product_attention
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
    cast,
    cos,
    div,
    equal,
    exp,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    mul,
    neg,
    not_equal,
    pow,
    relu,
    sigmoid,
    sign,
    sin,
    sqrt,
    square,
    sub,
    tanh,
    where,
)
from shared.ops.gru import gru_cell, gru_cell_composed
from shared.ops.indexing import getitem, take
from shared.ops.joining import concatenate, split, stack
from shared.ops.linalg import dot, linear, matmul, outer, tensordot, tril, triu
from shared.ops.lookup import embedding, gather, one_hot, scatter_add, scatter_sum
from shared.ops.losses import accuracy, cross_entropy, nll_loss
from shared.ops.normalization import batch_norm, layer_norm, log_softmax, softmax
from shared.ops.pooling import adaptive_avg_pool2d, avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from shared.ops.random import bernoulli, dropout, generator_state, normal, uniform
from shared.ops.recurrent import lstm_cell, lstm_cell_composed, rnn_cell, rnn_cell_composed
from shared.ops.reductions import argmax, max, mean, sum
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
from shared.ops.tiling import pad, repeat, tile
from shared.ops.windows import col2im, im2col

__all__ = [
    "abs", "accuracy", "adaptive_avg_pool2d", "add", "arange", "argmax", "attention_weights",
    "avg_pool1d", "avg_pool2d", "batch_norm", "bernoulli", "bilinear", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "broadcast_to", "cast", "col2im", "concatenate", "cond",
    "conv1d", "conv2d", "conv_transpose2d", "cos", "cosine_similarity", "cross_entropy", "div",
    "dot", "dropout", "einsum", "embedding", "equal", "exp", "expand_dims", "eye", "flatten",
    "flip", "full", "full_like", "gather", "generator_state", "getitem", "greater", "greater_equal",
    "gru_cell", "gru_cell_composed", "huber_loss", "im2col", "kl_div", "l1_loss", "layer_norm",
    "less", "less_equal", "linear", "linspace", "log", "log_softmax", "logical_and", "logical_not",
    "logical_or", "lstm_cell", "lstm_cell_composed", "matmul", "max", "max_pool1d", "max_pool2d",
    "maximum", "mean", "minimum", "mse_loss", "mul", "neg", "nll_loss", "normal", "not_equal",
    "one_hot", "ones", "ones_like", "outer", "pad", "permute", "pow", "relu", "repeat", "reshape",
    "rnn_cell", "rnn_cell_composed", "scaled_dot_product_attention", "scan", "scatter_add",
    "scatter_sum", "sigmoid", "sign", "sin", "softmax", "split", "sqrt", "square", "squeeze",
    "stack", "sub", "sum", "sum_to", "swapaxes", "take", "tanh", "tensordot", "tile", "trace",
    "transpose", "tril", "triu", "uniform", "where", "while_loop", "zeros", "zeros_like",
]  # fmt: skip
