"""Wrong derivatives."""

from __future__ import annotations

from tests.mutation.mutation import Mutation, rows

ELEMENTWISE = rows("rule", "shared/ops/elementwise.py", [
    ('"sub", np.subtract', "neg(g)", "g", "sub"),
    ('"mul", np.multiply', 'g * b, reads="b"', 'g * a, reads="a"', "mul"),
    ('"mul", np.multiply', 'g * a, reads="a"', 'g * b, reads="b"', "mul"),
    ("def _div_rule", "return g / b if", "return g * b if", "div"),
    ("def _div_rule", "neg(g * (y / b))", "g * (y / b)", "div"),
    ('"neg", np.negative', "neg(g)", "g", "neg"),
    ('"reciprocal", lambda', "neg(g * (y * y))", "g * (y * y)", "reciprocal"),
    ('"abs", np.absolute', "else _sign(x)", "else abs(_sign(x))", "abs"),
    ("def _by_base", "gate(g, False)", "gate(g, True)", "pow"),
    ("def _by_base", "g * (a * 2)", "g * a", "pow"),
    ("def _by_base", "(pow(a, b - 1) * b)", "pow(a, b - 1)", "pow"),
    ("def _by_base", "(pow(base, b - 1) * b)", "(pow(base, b) * b)", "pow"),
    ("def _log_of", "return math.log(number) if", "return math.log2(number) if", "pow"),
    ("def _by_exponent", "g * (y * log(where(", "g * (log(where(", "pow"),
    ('"sqrt", np.sqrt', "g / (y * 2)", "g / y", "sqrt"),
    ('"rsqrt", lambda', "y * -0.5", "y * 0.5", "rsqrt"),
    ('"square", np.square', "g * (x * 2)", "g * x", "square"),
    ('"exp", np.exp', "g * y", "g * (y + 1)", "exp"),
    ('"expm1", np.expm1', "Rule(lambda g, y, x: g * ", "Rule(lambda g, y, x: g * y * ", "expm1"),
    ('"log", np.log', "g / x", "g * x", "log"),
    ('"log1p", np.log1p', "g / (x + 1)", "g / (x + 2)", "log1p"),
    ('"sin", np.sin', "cos(x)", "sin(x)", "sin"),
    ('"cos", np.cos', "neg(g * sin(x))", "g * sin(x)", "cos"),
    ('"tan", np.tan', "(y * y + 1)", "(y * y - 1)", "tan"),
])  # fmt: skip

SIGMOIDS = rows("rule", "shared/ops/sigmoids.py", [
    ('"tanhshrink", in_single', "g * square(tanh(x))", "g * tanh(x)", "tanhshrink"),
    ("def _softsign_rule", "g / below / below", "g / below", "softsign"),
    ("def _tanh_rule", "sigmoid_slope(x * 2) * 4", "sigmoid_slope(x) * 4", "tanh"),
])  # fmt: skip

CHOOSING = rows("rule", "shared/ops/choosing.py", [
    ('"gate", _compute_gate', "gate(g, mask)", "g + 0", "gate"),
    ('"where", _compute_where', "gate(g, mask)", "gate(g, logical_not(mask))", "where"),
    ('"where", _compute_where', "gate(g, logical_not(mask))", "g + 0", "where"),
    ('"maximum", np.maximum', "greater(a, b)", "less(a, b)", "maximum"),
    ('"maximum", np.maximum', "_share(g, less(a, b)", "_share(g, greater(a, b)", "maximum"),
    ('"minimum", np.minimum', "less(a, b)", "greater(a, b)", "minimum"),
    ("def _inside", "greater_equal(x, low)", "less_equal(x, low)", "clip"),
    ('"min(max({0}, {1}), {2})"', "logical_and(less(x, low)", "logical_and(greater(x, low)", "clip"),
    ('"min(max({0}, {1}), {2})"', "logical_or(greater(x, high)", "logical_or(less(x, high)", "clip"),
])  # fmt: skip
CHOOSING += rows("setting", "shared/ops/choosing.py", [
    ("def _share", "g * 0.5", "g * 1.5", "evenly"),
])  # fmt: skip

