"""Random calls of the neural ops: dynamic gives a result, which static foretells and repeats bit for
bit, or an error of our own, which static gives too. Where PyTorch is
installed and takes the call, values and gradients are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings, strategies as st

import dynamic
import static
from shared import ops
from shared.dims import Dim
from shared.errors import DiptychError

try:
    import torch
    from torch.nn import functional
except ImportError:  # the properties that need no oracle hold without it
    torch = None

Arrays = Sequence[Any]
random_calls = settings(max_examples=80, deadline=None, derandomize=True, database=None)


# --- what is drawn -------------------------------------------------------------------------


def sizes(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def pairs(low: int, high: int) -> st.SearchStrategy[Any]:
    """A setting for height and width: a pair, or one int for both."""
    return st.one_of(sizes(low, high), st.tuples(sizes(low, high), sizes(low, high)))


@st.composite
def array(draw: st.DrawFn, *shape: int, dtypes: Sequence[Any] = (np.float32, np.float64)) -> Any:
    """Numbers of a random dtype, in C order or as a view in another."""
    dtype = draw(st.sampled_from(dtypes))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    axes = draw(st.permutations(range(len(shape))))
    values = np.asarray(rng.standard_normal([shape[axis] for axis in axes]) * 3).astype(dtype)
    return values.transpose(np.argsort(axes))


@st.composite
def image(draw: st.DrawFn, channels: int | None = None, **settings: Any) -> Any:
    """(N, C, H, W), of few elements or none."""
    c = draw(sizes(0, 3)) if channels is None else channels
    return draw(array(draw(sizes(0, 2)), c, draw(sizes(0, 7)), draw(sizes(0, 7)), **settings))


REAL = (np.float32, np.float64, np.int64, np.int8)


# --- what must hold ------------------------------------------------------------------------


def outputs(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def tried(call: Callable[..., Any], arrays: Arrays) -> Any:
    """A list of outputs, or our own error; any other error is a failure."""
    try:
        return outputs(call(*arrays))
    except DiptychError as error:
        return error


def lawful(call: Callable[..., Any], arrays: Arrays) -> Any:
    """The outputs, or None where the call is refused."""
    made = on_dynamic(call, arrays)
    straight = on_dynamic(call, [np.ascontiguousarray(a).reshape(a.shape) for a in arrays])  # as fed
    for unknown in (False, True):
        foretold, ran = on_static(call, arrays, unknown)
        if isinstance(made, DiptychError):
            assert isinstance(ran, DiptychError), f"static takes what is refused: {made}"
            assert unknown or type(ran) is type(made), (made, ran)
            continue
        assert not isinstance(ran, DiptychError), ran
        for y, spec, like, again in zip(made, foretold, straight, ran, strict=True):
            assert y.dtype == spec.dtype == again.dtype
            assert len(spec.shape) == y.ndim
            assert all(isinstance(s, Dim) or s == n for s, n in zip(spec.shape, y.shape, strict=True))
            assert y.flags.c_contiguous
            np.testing.assert_array_equal(like, again)
    return None if isinstance(made, DiptychError) else made


def on_dynamic(call: Callable[..., Any], arrays: Arrays) -> Any:
    """What comes out, as arrays, or the error."""
    made = tried(call, [dynamic.tensor(a) for a in arrays])
    return made if isinstance(made, DiptychError) else [y.numpy() for y in made]


def on_static(call: Callable[..., Any], arrays: Arrays, unknown: bool) -> tuple[Any, Any]:
    """What a graph foretells of the call, and what a run of it gives."""
    graph = static.Graph()
    with graph.as_default(), static.Session(graph=graph, optimize="exact") as session:
        xs = [static.placeholder(a.dtype, [None] * a.ndim if unknown else a.shape) for a in arrays]
        made = tried(call, xs)
        if isinstance(made, DiptychError):
            return None, made
        feeds = dict(zip(xs, arrays, strict=True))
        return made, tried(lambda: session.run(made, feed_dict=feeds), [])


def as_torch(call: Callable[..., Any], theirs: Callable[..., Any], arrays: Arrays) -> None:
    """Values, and the gradients of a random direction, are PyTorch's where PyTorch takes the call."""
    if torch is None or not all(a.dtype.kind == "f" for a in arrays):
        return
    arrays = [np.ascontiguousarray(a, np.float64) for a in arrays]
    ts = [torch.tensor(a, requires_grad=True) for a in arrays]
    try:
        wanted = theirs(*ts)
    except (RuntimeError, ValueError):
        return
    xs = [dynamic.tensor(a, requires_grad=True) for a in arrays]
    got = call(*xs)
    np.testing.assert_allclose(got.numpy(), wanted.detach().numpy(), rtol=1e-9, atol=1e-9)
    direction = np.random.default_rng(0).standard_normal(got.shape)
    found = dynamic.grad(got, xs, dynamic.tensor(direction))
    for g, h in zip(found, torch.autograd.grad(wanted, ts, torch.tensor(direction)), strict=True):
        np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=1e-9, atol=1e-9)


