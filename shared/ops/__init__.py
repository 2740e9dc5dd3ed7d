"""The ops, as users call them. Each module holds one family; `docs/ops.md` lists them all. Linear algebra and
Fourier transforms have namespaces of their own, `ops.linalg` and `ops.fft`.

The names `abs`, `all`, `any`, `complex`, `max`, `min`, `pow`, `round` and `sum` are ops here, not Python's
builtins.
"""

from shared.ops import fft as fft, linalg as linalg
from shared.ops.activations import celu, elu, glu, leaky_relu, relu, selu
from shared.ops.adaptive import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from shared.ops.angles import acos, asin, atan, atan2, deg2rad, hypot, rad2deg
from shared.ops.arranging import (
    broadcast_arrays,
    cartesian_prod,
    fliplr,
    flipud,
    meshgrid,
    moveaxis,
    roll,
    rot90,
    unflatten,
)
from shared.ops.attending import scaled_dot_product_attention
from shared.ops.averaging import avg_pool1d, avg_pool2d, avg_pool3d, lp_pool1d, lp_pool2d, lp_pool3d
from shared.ops.bags import embedding_bag
from shared.ops.batch_normalization import batch_norm
from shared.ops.bitwise import (
    bitcast,
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
)
from shared.ops.blends import addcdiv, addcmul, lerp
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
from shared.ops.collectives import all_gather, all_reduce, broadcast, reduce_scatter
from shared.ops.complexes import angle, complex, conj, imag, real, view_as_complex, view_as_real
from shared.ops.contraction import bilinear, einsum, trace
from shared.ops.control import cond, scan, while_loop
from shared.ops.convolution import conv2d
from shared.ops.convolving import conv1d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from shared.ops.creation import arange, eye, full, full_like, linspace, ones, ones_like, zeros, zeros_like
from shared.ops.ctc import ctc_loss
from shared.ops.cumulative import cummax, cummin, cumprod, diff, logcumsumexp
from shared.ops.custom import custom_gradient
from shared.ops.diagonals import block_diag, diag, diag_embed, diagonal, tril_indices, triu_indices
from shared.ops.distances import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cosine_similarity,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
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
from shared.ops.formats import round_to
from shared.ops.gaussian import erf, erfc, erfinv, gelu, normal_cdf
from shared.ops.gradients import stop_gradient
from shared.ops.group_normalization import group_norm, instance_norm, local_response_norm, normalize, rms_norm
from shared.ops.gru import gru_cell, gru_cell_composed
from shared.ops.hyperbolic import acosh, asinh, atanh, cosh, sinh
from shared.ops.indexing import getitem, take
from shared.ops.infinities import fmax, fmin, isinf, isneginf, isposinf, nan_to_num
from shared.ops.joining import concatenate, split, stack, unbind
from shared.ops.layer_normalization import layer_norm
from shared.ops.likelihoods import gaussian_nll_loss, poisson_nll_loss, sigmoid_focal_loss
from shared.ops.logarithms import exp2, log2, log10, logaddexp, logaddexp2, logit, xlogy
from shared.ops.lookup import embedding, gather, one_hot, scatter_add, scatter_sum
from shared.ops.losses import accuracy, cross_entropy, nll_loss
from shared.ops.margins import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from shared.ops.matrices import dot, linear, matmul, outer, tensordot, tril, triu
from shared.ops.noise import alpha_dropout, dropout1d, dropout2d, dropout3d, gumbel_softmax, rrelu
from shared.ops.norms import logsumexp, norm
from shared.ops.padding import pad
from shared.ops.pairs import cdist, pairwise_distance, pdist
from shared.ops.picking import gather_nd, masked_fill, masked_select, take_along_axis
from shared.ops.piecewise import (
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    prelu,
    relu6,
    softshrink,
    threshold,
)
from shared.ops.pooling import max_pool1d, max_pool2d, max_pool3d
from shared.ops.products import prod
from shared.ops.quantiles import median, nanmean, nanmedian, nanquantile, nansum, quantile
from shared.ops.random import (
    bernoulli,
    dropout,
    generator_state,
    normal,
    permutation,
    truncated_normal,
    uniform,
)
from shared.ops.recurrent import lstm_cell, lstm_cell_composed, rnn_cell, rnn_cell_composed
from shared.ops.reductions import all, any, argmax, argmin, cumsum, max, mean, min, std, sum, var
from shared.ops.remainders import floor_divide, fmod, frac, remainder, trunc
from shared.ops.resizing import interpolate
from shared.ops.sampling import affine_grid, grid_sample, roi_align
from shared.ops.scattering import (
    index_add,
    index_copy,
    index_fill,
    index_put,
    masked_scatter,
    put_along_axis,
    scatter,
    scatter_nd,
)
from shared.ops.searching import (
    argwhere,
    bincount,
    bucketize,
    count_nonzero,
    histogram,
    nonzero,
    searchsorted,
    unique,
    unique_all,
    unique_counts,
    unique_inverse,
    unique_values,
)
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
from shared.ops.shuffles import channel_shuffle, pixel_shuffle, pixel_unshuffle
from shared.ops.sigmoids import log_sigmoid, mish, sigmoid, silu, softplus, softsign, tanh, tanhshrink
from shared.ops.signs import copysign, heaviside, signbit
from shared.ops.softmaxes import log_softmax, softmax, softmin
from shared.ops.sorting import argsort, kthvalue, max_with_indices, min_with_indices, mode, sort, topk
from shared.ops.special import digamma, lgamma, polygamma, sinc
from shared.ops.stacking import chunk, column_stack, dstack, hstack, narrow, tensor_split, vstack
from shared.ops.tiling import repeat, tile
from shared.ops.unpooling import max_unpool1d, max_unpool2d, max_unpool3d
from shared.ops.weighing import attention_weights
from shared.ops.windows import col2im, im2col
from shared.usage.door import public