SHAPES = [
    *rows("rule", "shared/ops/shapes.py", [
        ("_transpose = Op(", "axes.index(i)", "axes[i]", "transpose"),
        ("_flip = Op(", "[Rule(lambda g, y, x, *, axis: _flip(g, axis=axis))]",
         "[Rule(lambda g, y, x, *, axis: g + 0)]",
         "flip"),
        ("_sum_to = Op(", "broadcast_to(g, x.shape)", "broadcast_to(g * 2, x.shape)", "sum_to"),
    ]),
    *rows("rule", "shared/ops/joining.py", [
        ("_concatenate = Op(", "split(g, [x.shape[axis] for x in xs], axis)",
         "split(g, [x.shape[axis] for x in xs], axis)[::-1]", "concatenate"),
        ("def _stack_rule", "count=len(xs))", "count=len(xs))[::-1]", "stack"),
        ("_unbind = Op(", "_stack(*_present(g, y, x), axis=axis)",
         "_stack(*_present(g, y, x)[::-1], axis=axis)", "unbind"),
        ("_split = Op(", "concatenate(_present(g, y, x), axis)",
         "concatenate(_present(g, y, x)[::-1], axis)", "split"),
        ("def _present", "zeros(like.shape", "1 + zeros(like.shape", "split or unbind"),
    ]),
    *rows("rule", "shared/ops/indexing.py", [
        ('"getitem",\n', "scatter_index(g, *args[1:]", "scatter_index(g * 2, *args[1:]", "getitem"),
        ('"scatter_index",\n', "pick(g, *args[1:]", "pick(g * 2, *args[1:]", "scatter_index"),
    ]),
    *rows("rule", "shared/ops/lookup.py", [
        ("_gather = Op(", "_scatter_sum(g, index", "_scatter_sum(g * 2, index", "gather"),
        ("_scatter_sum = Op(", "_gather(g, index", "_gather(g * 2, index", "scatter_sum"),
    ]),
    *rows("rule", "shared/ops/cumulative.py", [
        ("def _recurrence_rule", "reverse=not reverse)", "reverse=reverse)", "recurrence"),
        ("def _recurrence_rule", "roll(y, step, axis)", "roll(y, -step, axis)", "recurrence"),
        ("def _cumprod_rule", "roll(y, 1, axis), 1)", "roll(y, 1, axis), 0)", "cumprod"),
        ("def _logcumsumexp_rule", "exp(sub(where(boundless, 0, x), top)) *",
         "exp(sub(top, where(boundless, 0, x))) *", "logcumsumexp"),
    ]),
    *rows("rule", "shared/ops/placing.py", [
        ("def _put_rule", "if not _comes_once(arrays):", "if False:", "index_put"),
        ("def _extreme_rule", "gate(share, own)", "share", "index_extreme"),
    ]),
    *rows("rule", "shared/ops/arranging.py", [("_roll = Op(", "tuple(-s for s in shift)", "shift", "roll")]),
    *rows("rule", "shared/ops/searching.py", [
        ("_bincount = Op(", "take(g, x, 0)", "take(g * 2, x, 0)", "bincount"),
    ]),
    *rows("setting", "shared/ops/lookup.py", [("def _embedding_rule", "g, 0)", "g, 1)", "padding")]),
    *rows("rule", "shared/ops/padding.py", [
        ("_pad = Op(", "_crop(g, widths=widths)", "_crop(g * 2, widths=widths)", "pad"),
        ("_crop = Op(", "_pad(g, widths=widths, value=0)", "_pad(g, widths=widths, value=1)", "pad or crop"),
        ("_extend = Op(", "_draw_in(g, widths", "_draw_in(g * 2, widths", "extend"),
        ("_draw_in = Op(", "_extend(gx, widths", "_extend(gx * 2, widths", "extend or draw_in"),
    ]),
]  # fmt: skip