# --- convolution ---------------------------------------------------------------------------


@st.composite
def convolution(draw: st.DrawFn) -> tuple[list[Any], dict[str, Any]]:
    groups = draw(sizes(1, 3))
    each, rows = draw(sizes(0, 2)), draw(sizes(0, 3)) * draw(st.sampled_from([1, groups]))
    dtypes = draw(st.sampled_from([(np.float32,), (np.float64,), (np.float32, np.int64)]))
    x = draw(image(each * groups, dtypes=dtypes))
    w = draw(array(rows, each, draw(sizes(1, 4)), draw(sizes(1, 4)), dtypes=dtypes))
    arrays = [x, w, draw(array(draw(st.sampled_from([rows, rows, rows + 1])), dtypes=dtypes))]
    return arrays[: draw(sizes(2, 3))], {
        "stride": draw(pairs(1, 3)),
        "padding": draw(pairs(0, 3)),
        "dilation": draw(pairs(1, 3)),
        "groups": groups,
    }


@random_calls
@given(convolution())
def test_convolutions(drawn: tuple[list[Any], dict[str, Any]]) -> None:
    arrays, move = drawn
    made = lawful(lambda *a: ops.conv2d(*a, **move), arrays)
    if made is not None and arrays[0].size and arrays[1].size:
        as_torch(lambda *a: ops.conv2d(*a, **move), lambda *a: functional.conv2d(*a, **move), arrays)


@random_calls
@given(convolution(), pairs(0, 2))
def test_transposed_convolutions(drawn: tuple[list[Any], dict[str, Any]], more: Any) -> None:
    (x, w, *bias), move = drawn
    w = w[: x.shape[1]]
    move["output_padding"] = more
    made = lawful(lambda *a: ops.conv_transpose2d(*a, **move), [x, w, *bias])
    if made is not None and x.size and w.size:
        as_torch(
            lambda *a: ops.conv_transpose2d(*a, **move),
            lambda *a: functional.conv_transpose2d(*a, **move),
            [x, w, *bias],
        )


