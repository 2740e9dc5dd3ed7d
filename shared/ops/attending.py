"""Scaled dot-product attention in one step, which makes no array of all weights, and its gradient.

A large one is computed by the kernels of `shared.kernels.attention`; the twin here takes a few queries at a
time. The gradient of the gradient is made of plain ops, with all weights at once: so is every higher order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from shared.dims import Shape, divide, same_size
from shared.errors import DTypeError, SettingError, ShapeError
from shared.kernels import threads
from shared.kernels.attention import SCRATCH, attend, attend_back, worth_attending
from shared.numerics.summing import total, work_dtype
from shared.op import Joint, Op, PlannerHints, array_module, put
from shared.ops.elementwise import add
from shared.ops.matrices import matmul
from shared.ops.random import dropout
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like, sized, swapaxes
from shared.ops.tiling import repeat
from shared.ops.weighing import attention_weights, check_attention, check_mask, scaled
from shared.spec import Operand, Spec, as_number, broadcast_shapes, promote, sizes_match, str_shape

AT_ONCE = 1 << 20
"""How many weights the twin has at a time, at most, unless one query's are more."""

# --- the shapes ----------------------------------------------------------------------------


def _check_values(k: Any, v: Any) -> None:
    if len(v.shape) < 2 or (len(k.shape) > 1 and not sizes_match(k.shape[-2], v.shape[-2])):
        raise ShapeError(
            f"attention: k {str_shape(tuple(k.shape))} with v {str_shape(tuple(v.shape))}: each key "
            "needs one value, so their second last sizes must be equal"
        )
    if v.dtype.kind != "f":
        raise DTypeError(f"attention: v must be floating point, not {v.dtype}; cast it first")


def _lead(q: Operand, k: Operand, v: Operand, mask: Operand = None) -> Shape:
    """The axes in front that all of them have; raises for what does not fit."""
    check_attention(q, k)
    _check_values(k, v)
    heads = [Spec(x.shape[:-2], x.dtype) for x in (q, k, v)]
    if mask is not None:
        check_mask(mask)
        scores = Spec((*broadcast_shapes("attention", *heads[:2]), q.shape[-2], k.shape[-2]), q.dtype)
        shown = broadcast_shapes("attention: the scores and their mask", scores, mask)
        if not all(map(sizes_match, shown[-2:], scores.shape[-2:])):
            raise ShapeError(
                f"attention: a mask {str_shape(tuple(mask.shape))} of more queries or keys than the scores "
                f"{str_shape(scores.shape)}"
            )
        heads.append(Spec(shown[:-2], q.dtype))
    return broadcast_shapes("attention", *heads)


def _infer_attention(
    q: Operand, k: Operand, v: Operand, mask: Operand = None, *, causal: bool, scale: float | None
) -> tuple[Spec, Spec, Spec]:
    lead, queries = _lead(q, k, v, mask), q.shape[-2]
    one = Spec((*lead, queries), work_dtype(promote(q, k)))
    return Spec((*lead, queries, v.shape[-1]), promote(q, k, v)), one, one


def _infer_attention_grad(
    g: Operand, q: Operand, k: Operand, v: Operand, y: Operand, largest: Operand, inverse: Operand,
    mask: Operand = None, *, causal: bool, scale: float | None,
) -> tuple[Spec, ...]:  # fmt: skip
    lead, dtype = _lead(q, k, v, mask), promote(g, q, k, v)
    return tuple([Spec((*lead, *x.shape[-2:]), dtype) for x in (q, k, v)])


# --- computing it --------------------------------------------------------------------------


def _compute_attention(
    q: Any, k: Any, v: Any, mask: Any = None, *, causal: bool, scale: float | None, out: Any = (None,) * 3
) -> tuple[Any, ...]:
    specs = _infer_attention(q, k, v, mask, causal=causal, scale=scale)
    made, bias = _made(q, specs, out), _added(mask, specs[1].dtype)
    run = attend if worth_attending(q, k, v, bias) else attend_twin
    run(q, k, v, bias, causal, _factor(q, scale), *made)
    return tuple(made)