PRODUCTS = [
    *rows("rule", "shared/ops/matrices.py", [
        ("_matmul = Op(", "matmul(g, swapaxes(b, -1, -2))", "matmul(g * 2, swapaxes(b, -1, -2))", "matmul"),
        ("def _matmul_second", "matmul(swapaxes(a, -1, -2), g)", "matmul(swapaxes(a, -1, -2), -g)", "matmul"),
        ("_linear = Op(", "linear_input(g, weight)", "linear_input(g * 2, weight)", "linear"),
        ("_linear = Op(", "linear_weight(x, g)", "linear_weight(x, g * 2)", "linear"),
        ("_linear = Op(", "bias=None: g)", "bias=None: g * 2)", "linear"),
        ("linear_input = Op(", "_linear(gx, weight)", "_linear(gx * 2, weight)", "linear"),
        ("linear_input = Op(", "linear_weight(gx, g)", "linear_weight(gx, g * 2)", "linear"),
        ("linear_weight = Op(", "linear_input(g, gw)", "linear_input(g * 2, gw)", "linear"),
        ("linear_weight = Op(", "_linear(x, gw)", "_linear(x * 2, gw)", "linear"),
        ("def _triangle", "return op(g, diagonal=diagonal)", "return op(g, diagonal=diagonal + 1)",
         "tril or triu"),
    ]),
    *rows("rule", "shared/ops/contraction.py", [
        ("def _cotangent", "if j != k)]", "if j > k)]", "einsum"),
        ("def _cotangent", "found = where(reshape(diagonal, sides), found, 0)",
         "found = where(reshape(diagonal, sides), found, found)", "einsum or trace"),
    ]),
    *rows("rule", "shared/ops/products.py", [
        ("_prod = reduction(", "* others_product(x, axis=axis)", "* others_product(x + 1, axis=axis)",
         "prod"),
        ("def _rule(", "others_product(x, *vs, g, axis=axis) if",
         "others_product(x, *vs, g * 2, axis=axis) if", "prod"),
    ]),
    *rows("rule", "shared/ops/convolution.py", [
        ("_conv2d = Op(", "_conv2d_input(g, w", "_conv2d_input(g * 2, w", "conv2d or conv1d"),
        ("_conv2d = Op(", "_conv2d_weight(x, g", "_conv2d_weight(x * 2, g", "conv2d or conv1d"),
        ("_conv2d = Op(", "sum(g, (0, 2, 3))", "sum(g * 2, (0, 2, 3))", "conv2d or conv1d"),
        ("_conv2d_input = Op(", "_conv2d(gx, w", "_conv2d(gx * 2, w", "conv"),
        ("_conv2d_weight = Op(", "_conv2d(x, gw", "_conv2d(x * 2, gw", "conv"),
    ]),
]  # fmt: skip

