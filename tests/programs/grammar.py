"""What a line of a program may be: the table that the writer draws from.

A template is Python with holes. `{f}` is any floating value, `{m}` one with two axes, `{v}` one with
one, `{t}` one with at least one, `{s}` a single number; `{i}` and `{b}` are integers and bools; `{n}`
is a size, `{a}` what Python may ask of one, `{k}` a Python number, `{p}` a positive one, `{x}` an axis.
Whether a line fits the values that it meets (shapes, axes, ranges) the table does not say: the writer
tries it on `dynamic`, and drops it if that refuses.

A template with an `item` belongs to a kind of fault that has a name (see `known.py`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """One way to write a line."""

    text: str
    item: str = ""


def _lines(text: str, item: str = "") -> list[Template]:
    return [Template(line.strip(), item) for line in text.strip().splitlines()]


NUMBERS = ("2.0", "0.5", "-1.5", "3", "1", "-0.25", "0.1", "True")
POSITIVE = ("1", "2", "3", "0.5", "4")
DTYPES = ('"float64"', '"float32"', '"int64"', '"int32"', '"bool"', '"uint8"')

FLOATS = _lines("""
    {f} + {f}
    {f} * {f}
    {f} - {f}
    -{f}
    {f} / (1.5 + {f} * {f})
    {f} * {k}
    {k} - {f}
    {f} / {p}
    {k} / (2 + ops.abs({f}))
    {f} ** 2
    {f} ** 3
    (1 + ops.square({f})) ** {k}
    (0.5 + ops.abs({f})) ** {f}
    ops.abs({f})
    ops.sin({f})
    ops.cos({f})
    ops.tan(0.5 * ops.sin({f}))
    ops.tanh({f})
    ops.sigmoid({f})
    ops.exp(-ops.square({f}))
    ops.exp(ops.sin({f}))
    ops.expm1(ops.sin({f}))
    ops.log(1.5 + ops.sin({f}))
    ops.log(1 + ops.exp({f}))
    ops.log1p(ops.square({f}))
    ops.sqrt(1 + ops.square({f}))
    ops.sqrt(ops.square({f}) + 0.1)
    ops.sqrt(ops.square({f}))
    ops.rsqrt(1 + ops.square({f}))
    ops.reciprocal(1.5 + ops.sin({f}))
    ops.reciprocal(ops.reciprocal(2.0 + ops.sin({f})))
    -(-{f})
    ops.exp(ops.log(1.5 + ops.sin({f})))
    ops.erf({f})
    ops.erfc({f})
    ops.normal_cdf({f})
    ops.relu({f})
    ops.elu({f})
    ops.gelu({f})
    ops.gelu({f}, approximate="tanh")
    ops.silu({f})
    ops.softplus({f})
    ops.log_sigmoid({f})
    ops.leaky_relu({f})
    ops.floor({f}) * {f}
    ops.ceil({f}) + {f}
    ops.round({f}) * 0.5
    ops.sign({f}) * {f}
    ops.maximum({f}, {f})
    ops.minimum({f}, {k})
    ops.clip({f}, -0.5, 0.75)
    ops.where({b}, {f}, {f})
    ops.where({f} > {k}, {f}, {k})
    ops.where({f} > 0, 1.0, 0.0) * {f}
    ops.sum({f})
    ops.sum({t}, axis={x})
    ops.sum({t}, axis={x}, keepdims=True)
    ops.mean({f})
    ops.mean({t}, axis={x})
    ops.var({t}, axis={x})
    ops.std({t}, axis={x})
    ops.max({t}, axis={x})
    ops.min({t}, axis={x}, keepdims=True)
    ops.prod({t}, axis={x})
    ops.norm({t}, axis={x})
    ops.logsumexp({t}, axis={x})
    ops.cumsum({t}, axis={x})
    ops.softmax({t}, axis={x})
    ops.log_softmax({t}, axis={x})
    ops.log(ops.softmax({t}, axis={x}))
    ops.log(ops.sum(ops.exp({t}), axis={x}))
    ops.layer_norm({m}, {m}.shape[1:], {v}, {v})
    ({t} - ops.mean({t}, axis={x}, keepdims=True)) / ops.sqrt(ops.var({t}, axis={x}, keepdims=True) + 0.1)
    {m} @ {m}
    {m} @ {v}
    ops.matmul({m}, {t})
    {m} @ ops.transpose({m})
    ops.transpose({m}) @ {m}
    ops.linear({m}, {m})
    ops.linear({m}, {m}, {v})
    ops.outer({v}, {v})
    ops.dot({v}, {v})
    ops.einsum("ij,kj->ik", {m}, {m})
    ops.einsum("ij,ij->j", {m}, {m})
    ops.tensordot({m}, {m}, axes=1)
    ops.tril({m})
    ops.triu({m})
    ops.bilinear({m}, {m}, ops.reshape(ops.arange(18.0) * 0.125 - 1.0, (2, 3, 3)))
    ops.cosine_similarity({m}, {m})
    ops.transpose({f})
    ops.swapaxes({m}, 0, 1)
    ops.flatten({t})
    ops.reshape({t}, (-1,))
    ops.reshape({t}, ({t}.shape[0], -1))
    ops.expand_dims({f}, 0)
    ops.expand_dims({t}, -1)
    ops.squeeze(ops.expand_dims({t}, {x}), {x})
    ops.flip({t}, {x})
    ops.broadcast_to({f}, {f}.shape)
    ops.sum_to({f} * {f}, {f}.shape)
    ops.tile({t}, 2)
    ops.repeat({t}, 2, axis={x})
    ops.pad({m}, ((1, 0), (0, 2)))
    ops.concatenate([{t}, {t}], axis={x})
    ops.stack([{f}, {f}], axis=0)
    ops.stack([{f}, {k} * {f}], axis=-1)
    ops.split({t}, 1, {x})[0]
    ops.unbind({t}, {x})[-1]
    {t}[0]
    {t}[-1]
    {t}[1:]
    {t}[:-1]
    {t}[::2]
    {t}[::-1]
    {t}[1:] * {t}[:-1]
    {m}[:, 0]
    {m}[:, ::-1]
    {m}[:, 1:]
    {m}[None, :, -1]
    ops.take({t}, {i}, axis=0)
    {t}[{i}]
    ops.embedding({i}, {m})
    ops.gather({m}, ops.expand_dims({i}, 1), axis=1)
    ops.scatter_add({m}, ops.expand_dims({i}, 1), {m}[:, :1], axis=1)
    ops.one_hot({i}, 4) * {p}
    ops.cast({i}, "float64") * {f}
    ops.cast({b}, "float64") + {f}
    ops.cast({f}, "float64")
    {f} * {i}
    {f} + {b}
    ops.cross_entropy({m}, {i})
    ops.nll_loss(ops.log_softmax({m}, axis=1), {i})
    ops.mse_loss({f}, {f})
    ops.l1_loss({f}, {f})
    ops.huber_loss({f}, {f})
    ops.kl_div(ops.log_softmax({m}, axis=1), ops.softmax({m}, axis=1))
    ops.binary_cross_entropy(ops.sigmoid({f}), ops.sigmoid({f}))
    ops.binary_cross_entropy_with_logits({f}, ops.sigmoid({f}))
    ops.rnn_cell({m}, {m} @ {m})
    ops.gru_cell(ops.tile({m}, (1, 3)), ops.tile({m}, (1, 3)), {m})
    ops.lstm_cell(ops.tile({m}, (1, 4)), {m})[0]
    ops.lstm_cell(ops.tile({m}, (1, 4)), {m})[1]
    ops.attention_weights({m}, {m})
    ops.scaled_dot_product_attention({m}, {m}, {m})
    ops.zeros_like({f}) + {f}
    ops.ones_like({f}) * {f}
    ops.ones((2, 1)) * {f}
    ops.full_like({f}, {k}) * {f}
    ops.linspace(0.0, 1.0, 3) * {f}
    ops.eye(3) * {f}
    ops.stop_gradient({f}) * {f}
    ops.conv1d(ops.expand_dims({m}, 1), ops.reshape(ops.arange(4.0) * 0.5 - 0.75, (2, 1, 2)))
    ops.avg_pool1d(ops.expand_dims({m}, 1), 2)
    ops.max_pool1d(ops.expand_dims({m}, 1), 2)
    ops.conv2d(ops.expand_dims({m}, (0, 1)), ops.reshape(ops.arange(4.0) * 0.5 - 0.75, (1, 1, 2, 2)))
    ops.max_pool2d(ops.expand_dims({m}, (0, 1)), 2)
    ops.avg_pool2d(ops.expand_dims({m}, (0, 1)), 2)
    ops.adaptive_avg_pool2d(ops.expand_dims({m}, (0, 1)), 1)
    ops.conv_transpose2d(ops.expand_dims({m}, (0, 1)), ops.reshape(ops.arange(4.0) * 0.5, (1, 1, 2, 2)))
    ops.batch_norm({m}, None, None, {v}, {v}, training=True)[0]
    ops.permute({m}, (1, 0))