def _compute_attention_grad(
    g: Any, q: Any, k: Any, v: Any, y: Any, largest: Any, inverse: Any, mask: Any = None,
    *, causal: bool, scale: float | None, out: Any = (None,) * 3,
) -> tuple[Any, ...]:  # fmt: skip
    specs = _infer_attention_grad(g, q, k, v, y, largest, inverse, mask, causal=causal, scale=scale)
    made, bias = _made(q, specs, out), _added(mask, largest.dtype)
    run = attend_back if worth_attending(q, k, v, bias, g, y, largest, inverse) else attend_back_twin
    run(g, q, k, v, bias, causal, _factor(q, scale), y, largest, inverse, *made)
    return tuple(made)


def _made(like: Any, specs: Any, out: Any) -> list[Any]:
    """The arrays for the results: those that are given, and fresh ones."""
    xp, pairs = array_module(like), zip(specs, out, strict=True)
    return [xp.empty(spec.shape, spec.dtype) if to is None else to for spec, to in pairs]


def _factor(q: Any, scale: float | None) -> float:
    return 1 / math.sqrt(max(q.shape[-1], 1)) if scale is None else scale


def _added(mask: Any, dtype: Any) -> Any:
    """A mask as what is added to the scores."""
    if mask is None or mask.dtype == dtype:
        return mask
    if mask.dtype.kind == "f":
        return mask.astype(dtype)
    return array_module(mask).where(mask, dtype.type(0), dtype.type(-np.inf))


def _single(*arrays: Any) -> list[Any]:
    """Those of half precision in single."""
    return [x.astype(np.float32) if x.dtype.itemsize == 2 else x for x in arrays]