REDUCTIONS = [
    *rows("rule", "shared/ops/reductions.py", [
        ("def _mean_rule", "restore(g", "restore(g * 2", "mean"),
        ("def _var_rule", "g * 2", "g", "var"),
        ("def _std_rule", "mean(x, axis", "2 * mean(x, axis", "std"),
        ("def _extreme_rule", "x.shape, axis) / count", "x.shape, axis) * count * 2", "max or min"),
        ("_cumsum = Op(", "flip(cumsum(flip(g, axis), axis), axis)", "cumsum(g, axis)", "cumsum"),
    ]),
    *rows("rule", "shared/ops/norms.py", [
        ("def _logsumexp_rule", "0, x - restore", "0, 0.5 * x - restore", "logsumexp"),
        ("def _norm_rule", "pow(part, p - 1)", "pow(part, p)", "norm"),
    ]),
    *rows("rule", "shared/ops/batch_normalization.py", [
        ("def _batch_norm_grad_rule", "neg(sum(scaled, axes) / count)", "sum(scaled, axes) / count",
         "batch_norm"),
        ("def _batch_norm_rule", "return g_x, None, None, g_weight", "return g_x, None, None, g_bias",
         "batch_norm"),
    ]),
    *rows("rule", "shared/ops/layer_normalization.py", [
        ("def _layer_norm_grad_rule", "inner_unit = of_row(a * unit)", "inner_unit = of_row(a)",
         "layer_norm"),
        ("def _layer_norm_rule", "return g_x, g_weight, g_bias", "return g_x, g_bias, g_bias", "layer_norm"),
    ]),
    *rows("rule", "shared/ops/group_normalization.py", [
        ("def _rms_norm_rule", "sum(gy * unit, axes", "sum(gy, axes", "rms_norm"),
    ]),
    *rows("rule", "shared/ops/ctc.py", [
        ("def _ctc_rule", "y[1] * expand_dims", "y[1] * 2 * expand_dims", "ctc_loss"),
        ("def _compute_ctc_loss", "beta + said[t - 1]", "beta + said[t - 2]", "ctc_loss"),
        ("def _compute_ctc_loss", "may_skip[:, 2:]", "may_skip[:, :-2]", "ctc_loss"),
    ]),
    *rows("rule", "shared/ops/piecewise.py", [
        ("_hardtanh = elementwise(", "less(y, high)", "less(y, low)", "hardtanh"),
    ]),
    *rows("rule", "shared/ops/losses.py", [
        ("def _cross_entropy_rule", "found = slope * (", "found = slope * 2 * (", "cross_entropy"),
        ("def _cross_entropy_rule", "through = p * g_slope - p *", "through = p * g_slope + p *",
         "cross_entropy"),
    ]),
    *rows("rule", "shared/ops/distances.py", [
        ("_huber = elementwise(", "minimum(d, delta), -delta)", "minimum(d, delta), 0)", "huber"),
        ("_bce = elementwise(", "(p - t)", "(p + t)", "bce or entropy"),
        ("_bce = elementwise(", "_bce(p, 1) - _bce(p, 0)", "_bce(p, 0) - _bce(p, 1)", "bce or entropy"),
    ]),
]  # fmt: skip

RECURRENT = [
    *rows("rule", "shared/ops/recurrent.py", [
        ("def _rnn_cell_rule", "g * (1 - y * y)", "g * (1 - y)", "rnn_cell"),
        ("def _lstm_slopes", "1 - n * n", "1 - n", "lstm_cell"),
        ("def _compute_lstm_cell_grad", "of_f *= d * c", "of_f *= d * n", "lstm_cell"),
        ("def _compute_lstm_cell_grad", "d *= f\n", "d *= i\n", "lstm_cell"),
        ("def _lstm_cell_grad_rule", "of_f = a_f * d * c * (1 - 2 * f)", "of_f = a_f * d * c * (1 - f)",
         "lstm_cell"),
        ("def _lstm_cell_grad_rule", "- 2 * n * a_n * d * i", "- n * a_n * d * i", "lstm_cell"),
    ]),
    *rows("rule", "shared/ops/gru.py", [
        ("def _compute_gru_cell_grad", "a_u *= 1 - u", "a_u *= u", "gru_cell"),
        ("def _compute_gru_cell_grad", "g_zh[..., 2 * size :] *= r", "g_zh[..., 2 * size :] *= u",
         "gru_cell"),
        ("def _gru_cell_grad_rule", "neg(of_h) - 2 * n", "neg(of_h) - n", "gru_cell"),
        ("def _through_gru_gates", "a_n = g_n * (1 - n * n)", "a_n = g_n * (1 - n)", "gru_cell"),
    ]),
]  # fmt: skip