""")  # fmt: skip

SPECIAL = _lines("""
    ops.round_to({f}, "bfloat16") + {f}
    ops.asin(0.9 * ops.sin({f}))
    ops.acos(0.9 * ops.sin({f}))
    ops.atan({f})
    ops.sinh(ops.sin({f}))
    ops.cosh(ops.sin({f}))
    ops.asinh({f})
    ops.acosh(1.5 + ops.square({f}))
    ops.atanh(0.9 * ops.sin({f}))
    ops.atan2({f}, 1.5 + ops.sin({f}))
    ops.exp2(ops.sin({f}))
    ops.log2(1.5 + ops.sin({f}))
    ops.log10(1.5 + ops.sin({f}))
    ops.logaddexp({f}, {f})
    ops.logaddexp2({f}, {f})
    ops.hypot({f}, 1.0 + ops.square({f}))
    ops.copysign(1.5 + ops.sin({f}), {f})
    ops.erfinv(0.9 * ops.sin({f}))
    ops.lgamma(1.6 + ops.sin({f}))
    ops.digamma(1.6 + ops.sin({f}))
    ops.polygamma(1, 1.6 + ops.sin({f}))
    ops.lerp({f}, {f}, 0.3)
    ops.nan_to_num({f})
    ops.sinc({f})
    ops.logit(0.1 + 0.8 * ops.sigmoid({f}))
    ops.xlogy({f}, 1.5 + ops.sin({f}))
    ops.frac({f}) * 0.5
    ops.deg2rad({f})
    ops.rad2deg({f})
    ops.fmax({f}, {f})
    ops.fmin({f}, {k})
    ops.remainder({f}, {p})
    ops.fmod({f}, {p})
    ops.trunc({f}) * {f}
    ops.floor_divide({f}, {p}) * {f}
    ops.heaviside({f}, 0.5) * {f}
    ops.addcmul({f}, {f}, {f})
    ops.addcdiv({f}, {f}, 1.5 + ops.sin({f}))
    ops.celu({f})
    ops.selu({f})
    ops.mish({f})
    ops.hardswish({f})
    ops.hardsigmoid({f})
    ops.hardtanh({f})
    ops.hardshrink({f})
    ops.softshrink({f})
    ops.softsign({f})
    ops.tanhshrink({f})
    ops.threshold({f}, 0.1, 0.5)
    ops.relu6({f})
    ops.softmin({t}, axis={x})
    ops.prelu({m}, ops.full((1,), 0.2))
    ops.cumprod({t}, axis={x})
    ops.cummax({t}, {x})[0]
    ops.cummin({t}, {x})[0]
    ops.logcumsumexp({t}, {x})
    ops.diff({t})
    ops.roll({t}, 1)
    ops.sort({t})
    ops.sort({t}, axis={x}, descending=True)
    ops.topk({t}, 1)[0]
    ops.median({t}, axis={x})
    ops.quantile({t}, 0.3, axis={x})
    ops.max_with_indices({t}, {x})[0]
    ops.min_with_indices({t}, {x})[0]
    ops.kthvalue({t}, 1, {x})[0]
    ops.nansum({t}, axis={x})
    ops.nanmean({t}, axis={x})
    ops.nanmedian({t}, axis={x})
    ops.nanquantile({t}, 0.3, axis={x})
    ops.diag({v})
    ops.diag_embed({v})
    ops.diagonal({m})
    ops.moveaxis({m}, 0, 1)
    ops.hstack([{m}, {m}])
    ops.vstack([{m}, {m}])
    ops.dstack([{m}, {m}])
    ops.column_stack([{m}, {m}])
    ops.rot90({m})
    ops.fliplr({m})
    ops.flipud({m})
    ops.narrow({t}, {x}, 0, 1)
    ops.chunk({t}, 1, {x})[0]
    ops.tensor_split({t}, 1, {x})[0]
    ops.broadcast_arrays({f}, {s})[1]
    ops.meshgrid({v}, {v})[0]
    ops.block_diag({m}, {m})
    ops.cartesian_prod({v}, {v})
    ops.take_along_axis({m}, ops.expand_dims({i}, 1), 1)
    ops.put_along_axis({m}, ops.expand_dims({i}, 1), {m}[:, :1], 1)
    ops.scatter({m}, ops.expand_dims({i}, 1), {m}[:, :1], 1)
    ops.masked_fill({f}, {b}, 0.5)
    ops.cdist({m}, {m} + 1.5)
    ops.pairwise_distance({m}, {m})
    ops.pdist({m})
    ops.normalize({m})
    ops.rms_norm({m}, {m}.shape[1:])
    ops.group_norm(ops.expand_dims({m}, 0), 1)
    ops.instance_norm(ops.expand_dims({m}, 0))[0]
    ops.local_response_norm(ops.expand_dims({m}, 0), 3)
    ops.smooth_l1_loss({f}, {f})
    ops.soft_margin_loss({f}, ops.sign({f}))
    ops.poisson_nll_loss({f}, ops.sigmoid({f}))
    ops.gaussian_nll_loss({f}, {f}, 0.5 + ops.square({f}))
    ops.cosine_embedding_loss({m}, {m}, ops.ones_like(ops.sum({m}, axis=1)))
    ops.triplet_margin_loss({m}, {m}, {m})
    ops.hinge_embedding_loss({f}, ops.sign({f}))
    ops.margin_ranking_loss({f}, {f}, ops.sign({f}))
    ops.multilabel_soft_margin_loss({m}, ops.sigmoid({m}))
    ops.sigmoid_focal_loss({f}, ops.sigmoid({f}))
    ops.multi_margin_loss({m}, {i})
    ops.interpolate(ops.expand_dims({m}, (0, 1)), scale_factor=2)
    ops.flatten(ops.avg_pool3d(ops.expand_dims({m}, (0, 1, 2)), 1))
    ops.flatten(ops.max_pool3d(ops.expand_dims({m}, (0, 1, 2)), 1))
    ops.lp_pool1d(1.5 + ops.sin(ops.expand_dims({m}, 1)), 2, 2)
    ops.adaptive_avg_pool1d(ops.expand_dims({m}, 1), 1)
    ops.adaptive_max_pool2d(ops.expand_dims({m}, (0, 1)), 1)
    ops.conv_transpose1d(ops.expand_dims({m}, 1), ops.reshape(ops.arange(2.0) * 0.5, (1, 1, 2)))
    ops.flatten(ops.conv3d(ops.expand_dims({m}, (0, 1, 2)), ops.reshape(ops.arange(2.0), (1, 1, 1, 1, 2))))
