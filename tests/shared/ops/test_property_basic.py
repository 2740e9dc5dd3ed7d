"""Random calls of the elementwise ops, reductions and shape ops: a result that NumPy would give,
of the shape and dtype that were inferred, with gradients of the arguments' shapes; or our error.

Each call is made on raw arrays, on dynamic Tensors, and on static placeholders with sizes known
and unknown. Arrays have up to 4 axes of size 0 to 4, five dtypes, and now and then a 0, NaN or inf.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import dynamic
import static
from shared import ops
from shared.dims import Dim
from shared.errors import DiptychError, UnknownSizeError

random_calls = settings(
    max_examples=50, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
DTYPES = st.sampled_from(["float32", "float64", "int32", "int64", "bool"])
SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)
AXES = st.integers(-5, 4)
MANY_AXES = st.none() | AXES | st.lists(AXES, max_size=3).map(tuple)
NUMBERS = st.sampled_from([0, 1, 2, 3, -1, 0.0, -0.0, 0.5, -0.5, 1.5, True, math.inf, math.nan, 2**40])


@dataclass
class Call:
    """What is called, on which arrays, and what NumPy calls it (None: nothing, or not quite it)."""

    ours: Callable[..., Any]
    arrays: Sequence[np.ndarray]
    numpys: Callable[..., Any] | None = None


# --- what is drawn -------------------------------------------------------------------------


@st.composite
def arrays(draw: st.DrawFn, shapes: Any = SHAPES, dtypes: Any = DTYPES) -> np.ndarray:
    shape, dtype = draw(shapes), np.dtype(draw(dtypes))
    rng = np.random.default_rng(draw(st.integers(0, 7)))
    values = rng.normal(0, 2, shape)
    if dtype.kind == "f" and draw(st.booleans()):
        special = rng.choice([0.0, -0.0, np.nan, np.inf, -np.inf], shape)
        values = np.where(rng.random(shape) < 0.2, special, values)
    made = values > 0 if dtype.kind == "b" else values.astype(dtype)
    if made.ndim > 1 and draw(st.booleans()):
        made = np.asfortranarray(made)
    return made


@st.composite
def companions(draw: st.DrawFn, array: np.ndarray) -> Any:
    """A second operand: a number, an array that broadcasts, or any array."""
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return draw(NUMBERS)
    if kind == 1:
        return draw(arrays())
    shape = tuple(draw(st.sampled_from([n, n, 1])) for n in array.shape)
    return draw(arrays(st.just(shape[draw(st.integers(0, len(shape))) :])))


def unary(draw: Any, name: str) -> Call:
    numpys = {"neg": "negative", "round": "rint"}.get(name, name)
    x = draw(arrays())
    known = getattr(np, numpys, None) if name != "round" or x.dtype.kind == "f" else None
    if name == "reciprocal" and x.dtype.kind != "f":
        known = None  # NumPy's stays in integers
    return Call(getattr(ops, name), [x], known)


def binary(draw: Any, name: str) -> Call:
    a = draw(arrays())
    b = draw(companions(a))
    op = getattr(ops, name)
    names = {"sub": "subtract", "mul": "multiply", "div": "true_divide", "pow": "power"}
    numpys = getattr(np, names.get(name, name))
    if isinstance(b, np.ndarray):
        return Call(op, [a, b], numpys)
    if draw(st.booleans()):
        return Call(lambda x: op(b, x), [a], lambda x: numpys(b, single(x, b, name)))
    return Call(lambda x: op(x, b), [a], lambda x: numpys(single(x, b, name), b))


def shift(draw: Any, name: str) -> Call:
    """NumPy shifts bools, as numbers of 8 bits; here they have no bits to move."""
    call = binary(draw, name)

    def numpys(*arrays: Any) -> Any:
        shifted = call.numpys(*arrays)
        return None if shifted.dtype == np.int8 and all(a.dtype == bool for a in arrays) else shifted

    return Call(call.ours, call.arrays, numpys)


def single(x: Any, number: Any, name: str) -> Any:
    """Integers and bools beside a Python float are float32 here, and float64 in NumPy."""
    compares = name.startswith(("less", "greater", "equal", "not_equal", "logical"))
    return x.astype(np.float32) if isinstance(number, float) and x.dtype.kind in "biu" and not compares else x


def with_setting(name: str, setting: str, values: Any) -> Callable[[Any, str], Call]:
    def make(draw: Any, _: str) -> Call:
        value = draw(values)
        return Call(lambda x: getattr(ops, name)(x, **{setting: value}), [draw(arrays())])

    return make


def where(draw: Any, _: str) -> Call:
    a = draw(arrays())
    mask = draw(arrays(st.just(a.shape), st.sampled_from(["bool", "bool", "bool", "int32"])))
    b = draw(companions(a))
    numpys = np.where if mask.dtype == bool else None
    if isinstance(b, np.ndarray):
        return Call(ops.where, [mask, a, b], numpys)
    chosen = numpys and (lambda m, x: np.where(m, single(x, b, "where"), b))
    return Call(lambda m, x: ops.where(m, x, b), [mask, a], chosen)


def clip(draw: Any, _: str) -> Call:
    x = draw(arrays())
    low, high = (draw(st.none() | companions(x)) for _ in range(2))
    if isinstance(low, np.ndarray) and isinstance(high, np.ndarray):
        return Call(ops.clip, [x, low, high])
    return Call(lambda x: ops.clip(x, low, high), [x])


def cast(draw: Any, _: str) -> Call:
    dtype = draw(st.sampled_from(["float32", np.float64, int, "bool", "complex", "str", None, "no dtype"]))
    return Call(lambda x: ops.cast(x, dtype), [draw(arrays())])


def reduction(draw: Any, name: str) -> Call:
    x, axis, keepdims = draw(arrays()), draw(MANY_AXES), draw(st.booleans())
    more: dict[str, Any] = {}
    if name in ("var", "std"):
        more = {"correction": draw(st.sampled_from([0, 1, 2, -1, 0.5]))}
    if name == "norm":
        more = {"p": draw(st.sampled_from([1, 2, 3, 1.5, math.inf, 0, math.nan]))}
    known = getattr(np, name, None) if not more else None
    return Call(
        lambda x: getattr(ops, name)(x, axis=axis, keepdims=keepdims, **more), [x],
        known and (lambda x: known(x, axis=axis, keepdims=keepdims)),
    )  # fmt: skip


def place(draw: Any, name: str) -> Call:
    x, axis, keepdims = draw(arrays()), draw(st.none() | AXES), draw(st.booleans())
    return Call(
        lambda x: getattr(ops, name)(x, axis, keepdims), [x],
        lambda x: getattr(np, name)(x, axis, keepdims=keepdims),
    )  # fmt: skip


def reshape(draw: Any, _: str) -> Call:
    x = draw(arrays())
    likely = st.sampled_from([-1, x.size, (-1, 1), (x.size, 1), (2, -1)])
    sizes = st.lists(st.integers(-2, 4), max_size=4).map(tuple)
    shape = draw(st.permutations(list(x.shape)).map(tuple) | likely | sizes | st.just((2.0, 1)))
    odd = isinstance(shape, tuple) and min(shape, default=0) < -1  # NumPy takes it for a -1
    return Call(lambda x: ops.reshape(x, shape), [x], None if odd else lambda x: np.reshape(x, shape))


def transpose(draw: Any, _: str) -> Call:
    x = draw(arrays())
    axes = draw(st.none() | st.permutations(range(x.ndim)).map(tuple) | st.lists(AXES, max_size=4).map(tuple))
    return Call(lambda x: ops.transpose(x, axes), [x], lambda x: np.transpose(x, axes))


def swapaxes(draw: Any, _: str) -> Call:
    a, b = draw(AXES), draw(AXES)
    return Call(lambda x: ops.swapaxes(x, a, b), [draw(arrays())], lambda x: np.swapaxes(x, a, b))


def along(name: str, axes: Any = MANY_AXES) -> Callable[[Any, str], Call]:
    def make(draw: Any, _: str) -> Call:
        axis = draw(axes)
        ours, numpys = getattr(ops, name), getattr(np, name, None)
        return Call(lambda x: ours(x, axis), [draw(arrays())], numpys and (lambda x: numpys(x, axis)))

    return make


def to_shape(name: str) -> Callable[[Any, str], Call]:
    def make(draw: Any, _: str) -> Call:
        x = draw(arrays())
        sizes = [draw(st.integers(0, 4) if n == 1 else st.sampled_from([n, n, n, 1])) for n in x.shape]
        shape = draw(st.just((*draw(SHAPES)[:2], *sizes)) | SHAPES | st.just(tuple(sizes[1:])))
        numpys = np.broadcast_to if name == "broadcast_to" else None
        return Call(lambda x: getattr(ops, name)(x, shape), [x], numpys and (lambda x: numpys(x, shape)))

    return make


def joined(draw: Any, name: str) -> Call:
    first = draw(arrays())
    rest = [draw(arrays(st.just(first.shape) | SHAPES)) for _ in range(draw(st.integers(0, 2)))]
    axis = draw(AXES)
    return Call(
        lambda *xs: getattr(ops, name)(xs, axis), [first, *rest], lambda *xs: getattr(np, name)(xs, axis)
    )


def split(draw: Any, _: str) -> Call:
    x, axis = draw(arrays()), draw(AXES)
    size = x.shape[axis] if -x.ndim <= axis < x.ndim else 2
    cut = draw(st.integers(-1, size + 1))
    sizes = draw(st.integers(-1, 4) | st.just([cut, size - cut]) | st.lists(st.integers(0, 3), max_size=3))
    return Call(lambda x: ops.split(x, sizes, axis), [x])


def pad(draw: Any, _: str) -> Call:
    x = draw(arrays())
    width = st.integers(-1, 3)
    pairs = st.lists(st.tuples(width, width), min_size=x.ndim, max_size=x.ndim).map(tuple)
    widths, value = draw(width | st.tuples(width, width) | pairs), draw(NUMBERS)
    return Call(lambda x: ops.pad(x, widths, value=value), [x])


def tile(draw: Any, _: str) -> Call:
    reps = draw(st.integers(-1, 3) | st.lists(st.integers(0, 2), max_size=4).map(tuple) | st.just(1.5))
    return Call(lambda x: ops.tile(x, reps), [draw(arrays())], lambda x: np.tile(x, reps))


def repeat(draw: Any, _: str) -> Call:
    times, axis = draw(st.integers(-1, 3) | st.just(1.5)), draw(st.none() | AXES)
    numpys = (lambda x: np.repeat(x, times, axis)) if type(times) is int else None
    return Call(lambda x: ops.repeat(x, times, axis), [draw(arrays())], numpys)


UNARY = (
    "neg abs sign sqrt rsqrt square exp expm1 log log1p sin cos tan tanh reciprocal floor ceil round "
    "isnan isfinite logical_not bitwise_not sigmoid log_sigmoid softplus silu relu erf gelu"
)
BINARY = (
    "add sub mul div pow maximum minimum equal not_equal less less_equal greater greater_equal "
    "logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor"
)
REDUCTIONS = "sum mean var std max min prod logsumexp norm any all"
MAKERS: dict[str, Callable[[Any, str], Call]] = {
    **dict.fromkeys(UNARY.split(), unary),
    **dict.fromkeys(BINARY.split(), binary),
    **dict.fromkeys(["bitwise_left_shift", "bitwise_right_shift"], shift),
    "leaky_relu": with_setting("leaky_relu", "negative_slope", st.sampled_from([0.01, 0, 2, -1, "a"])),
    "elu": with_setting("elu", "alpha", st.sampled_from([1, 0.5, 0, -1, math.inf])),
    "gelu by tanh": with_setting("gelu", "approximate", st.sampled_from(["tanh", "none", "erf"])),
    "where": where, "clip": clip, "cast": cast,
    **dict.fromkeys(REDUCTIONS.split(), reduction),
    **dict.fromkeys(["argmax", "argmin"], place),
    "cumsum": along("cumsum", st.none() | AXES),
    "reshape": reshape, "transpose": transpose, "swapaxes": swapaxes,
    "squeeze": along("squeeze"), "expand_dims": along("expand_dims"), "flip": along("flip"),
    "flatten": along("flatten", AXES), "unbind": along("unbind", AXES),
    "broadcast_to": to_shape("broadcast_to"), "sum_to": to_shape("sum_to"),
    **dict.fromkeys(["concatenate", "stack"], joined),
    "split": split, "pad": pad, "tile": tile, "repeat": repeat,
}  # fmt: skip


# --- what must hold ------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKERS)
@random_calls
@given(data=st.data())
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_a_random_call_gives_what_was_inferred_or_a_clear_error(name: str, data: st.DataObject) -> None:
    call = MAKERS[name](data.draw, name)
    results = tried(call.ours, call.arrays)
    if isinstance(results, DiptychError):
        assert refused(call), results
        for unknown in (False, True):  # may find out only when it runs
            described(call, unknown)
        return
    agrees_with_numpy(call, results)
    for unknown in (False, True):
        specs = described(call, unknown)
        if isinstance(specs, DiptychError):
            assert unknown and isinstance(specs, UnknownSizeError), specs
            continue
        assert [spec.dtype for spec in specs] == [y.dtype for y in results]
        for spec, y in zip(specs, results, strict=True):
            assert len(spec.shape) == y.ndim
            pairs = zip(spec.shape, y.shape, strict=True)
            assert all(isinstance(size, Dim) or size == n for size, n in pairs)
    has_gradients(call)


def tried(call: Callable[..., Any], xs: Sequence[Any]) -> Any:
    """The results as a list, or the error that we raise on purpose; any other goes through."""
    try:
        result = call(*xs)
    except DiptychError as error:
        return error
    return list(result) if isinstance(result, (tuple, list)) else [result]


def described(call: Call, unknown: bool) -> Any:
    """What a static call says beforehand of its results."""
    with static.Graph().as_default():
        xs = [static.placeholder(a.dtype, [None] * a.ndim if unknown else a.shape) for a in call.arrays]
        return tried(call.ours, xs)


def refused(call: Call) -> bool:
    """Whether NumPy, if it has such a call, raises an error too. (It takes axis 0 of what has no
    axes, and any setting where there are no elements.)"""
    if call.numpys is None or call.arrays[0].ndim == 0 or call.arrays[0].size == 0:
        return True
    try:
        return call.numpys(*call.arrays) is None
    except (ValueError, TypeError, OverflowError):
        return True


def agrees_with_numpy(call: Call, results: list[Any]) -> None:
    """In shape and dtype, and in values but for rounding; NumPy may refuse what we define."""
    for y in results:
        assert type(y) is np.ndarray
    try:
        expected = call.numpys(*call.arrays) if call.numpys is not None else None
    except (ValueError, TypeError):
        return
    if expected is not None:
        (y,) = results
        assert (y.shape, y.dtype) == (np.shape(expected), expected.dtype)
        rtol = 1e-5 if y.dtype == np.float32 else 1e-12
        np.testing.assert_allclose(y, expected, rtol=rtol, atol=rtol)


def has_gradients(call: Call) -> None:
    """Of the arguments' shapes and dtypes, wherever results and arguments are floats. Tensors are in C
    order, on which the bits of what is reduced depend."""
    results = tried(call.ours, [np.asarray(a, order="C") for a in call.arrays])
    xs = [dynamic.tensor(a, requires_grad=a.dtype.kind == "f") for a in call.arrays]
    ys = tried(call.ours, xs)
    for y, want in zip(ys, results, strict=True):
        np.testing.assert_array_equal(y.numpy(), want)
    live = [y for y in ys if y.requires_grad]
    floats = [x for x in xs if x.requires_grad]
    if live and floats:
        cotangents = [np.ones(y.shape, y.dtype) for y in live]
        for x, g in zip(floats, dynamic.grad(live, floats, cotangents, allow_unused=True), strict=True):
            assert g is None or (g.shape, g.dtype) == (x.shape, x.dtype)