__all__ = [
    "abs", "accuracy", "acos", "acosh", "adaptive_avg_pool1d", "adaptive_avg_pool2d",
    "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d", "add",
    "addcdiv", "addcmul", "affine_grid", "all", "all_gather", "all_reduce", "alpha_dropout", "angle",
    "any", "arange", "argmax", "argmin", "argsort", "argwhere", "asin", "asinh", "atan", "atan2",
    "atanh", "attention_weights", "avg_pool1d", "avg_pool2d", "avg_pool3d", "batch_norm", "bernoulli",
    "bilinear", "binary_cross_entropy", "binary_cross_entropy_with_logits", "bincount", "bitcast",
    "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "block_diag", "broadcast", "broadcast_arrays", "broadcast_to", "bucketize",
    "cartesian_prod", "cast", "cdist", "ceil", "celu", "channel_shuffle", "chunk", "clip", "col2im",
    "column_stack", "complex", "concatenate", "cond", "conj", "conv1d", "conv2d", "conv3d",
    "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "copysign", "cos", "cosh",
    "cosine_embedding_loss", "cosine_similarity", "count_nonzero", "cross_entropy", "ctc_loss", "cummax",
    "cummin", "cumprod", "cumsum", "custom_gradient", "deg2rad", "diag", "diag_embed", "diagonal",
    "diff", "digamma", "div", "dot", "dropout", "dropout1d", "dropout2d", "dropout3d", "dstack",
    "einsum", "elu", "embedding", "embedding_bag", "equal", "erf", "erfc", "erfinv", "exp", "exp2",
    "expand_dims", "expm1", "eye", "flatten", "flip", "fliplr", "flipud", "floor", "floor_divide",
    "fmax", "fmin", "fmod", "frac", "full", "full_like", "gather", "gather_nd", "gaussian_nll_loss",
    "gelu", "generator_state", "getitem", "glu", "greater", "greater_equal", "grid_sample", "group_norm",
    "gru_cell", "gru_cell_composed", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "heaviside", "hinge_embedding_loss", "histogram", "hstack", "huber_loss", "hypot",
    "im2col", "imag", "index_add", "index_copy", "index_fill", "index_put", "instance_norm",
    "interpolate", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "kl_div", "kthvalue", "l1_loss",
    "layer_norm", "leaky_relu", "lerp", "less", "less_equal", "lgamma", "linear", "linspace",
    "local_response_norm", "log", "log10", "log1p", "log2", "log_sigmoid", "log_softmax", "logaddexp",
    "logaddexp2", "logcumsumexp", "logical_and", "logical_not", "logical_or", "logical_xor", "logit",
    "logsumexp", "lp_pool1d", "lp_pool2d", "lp_pool3d", "lstm_cell", "lstm_cell_composed",
    "margin_ranking_loss", "masked_fill", "masked_scatter", "masked_select", "matmul", "max",
    "max_pool1d", "max_pool2d", "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d",
    "max_with_indices", "maximum", "mean", "median", "meshgrid", "min", "min_with_indices", "minimum",
    "mish", "mode", "moveaxis", "mse_loss", "mul", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "nan_to_num", "nanmean", "nanmedian", "nanquantile", "nansum",
    "narrow", "neg", "nll_loss", "nonzero", "norm", "normal", "normal_cdf", "normalize", "not_equal",
    "one_hot", "ones", "ones_like", "outer", "pad", "pairwise_distance", "pdist", "permutation",
    "permute", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "polygamma", "pow", "prelu",
    "prod", "put_along_axis", "quantile", "rad2deg", "real", "reciprocal", "reduce_scatter", "relu",
    "relu6", "remainder", "repeat", "reshape", "rms_norm", "rnn_cell", "rnn_cell_composed", "roi_align",
    "roll", "rot90", "round", "round_to", "rrelu", "rsqrt", "scaled_dot_product_attention", "scan",
    "scatter", "scatter_add", "scatter_nd", "scatter_sum", "searchsorted", "selu", "sigmoid",
    "sigmoid_focal_loss", "sign", "signbit", "silu", "sin", "sinc", "sinh", "smooth_l1_loss",
    "soft_margin_loss", "softmax", "softmin", "softplus", "softshrink", "softsign", "sort", "split",
    "sqrt", "square", "squeeze", "stack", "std", "stop_gradient", "sub", "sum", "sum_to", "swapaxes",
    "take", "take_along_axis", "tan", "tanh", "tanhshrink", "tensor_split", "tensordot", "threshold",
    "tile", "topk", "trace", "transpose", "tril", "tril_indices", "triplet_margin_loss",
    "triplet_margin_with_distance_loss", "triu", "triu_indices", "trunc", "truncated_normal", "unbind",
    "unflatten", "uniform", "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values",
    "var", "view_as_complex", "view_as_real", "vstack", "where", "while_loop", "xlogy", "zeros",
    "zeros_like",
]  # fmt: skip

public(globals(), __all__)
