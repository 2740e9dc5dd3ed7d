"""Every pattern of the optimiser, and every rule without one, is held against `dynamic` on awkward numbers.

What stands in the tables is tried as it stands there, so a new line is under these laws at once: negative
numbers, both zeros, infinities, NaN, subnormals, the largest, in every dtype that the ops take. A pattern
that keeps answers gives those of `dynamic`; one that changes them gives those of mpmath.
"""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import mpmath
import numpy as np
import pytest

import dynamic
import static
from shared.errors import DiptychError
from shared.op import TABLE
from static.compile.passes import simplify, stabilize
from static.compile.passes.patterns import Pattern

pytestmark = pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")

DTYPES = ("bool", "int8", "int32", "int64", "uint8", "uint64", "float16", "float32", "float64", "complex64",
          "complex128")  # fmt: skip
MIXED = [("float32", "float64"), ("uint8", "float64"), ("int16", "uint8"), ("float16", "int8"),
         ("int32", "complex64")]  # fmt: skip
"""Dtypes of x and y that are not the same."""
REST = ["fold", "hoist", "gather_scans", "convolve", "winograd", "normalize", "columns", "rows", "gather",
        "pack", "fuse", "plan"]  # fmt: skip


def awkward(dtype: str) -> Any:
    """The numbers of a dtype with which something is the matter."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return np.array([False, True])
    if kind.kind in "iu":
        info = np.iinfo(kind)
        some = {info.min, max(info.min, -3), 0, 1, 2, 7, info.max - 1, info.max}
        return np.array([kind.type(n) for n in sorted(some)])
    if kind.kind == "c":
        real = [0.0, -0.0, 1.5, -2.0, 3e-5, np.inf]
        return np.array([complex(a, b) for a in real for b in real[:5]], kind)
    info = np.finfo(kind)
    some = [0.0, 1.0, 0.5, 2.5, 7.0, 20.0, 90.0, 750.0, 1e-3, float(info.eps) / 4, float(info.tiny) * 0.75]
    more = [float(info.smallest_subnormal), float(info.tiny), float(info.max), float(info.max) / 3, np.inf]
    return np.array([*some, *more, *(-a for a in (*some, *more)), np.nan], kind)


class Tried:
    """A pattern as a call on arrays of either engine.

    names   what stands for arrays in it
    called  the ops that it calls by name
    """

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern
        tree = ast.parse(pattern.old, mode="eval")
        calls = [part for part in ast.walk(tree) if isinstance(part, ast.Call)]
        inside = [word.value for call in calls for word in call.keywords]
        settings = {part.id for value in inside for part in ast.walk(value) if isinstance(part, ast.Name)}
        self.called = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
        names = {part.id for part in ast.walk(tree) if isinstance(part, ast.Name)}
        self.names = sorted(names - self.called - settings)

    def given(self) -> dict[str, Any]:
        """Values for the settings: they fit 30 rows of 3."""
        if "shape=a" not in self.pattern.old:
            return {"a": (1,) if "axis=a, keep" in self.pattern.old else 1, "k": True}
        if "reshape" in self.called:
            return {"a": (90, 1), "b": (3, 30)}
        return {"a": (1, 3), "b": (3,)} if "sum_to" in self.called else {"a": (4, 30, 3), "b": (2, 4, 30, 3)}

    def arrays(self, dtypes: Any) -> list[Any]:
        """For each name an array; of two names all pairs, of one that is reduced rows of three."""
        numbers = [awkward(dtype) for dtype in dtypes]
        if len(self.names) == 2:
            return [np.ascontiguousarray(a) for a in np.broadcast_arrays(numbers[0][:, None], numbers[1])]
        some = numbers[0]
        if self.called & {"exp", "softmax", "sigmoid", "sum_to"} and some.dtype.kind in "iuf":
            some = some[(np.abs(some.astype(float)) < 1000) | np.isinf(some)]
        if some.dtype.kind == "f" and ("/" in self.pattern.old or "softmax" in self.called):
            some = some[~np.isposinf(some)]  # infinity by infinity: NaN in one place, or in all of its row
        if self.called & {"softmax", "sum", "sum_to", "reshape", "broadcast_to"}:
            rows = np.random.default_rng(3).integers(0, some.size, (30, 3))
            return [some[rows]]
        return [some]

    def __call__(self, arrays: Any, scope: Any = TABLE) -> Any:
        given = dict(zip(self.names, arrays, strict=True))
        return eval(self.pattern.old, {"__builtins__": {}}, {**scope, **given, **self.given()})


TRIED = [Tried(pattern) for pattern in (*simplify.PATTERNS, *stabilize.PATTERNS, *stabilize.LAST)]


def on_static(tried: Tried, arrays: Any, without: Any) -> tuple[Any, str]:
    """What `fast` gives for the old side, and what it tells."""
    with static.Graph().as_default():
        xs = [static.placeholder(a.dtype, a.shape) for a in arrays]
        y = tried(xs)
        with static.Session(optimize="fast", without=without) as session:
            return session.run(y, dict(zip(xs, arrays, strict=True))), session.explain(y)


def same(got: Any, want: Any, ulps: float, about: str) -> None:
    """Alike but for rounding, also the tiniest; infinities, NaN and the signs of zeros as they are."""
    assert got.dtype == want.dtype and got.shape == want.shape, about
    if got.dtype.kind not in "fc":
        np.testing.assert_array_equal(got, want, err_msg=about)
        return
    info = np.finfo(got.dtype)
    least = ulps * float(info.smallest_subnormal)
    np.testing.assert_allclose(got, want, ulps * info.eps, least, err_msg=about)
    if got.dtype.kind == "f":
        zero = (want == 0) & (got == 0)
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]), err_msg=f"{about}: -0")


def exactly(tried: Tried, arrays: Any) -> Any:
    """What the old side is, with as many digits as it takes."""
    with mpmath.workprec(3000):
        numbers = [each(lambda x: mpmath.mpf(float(x)))(a) for a in arrays]
        y = tried(numbers, MEANING)
        return each(lambda v: math.nan if isinstance(v, mpmath.mpc) else float(v))(y).astype(float)


def each(call: Any) -> Any:
    return np.vectorize(call, otypes=[object])


def _total(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims)


MEANING: dict[str, Any] = {
    "exp": each(mpmath.exp), "sqrt": each(mpmath.sqrt),
    "log": each(lambda x: mpmath.log(x) if x else -mpmath.inf),
    "log1p": each(lambda x: mpmath.log(1 + x) if x != -1 else -mpmath.inf), "square": each(lambda x: x * x),
    "sigmoid": each(lambda x: 1 / (1 + mpmath.exp(-x))), "reciprocal": each(lambda x: 1 / x), "sum": _total,
    "softmax": lambda x, axis: each(mpmath.exp)(x) / np.sum(each(mpmath.exp)(x), axis=axis, keepdims=True),
}  # fmt: skip
"""What ops mean, in mpmath's numbers."""