""")  # fmt: skip
"""Lines of the ops that come less often."""

SIZED = _lines("""
    {t} * {n}
    {f} / {n}
    ops.sum({t}) / {n}
    {t}[:{n}]
    {t}[{n}:]
    {m}[:, :{n}]
    ops.broadcast_to({s}, ({n},))
    ops.reshape({t}, ({n}, -1))
    ops.reshape({t}, (-1, {n}))
    ops.tile({t}, {n})
    ops.arange({n}) * {s}
    ops.zeros(({n}, 2)) + {s}
    ops.one_hot({i}, {n}) * {p}
    ops.full(({n},), {k}) * ops.expand_dims({s}, 0)
    ops.sum(ops.reshape({t}, ({n}, -1)), axis=1)
""")  # fmt: skip

ASKED = _lines(
    """
    {f} if {a} else {f} * 2
    {f} * 2 if not {a} else ops.sin({f})
    {f} + {f} if {a} or {a} else {f}
    {f} if {n} == {n} else -{f}
    {f} if {n} in (1, {n}) else {f} * 3
    {f} * 2 if {n} else {f}
    {f} if {t}.shape == {t}.shape else {f} * 2
""",
    "A3",
)
"""What Python asks of sizes: where it is open until run there is no answer, and no program either."""

INTS = _lines("""
    {i} + {i}
    {i} * {i}
    {i} - {k}
    ops.argmax({t}, axis={x})
    ops.argmin({t}, axis={x})
    ops.cast({f} > 0, "int64")
    ops.cast({f} * 2, "int32")
    ops.sum({i})
    ops.sum({f} > {k})
    ops.clip({i}, 0, 2)
    ops.where({b}, {i}, {i})
    ops.cumsum({i}, axis=0)
    {i}[::-1]
    ops.maximum({i}, 1)
    ops.abs({i})
    ops.bitwise_and({i}, 1)
    ops.bitwise_or({i}, {i})
    ops.bitwise_xor({i}, 5)
    ops.bitwise_not({i})
    ops.bitwise_left_shift({i} & 3, 2)
    ops.bitwise_right_shift({i}, 1)
    ops.remainder({i}, 3)
    ops.floor_divide({i}, 2)
    ops.argsort({t})
    ops.count_nonzero({f} > 0)
    ops.searchsorted(ops.sort({v}), {v})
    ops.bucketize({f}, ops.linspace(-1.0, 1.0, 3))
    ops.roll({i}, 1)
    ops.sort({i})