def _few(lead: Shape, queries: int, keys: int) -> Iterator[slice]:
    """Queries, as many at a time as have AT_ONCE weights together."""
    step = max(AT_ONCE // max(math.prod(lead) * keys, 1), 1)
    for start in range(0, queries, step):
        yield slice(start, min(start + step, queries))


def _scores(q: Any, k: Any, bias: Any, causal: bool, scale: float, rows: slice) -> tuple[Any, Any]:
    """The scores of some queries with all keys, and which keys these see; None: all."""
    xp, visible = array_module(q), None
    scores = np.matmul(q[..., rows, :] * scale, k.swapaxes(-1, -2))
    if causal:
        visible = xp.arange(rows.start, rows.stop)[:, None] >= xp.arange(k.shape[-2])
    if bias is not None:
        bias = bias[..., rows, :] if bias.ndim > 1 and bias.shape[-2] != 1 else bias
        shown = np.greater(bias, -np.inf)
        visible, scores = shown if visible is None else visible & shown, scores + bias
    if visible is None:
        return scores, None
    # A finite number stands for minus infinity, so that a row in which all is hidden gives numbers.
    return xp.where(visible, scores, scores.dtype.type(np.finfo(scores.dtype).min / 2)), visible


def _weights(scores: Any, visible: Any, largest: Any) -> Any:
    """exp(scores - largest), and 0 where a key is hidden."""
    y = np.exp(scores - largest)
    return y if visible is None else array_module(y).where(visible, y, y.dtype.type(0))


def attend_twin(
    q: Any, k: Any, v: Any, bias: Any, causal: bool, scale: float, y: Any, largest: Any, inverse: Any
) -> None:
    """What `shared.kernels.attention.attend` gives, in the arrays' own module."""
    q, k, v = _single(q, k, v)
    for rows in _few(y.shape[:-2], q.shape[-2], k.shape[-2]):
        with np.errstate(over="ignore", invalid="ignore"):
            scores, visible = _scores(q, k, bias, causal, scale, rows)
            top = np.maximum.reduce(scores, axis=-1, keepdims=True, initial=-np.inf)
            weights = _weights(scores, visible, top)
            sums = total(weights, (weights.ndim - 1,), keepdims=True)
            shares = 1 / array_module(sums).where(np.equal(sums, 0), sums.dtype.type(np.inf), sums)
            y[..., rows, :] = np.matmul(weights * shares, v)
        largest[..., rows], inverse[..., rows] = top[..., 0], shares[..., 0]


def attend_back_twin(
    g: Any, q: Any, k: Any, v: Any, bias: Any, causal: bool, scale: float, y: Any, largest: Any, inverse: Any,
    g_q: Any, g_k: Any, g_v: Any,
) -> None:  # fmt: skip
    """What `shared.kernels.attention.attend_back` gives, in the arrays' own module."""
    g, q, k, v, y = _single(g, q, k, v, y)
    xp = array_module(q)
    of_k, of_v = (xp.zeros(x.shape, work_dtype(x.dtype)) for x in (g_k, g_v))
    for rows in _few(y.shape[:-2], q.shape[-2], k.shape[-2]):
        with np.errstate(over="ignore", invalid="ignore"):
            scores, visible = _scores(q, k, bias, causal, scale, rows)
            weights = _weights(scores, visible, largest[..., rows, None]) * inverse[..., rows, None]
            mine = g[..., rows, :]
            mean = total(mine * y[..., rows, :], (y.ndim - 1,), keepdims=True)
            slopes = weights * (np.matmul(mine, v.swapaxes(-1, -2)) - mean) * scale
            g_q[..., rows, :] = np.matmul(slopes, k)
            of_k += np.matmul(slopes.swapaxes(-1, -2), q[..., rows, :])
            of_v += np.matmul(weights.swapaxes(-1, -2), mine)
    with np.errstate(over="ignore"):
        put(of_k, g_k)
        put(of_v, g_v)


def _scratch(q: Spec, v: Spec) -> int:
    """Bytes in which the kernels work."""
    return threads.count() * SCRATCH * (int(q.shape[-1]) + int(v.shape[-1]) + 64) * q.dtype.itemsize


def _scratch_back(q: Spec, v: Spec, y: Spec) -> int:
    """As many, and the products of y with its cotangent."""
    return _scratch(q, v) + math.prod([int(size) for size in y.shape]) * y.dtype.itemsize


# --- its gradients -------------------------------------------------------------------------


def _transposed(x: Any) -> Any:
    return swapaxes(x, -1, -2)


def _plus(a: Any, b: Any) -> Any:
    """The sum of two values of which one or both may be absent."""
    return b if a is None else a if b is None else add(a, b)


def _through(weights: Any, x: Any) -> Any:
    """What x becomes on its way back through the softmax that gave these weights."""
    return weights * (x - sum(weights * x, -1, keepdims=True))


def _attention_rule(
    g: Any, y: Any, q: Any, k: Any, v: Any, mask: Any = None,
    *, wanted: Any, causal: bool, scale: float | None,
) -> tuple[Any, ...]:  # fmt: skip
    found: tuple[Any, ...] = (None,) * 3
    if True in wanted[:3]:
        masks = () if mask is None else (mask,)
        found = _attention_grad(g[0], q, k, v, *y, *masks, causal=causal, scale=scale)
    if True not in wanted[3:]:
        return *found, None
    weights = attention_weights(q, k, mask, causal, scale)
    return *found, _through(weights, matmul(g[0], _transposed(v)))


_attention = Op(
    "attention",
    _compute_attention,
    _infer_attention,
    Joint(_attention_rule, reads="q k v mask y largest inverse"),
    outputs=("y", "largest", "inverse"),
    constant=("largest", "inverse"),
    out=True,
    hints=PlannerHints(workspace=lambda q, k, v, mask=None, **settings: _scratch(q, v)),
)


def _attention_grad_rule(
    g: Any, _: Any, g_y: Any, q: Any, k: Any, v: Any, y: Any, largest: Any, inverse: Any, mask: Any = None,
    *, wanted: Any, causal: bool, scale: float | None,
) -> tuple[Any, ...]:  # fmt: skip
    """With weights w = softmax(s), d = g v^T and o = w (d - sum(w d)), what is differentiated is
    (o k scale, o^T q scale, w^T g); y, largest and inverse are what q, k and v make them. Its inner product
    with the cotangents (a_q, a_k, a_v) is sum(o a) + sum(w b), a = (a_q k^T + q a_k^T) scale, b = g a_v^T.
    """
    a_q, a_k, a_v = g
    weights = attention_weights(q, k, mask, causal, scale)
    a = None if a_q is None else matmul(scaled(a_q, scale), _transposed(k))
    a = a if a_k is None else _plus(a, matmul(scaled(q, scale), _transposed(a_k)))
    by_weights = None if a_v is None else matmul(g_y, _transposed(a_v))
    g_g = None if a_v is None else matmul(weights, a_v)
    g_v = slopes = None
    if a is not None:
        products = matmul(g_y, _transposed(v))
        rest = products - sum(weights * products, -1, keepdims=True)
        slopes, by_products = weights * rest, _through(weights, a)
        by_weights = _plus(rest * a - products * sum(weights * a, -1, keepdims=True), by_weights)
        g_g = _plus(matmul(by_products, v), g_g)
        g_v = matmul(_transposed(by_products), g_y)
    by_scores = _through(weights, by_weights)
    g_q = scaled(matmul(by_scores, k), scale)
    g_k = matmul(_transposed(by_scores), scaled(q, scale))
    if a_k is not None:
        g_q = g_q + scaled(matmul(slopes, a_k), scale)
    if a_q is not None:
        g_k = g_k + matmul(_transposed(slopes), scaled(a_q, scale))
    return g_g, g_q, g_k, g_v, None, None, None, by_scores


_attention_grad = Op(
    "attention_grad",
    _compute_attention_grad,
    _infer_attention_grad,
    Joint(_attention_grad_rule, reads="g_y q k v mask"),
    outputs=("g_q", "g_k", "g_v"),
    out=True,
    hints=PlannerHints(
        workspace=lambda g, q, k, v, y, largest, inverse, mask=None, **settings: _scratch_back(q, v, y)
    ),
)

# --- the public function -------------------------------------------------------------------


def _repeated(q: Any, x: Any) -> Any:
    """Keys or values whose heads, axis -3, each serve as many heads of q, neighbours, as make up q's."""
    if len(q.shape) < 3 or len(x.shape) < 3:
        raise ShapeError(
            f"attention: q {str_shape(tuple(q.shape))} with keys or values {str_shape(tuple(x.shape))}: "
            "with enable_gqa all need an axis of heads, the third last"
        )
    heads, shared = q.shape[-3], x.shape[-3]
    if same_size(heads, shared):
        return x
    if isinstance(heads, int) and isinstance(shared, int) and (shared == 0 or heads % shared):
        raise ShapeError(
            f"attention: {heads} heads of queries are no multiple of {shared} of keys and values, each of "
            "which serves as many of them"
        )
    return sized("attention: keys or values", repeat(x, divide(heads, shared), -3), -3, heads)


def scaled_dot_product_attention(
    q: Any, k: Any, v: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False, state: Any = None,
) -> Any:  # fmt: skip
    """softmax(q k^T scale) v, as `torch.nn.functional.scaled_dot_product_attention`.

    q (..., L, E), k (..., S, E), v (..., S, F), whose leading axes broadcast; gives (..., L, F).
    attn_mask  broadcasts to (..., L, S): bools, True where a query may see a key, or numbers that
               are added to the scores (minus infinity hides)
    dropout_p  how much of the weights is zeroed: see `dropout`. It needs the `state` of a generator,
               and with one the result is (y, the generator's next state)
    is_causal  query i sees keys up to i, and no later ones; beside a mask, both hold
    scale      1 / sqrt(E) unless given
    enable_gqa each head of k and v, axis -3, serves several neighbouring ones of q: Ainslie and
               others 2023
    A query that may see nothing attends to nothing: its output and its gradients are zero, not
    NaN. Without dropout no array of all weights is made, forward or backward: memory grows with L
    and S, not with their product. ShapeError where features, positions or heads do not agree,
    SettingError for a dropout without a state. Vaswani et al. 2017, section 3.2.1.
    """
    q, k, v = as_tensor_like(q), as_tensor_like(k), as_tensor_like(v)
    _check_values(k, v)
    if enable_gqa:
        k, v = _repeated(q, k), _repeated(q, v)
    if state is None:
        if dropout_p:
            raise SettingError(
                f"attention: dropout_p={dropout_p!r} needs the state of a generator, as in "
                "state=generator_state(seed); then (y, the next state) come back"
            )
        masks = () if attn_mask is None else (as_tensor_like(attn_mask),)
        given: Any = scale
        if given is not None and not isinstance(given, (int, float, np.generic)):
            q, given = q * given, 1.0  # a value that may be learnt
        given = None if given is None else as_number("attention", "scale", given)
        return _attention(q, k, v, *masks, causal=bool(is_causal), scale=given)[0]
    weights = attention_weights(q, k, attn_mask, is_causal, scale)
    weights, moved = dropout(weights, state, dropout_p)
    return matmul(weights, v), moved