POOLING = [
    *rows("rule", "shared/ops/pooling.py", [
        ("_max_pool2d = Op(", "_max_pool2d_input(g[0], y[1]", "_max_pool2d_input(g[0] * 2, y[1]", "max_pool"),
        ("_max_pool2d_input = Op(", "_max_pick2d(gx, taps", "_max_pick2d(gx * 2, taps", "max_pool"),
    ]),
    *rows("rule", "shared/ops/averaging.py", [
        ("_sum_pool2d = Op(", "_sum_unpool2d(g, size", "_sum_unpool2d(g * 2, size", "pool"),
        ("_sum_unpool2d = Op(", "_sum_pool2d(g, **", "_sum_pool2d(g * 2, **", "pool"),
    ]),
    *rows("rule", "shared/ops/adaptive.py", [
        ("_adaptive_avg_pool2d = Op(", "_adaptive_avg_unpool2d(g, size",
         "_adaptive_avg_unpool2d(g * 2, size", "adaptive"),
        ("def _adaptive_max_rule", "reshape(g[0], flat)", "reshape(g[0] * 2, flat)", "adaptive"),
    ]),
    *rows("rule", "shared/ops/windows.py", [
        ("_im2col = Op(", "_col2im(g, size", "_col2im(g * 2, size", "im2col"),
        ("_col2im = Op(", "_im2col(g, **", "_im2col(g * 2, **", "col2im"),
    ]),
    *rows("rule", "shared/ops/random.py", [("_dropout = Op(", "g[0] * y[1]", "g[0] * 1", "dropout")]),
]  # fmt: skip

MATHEMATICS = [
    *rows("rule", "shared/ops/remainders.py", [
        ("remainder = _division(", "neg(g * floor_divide(a, b))", "g * floor_divide(a, b)", "remainder"),
        ("fmod = _division(", "round((a - y) / b)", "round(y / b)", "fmod"),
    ]),
    *rows("rule", "shared/ops/angles.py", [
        ("def _sine_of_cosine", "(1 - x) * (x + 1)", "(1 - x) * (1 - x)", "asin or acos"),
        ("def _hypot_rule", "side / where", "side * where", "hypot"),
        ("def one_and_square", "hypot(x, 1)", "hypot(x, 2)", "asinh or atan"),
        ("def _over_square", "g / h / h", "g / h", "atan"),
        ("def _by_side", "side / h / h", "side / h", "atan2"),
        ('"atan2", np.arctan2', "_by_side(g, a, b, b)", "_by_side(g, a, b, a)", "atan2"),
    ]),
    *rows("rule", "shared/ops/hyperbolic.py", [
        ('"sinh", np.sinh', "g * cosh(x)", "g * sinh(x)", "sinh"),
        ('"cosh", np.cosh', "g * sinh(x)", "g * cosh(x)", "cosh"),
        ('"acosh", np.arccosh', "sqrt(x - 1) * sqrt(x + 1)", "sqrt(x - 1) * sqrt(x - 1)", "acosh"),
        ('"atanh", np.arctanh', "(1 - x) * (x + 1)", "(1 - x)", "atanh"),
    ]),
    *rows("rule", "shared/ops/logarithms.py", [
        ('"exp2", np.exp2', "math.log(2)", "math.log(3)", "exp2"),
        ('"log2", np.log2', "math.log(2)", "math.log(10)", "log2"),
        ("def _share", "(a - b) * base", "(b - a) * base", "logaddexp"),
        ("_logit = elementwise(", "x * (1 - x)", "x * (1 + x)", "logit"),
    ]),
    *rows("rule", "shared/ops/gaussian.py", [
        ("erfinv = elementwise(", "_gaussian(y, scale=1.0)", "_gaussian(y, scale=0.5)", "erfinv"),
    ]),
    *rows("rule", "shared/ops/special.py", [
        ("_polygamma = _special(", "polygamma(n + 1, x)", "polygamma(n, x)", "polygamma"),
        ("def _sinc_rule", "_sinc(x, n=n + 1)", "_sinc(x, n=n)", "sinc"),
    ]),
    *rows("rule", "shared/ops/infinities.py", [
        ("fmax = elementwise(", "logical_not(_first(", "(_first(", "fmax"),
        ("fmin = elementwise(", "_first(a, b, less_equal)", "_first(a, b, greater_equal)", "fmin"),
    ]),
    *rows("rule", "shared/ops/signs.py", [
        ("copysign = elementwise(", "sign(a) * sign(y)", "sign(y)", "copysign"),
    ]),
    *rows("rule", "shared/ops/blends.py", [
        ("lerp = elementwise(", "g * (1 - weight)", "g * weight", "lerp"),
        ("lerp = elementwise(", "g * (b - a)", "g * (a - b)", "lerp"),
    ]),
]  # fmt: skip