@pytest.mark.parametrize("tried", TRIED, ids=lambda tried: tried.pattern.old)
def test_a_pattern_gives_what_it_replaces(tried: Tried) -> None:
    fired = []
    for dtypes in [(dtype,) * len(tried.names) for dtype in DTYPES] + MIXED * (len(tried.names) == 2):
        arrays = tried.arrays(dtypes)
        try:
            want = tried([dynamic.tensor(a) for a in arrays]).numpy()
        except (DiptychError, TypeError):  # an op refuses this dtype
            continue
        for without in (REST, ["plan"]):
            got, told = on_static(tried, arrays, without)
            done = f"{tried.pattern.old} to {tried.pattern.new}: " in told
            about = f"{tried.pattern.old} of {dtypes}, without {without}"
            if tried.pattern.changes and dtypes[0] in ("float16", "float32", "float64"):
                better = exactly(tried, arrays).astype(want.dtype)
                info = np.finfo(want.dtype)
                least = 4 * float(info.eps) if tried.called & {"sum", "softmax"} else float(info.tiny)
                np.testing.assert_allclose(got, better, 64 * info.eps, least, err_msg=about)
            else:
                same(got, want, 64 if tried.pattern.changes else 4, about)
        fired += [np.dtype(dtype).kind for dtype in dtypes] if done else []
    assert "f" in fired, "it was never used"


ONE = re.compile(r"\{(?!0\})")
"""What a scalar form has in it that is not of one argument alone."""
CALLS: dict[str, Any] = {
    op.name: op for op in TABLE.values() if op.scalar is not None and op.single and not ONE.search(op.scalar)
}
CALLS |= {
    text: eval(f"lambda x: {text}")
    for text in (
        "x * 1", "x * -1", "x / 1", "x + 0", "x + 0.0", "x - 0", "x - 0.0", "0 - x", "x * 0", "x ** 1",
        "x ** 2", "x ** 3", "x ** 0", "x ** 0.5", "x ** -1", "x / 2", "x * 0.5", "1 / x", "1 - x", "x - x",
        "x / x", "x + x", "x + (-x)", "x - (-x)", "(-x) * (-x)", "(-x) / (-x)", "x * x",
    )
}  # fmt: skip
"""Ops of one argument, and arithmetic with numbers, for which there may be a shorter form."""


@pytest.mark.parametrize("dtype", ["bool", "int32", "uint8", "float16", "float32", "float64", "complex64"])
def test_any_two_ops_one_after_the_other_give_what_dynamic_gives(dtype: str) -> None:
    """Whether or not there is a rule for the pair: also an op twice, which is rarely the op once."""
    array = awkward(dtype)
    x = static.placeholder(array.dtype, array.shape)
    wanted, fetches, about = [], [], []
    for first, one in CALLS.items():
        try:
            inner, outer = one(dynamic.tensor(array)), one(x)
        except (DiptychError, TypeError):
            continue
        for second, other in CALLS.items():
            try:
                wanted.append(other(inner).numpy())
            except (DiptychError, TypeError):
                continue
            fetches.append(other(outer))
            about.append(f"{second} of {first} of {dtype}")
    with static.Session(optimize="fast", without=["stabilize", "fuse", "plan"]) as session:
        for got, want, what in zip(session.run(fetches, {x: array}), wanted, about, strict=True):
            same(got, want, 4, what)