""") + _lines("""
    {i} & {i}
    {i} | 1
    ~{i}
    {i} & 3
""", item="C11")  # fmt: skip

BOOLS = _lines("""
    {f} > {k}
    {f} < {f}
    {i} == {i}
    {i} != {k}
    {f} >= {f}
    ops.isfinite({f})
    ops.logical_and({b}, {b})
    ops.logical_or({b}, {b})
    ops.logical_not({b})
    ops.logical_xor({b}, {b})
    {b} & {b}
    {b} | {b}
    ~{b}
    ops.any({b})
    ops.all({f} > -5.0)
    ops.isnan({f})
    ops.isinf({f})
    ops.isposinf({f})
    ops.isneginf({f})
    ops.signbit({f})
""")

PREDICATES = ("ops.sum({f}) > {k}", "ops.max({f}) < 1.0", "ops.any({b})", "ops.sum({i}) > 2", "{o} > 1")
"""What a branch is chosen by: one bool."""

RAGGED = _lines(
    """
    {t}[{t} > {k}]
    {v}[{v} > {k}] ** 3
    {m}[ops.sum({m}, axis=1) > 0]
""",
    item="B7",
)
"""Lines whose result has a size that the values say."""

UNKNOWN = _lines(
    """
    ops.cosine_similarity({m}, {m}) * ops.sum({m}, axis=1)
    ops.scatter_add({m}, ops.expand_dims({i}, 1), np.float64(0.5), axis=1)
""",
    item="A2",
) + _lines(
    """
    {f} if {t}.shape[0] == 1 else {f} * 2
    ops.trace({m})
    ops.trace({m} @ ops.transpose({m}))
""",
    item="A3",
)
"""Lines that have been sensitive to what is known of sizes."""