LINEAR = [
    *rows("rule", "shared/ops/complexes.py", [
        ('"imag", lambda', "-g * 1j", "g * 1j", "imag"),
        ("_complex = elementwise(", "-imag(g)", "imag(g)", "complex"),
        ("_angle = elementwise(", "* -1j", "* 1j", "angle"),
        ("_view_as_real = Op(", "conj(_view_as_complex(g))", "_view_as_complex(g)", "view_as_real"),
        ("_view_as_complex = Op(", "_view_as_real(conj(g))", "_view_as_real(g)", "view_as_complex"),
    ]),
    *rows("rule", "shared/ops/linalg/solving.py", [
        ("_inv = Op(", "neg(matmul", "(matmul", "inv"),
        ("def _solve_rule", "_solve(turned(a), g)", "_solve(a, g)", "solve"),
        ("def _solve_triangular_rule", "upper=not upper", "upper=upper", "solve_triangular"),
        ("def _solve_triangular_rule", "triu(whole, int(unitriangular))", "whole", "solve_triangular"),
    ]),
    *rows("rule", "shared/ops/linalg/determinants.py", [
        ("def _compute_cofactor_slope", "-xp.swapaxes(w", "xp.swapaxes(w", "cofactor or det"),
        ("def _of_three", "one * two - both", "one * two", "cofactor"),
        ("def _slogdet_rule", "imag(by_sign * y[0])", "imag(by_sign)", "slogdet"),
    ]),
    *rows("rule", "shared/ops/linalg/factorizations.py", [
        ("def _cholesky_rule", "(whole + adjoint(whole)) * 0.5", "whole", "cholesky"),
        ("def _qr_rule", "middle + adjoint(middle)", "middle", "qr"),
        ("def _qr_rule", "turn if by_q is None else by_q + turn", "by_q", "qr"),
    ]),
    *rows("rule", "shared/ops/linalg/spectra.py", [
        ("def _eigh_rule", "(apart * 2)", "apart", "eigh"),
        ("def _eig_rule", "turn - matmul(back, v) * of_columns(kept)", "turn", "eig"),
        ("def _svd_rule", "skew / apart * of_columns(s)", "skew / apart * of_rows(s)", "svd"),
        ("def _svd_rule", "adjoint(other) - other", "other - adjoint(other)", "svd"),
        ("def _svd_rule", "skew * one / (of_rows(s) * 2)", "skew * one * 0", "svd"),
        ("def _inverse", "div(one, s + (1 - one))", "div(0 * one, s + (1 - one))", "svd"),
    ]),
    *rows("rule", "shared/ops/linalg/approximate.py", [
        ("def _pinv_rule", "- matmul(matmul(x, y), side)", "- side * 0", "pinv"),
    ]),
    *rows("rule", "shared/ops/fft.py", [
        ("_rfft = Op(", "inverse=False", "inverse=True", "rfft"),
        ("def _irfft_rule", "_TURNED[norm]", "norm", "irfft"),
        ("def _irfft_rule", "1, 2)", "1, 1)", "irfft"),
    ]),
    *rows("rule", "shared/reverse.py", [
        ("def fit(", 'g if like.dtype.kind == "c" else ops.real(g)', "ops.abs(g)", "complex"),
    ]),
]  # fmt: skip

MUTATIONS: list[Mutation] = [
    *ELEMENTWISE, *SIGMOIDS, *CHOOSING, *SHAPES, *PRODUCTS, *REDUCTIONS, *RECURRENT, *POOLING, *MATHEMATICS,
    *LINEAR,
]  # fmt: skip