@random_calls
@given(image(dtypes=REAL), pairs(1, 4), pairs(1, 3), pairs(0, 3), pairs(1, 3))
def test_im2col_and_col2im_are_adjoint(x: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> None:
    move = (kernel, dilation, padding, stride)
    made = lawful(lambda x: ops.im2col(x, *move), [x])
    if made is None:
        return
    (columns,) = made
    like = np.random.default_rng(1).integers(-3, 4, columns.shape).astype(columns.dtype)
    (back,) = lawful(lambda c: ops.col2im(c, x.shape[2:], *move), [like])
    np.testing.assert_allclose(np.vdot(columns, like), np.vdot(x, back), rtol=1e-4, atol=1e-3)
    if x.size:
        as_torch(lambda x: ops.im2col(x, *move), lambda x: functional.unfold(x, *move), [x])


# --- pooling -------------------------------------------------------------------------------

pool = (image(dtypes=REAL), pairs(1, 4), st.one_of(st.none(), pairs(1, 3)), pairs(0, 2))


@random_calls
@given(*pool, pairs(1, 3), st.booleans())
def test_max_pools(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool) -> None:
    move = (kernel, stride, padding, dilation, ceil)
    made = lawful(lambda x: ops.max_pool2d(x, *move, return_indices=True), [x])
    if made is not None and x.size:
        y, index = made
        flat = x.reshape(*x.shape[:2], -1)
        chosen = np.take_along_axis(flat, index.reshape(*x.shape[:2], -1), 2)
        np.testing.assert_array_equal(chosen.reshape(y.shape), y)
        as_torch(lambda x: ops.max_pool2d(x, *move), lambda x: functional.max_pool2d(x, *move), [x])


@random_calls
@given(*pool, st.booleans(), st.booleans())
def test_mean_pools(x: Any, kernel: Any, stride: Any, padding: Any, ceil: bool, inside: bool) -> None:
    move = (kernel, stride, padding, ceil, inside)
    made = lawful(lambda x: ops.avg_pool2d(x, *move), [x])
    if made is not None and x.size:
        as_torch(
            lambda x: ops.avg_pool2d(x, *move),
            lambda x: functional.avg_pool2d(x, *move),
            [x],
        )


@random_calls
@given(image(dtypes=REAL), st.tuples(*[st.one_of(st.none(), sizes(0, 8))] * 2))
def test_adaptive_mean_pools(x: Any, size: Any) -> None:
    made = lawful(lambda x: ops.adaptive_avg_pool2d(x, size), [x])
    if made is not None and x.size:
        as_torch(
            lambda x: ops.adaptive_avg_pool2d(x, size),
            lambda x: functional.adaptive_avg_pool2d(x, size),
            [x],
        )


# --- normalisation, losses, attention, cells -----------------------------------------------

shapes = st.lists(sizes(0, 4), max_size=4)


@random_calls
@given(st.data(), shapes, st.integers(-5, 4))
def test_softmax_along_any_axis(data: st.DataObject, shape: list[int], axis: int) -> None:
    x = data.draw(array(*shape, dtypes=(*REAL, np.float16, bool)))
    for op in ("softmax", "log_softmax"):
        made = lawful(lambda x, op=op: getattr(ops, op)(x, axis), [x])
        if made is not None and x.dtype.kind == "f" and x.dtype.itemsize > 2:
            as_torch(
                lambda x, op=op: getattr(ops, op)(x, axis),
                lambda x, op=op: getattr(functional, op)(x, axis),
                [x],
            )


@random_calls
@given(st.data(), shapes, sizes(0, 3), sizes(0, 2))
def test_layer_norm_over_any_last_axes(
    data: st.DataObject, shape: list[int], width: int, affine: int
) -> None:
    last = shape[len(shape) - width :] if width else [3]
    arrays = [data.draw(array(*shape)), *(data.draw(array(*last)) for _ in range(affine))]
    made = lawful(lambda *a: ops.layer_norm(a[0], last, *a[1:]), arrays)
    if made is not None and affine != 1 and np.prod(last) > 1:
        as_torch(
            lambda *a: ops.layer_norm(a[0], last, *a[1:]),
            lambda *a: functional.layer_norm(a[0], last, *a[1:]),
            arrays,
        )


@random_calls
@given(st.data(), shapes, sizes(0, 5), st.booleans())
def test_batch_norm_of_any_rank(data: st.DataObject, shape: list[int], channels: int, training: bool) -> None:
    x = data.draw(array(*shape))
    if not training and len(shape) > 1:  # plain arithmetic: a size unknown until run may broadcast
        channels = shape[1]
    stats = [np.ones(channels, np.float32), np.zeros(channels, np.float32)]
    given = 3 if training else 1  # in evaluation the statistics are given back as they are
    lawful(lambda x, *wb: ops.batch_norm(x, *wb, *stats[::-1], training=training)[:given], [x, *stats])


@random_calls
@given(
    st.data(), shapes, sizes(-2, 4), st.sampled_from(["mean", "sum", "none"]), st.floats(0, 1), st.booleans()
)
def test_cross_entropy_of_any_labels(
    data: st.DataObject, shape: list[int], ignored: int, reduction: str, smoothing: float, weigh: bool
) -> None:
    x = data.draw(array(*shape))
    low, high = data.draw(st.sampled_from([(0, shape[-1] if shape else 1), (-1, 4)]))
    labels = np.random.default_rng(3).integers(low, max(high, low + 1), shape[:-1])
    kind = {"ignore_index": ignored, "reduction": reduction, "label_smoothing": smoothing}
    weight = np.arange(shape[-1] if shape else 0, dtype=x.dtype) if weigh else None
    made = lawful(lambda x, y: ops.cross_entropy(x, y, weight, **kind), [x, labels])
    if made is not None and torch is not None and labels.ndim == 1 and (labels != ignored).any():
        weights = None if weight is None else torch.tensor(weight)
        theirs = functional.cross_entropy(torch.tensor(x), torch.tensor(labels), weights, **kind)
        np.testing.assert_allclose(made[0], theirs.numpy(), rtol=1e-5, atol=1e-5)


@random_calls
@given(st.data(), shapes, shapes, st.sampled_from(["mse_loss", "l1_loss", "huber_loss", "kl_div"]))
def test_losses_of_any_shapes(data: st.DataObject, a: list[int], b: list[int], name: str) -> None:
    b = data.draw(st.sampled_from([a, a, b]))
    arrays = [data.draw(array(*a)), np.asarray(np.abs(data.draw(array(*b))))]
    made = lawful(lambda x, t: getattr(ops, name)(x, t, reduction="sum"), arrays)
    if made is not None:
        as_torch(
            lambda x, t: getattr(ops, name)(x, t, reduction="sum"),
            lambda x, t: getattr(functional, name)(x, t, reduction="sum"),
            arrays,
        )


@random_calls
@given(st.data(), st.lists(sizes(1, 2), max_size=2), sizes(1, 3), sizes(1, 3), sizes(0, 2), st.booleans())
def test_attention_of_any_shapes(
    data: st.DataObject, batch: list[int], rows: int, keys: int, features: int, causal: bool
) -> None:
    q = data.draw(array(*batch, rows, features))
    k, v = data.draw(array(*batch[1:], keys, features)), data.draw(array(keys, 2))
    mask = data.draw(st.sampled_from([(rows, keys), (keys,), (rows, 1), (rows + 1, keys)]))
    seen = data.draw(array(*mask, dtypes=(bool,)))
    lawful(lambda *a: ops.scaled_dot_product_attention(*a, is_causal=causal), [q, k, v, seen])


@random_calls
@given(st.data(), shapes, st.sampled_from([("rnn", 1), ("lstm", 4), ("gru", 3)]), sizes(-1, 1))
def test_cells_of_any_shapes(data: st.DataObject, shape: list[int], cell: tuple[str, int], off: int) -> None:
    name, gates = cell
    wide = [*shape[:-1], max(0, gates * shape[-1] + off)] if shape else shape
    z = [data.draw(array(*wide)) for _ in range(1 if name == "lstm" else 2)]
    states = [] if name == "rnn" else [data.draw(array(*shape))]
    call = getattr(ops, f"{name}_cell")
    made = lawful(call, [*z, *states])
    if made is not None:
        apart = outputs(getattr(ops, f"{name}_cell_composed")(*z, *states))
        for y, want in zip(made, apart, strict=True):
            np.testing.assert_allclose(y, want, rtol=1e-4, atol=1e-5)
