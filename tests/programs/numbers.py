"""Programs of one or two ops at the edges of what a dtype holds: formulas, sums, promotion.

`edge` holds an op in float16 and float32 against the same op in float64; `long` holds sums
of many terms against float64; `stable` holds losses that are written by hand, at `fast`, against ops that
keep their digits; `promoted` holds mixed dtypes against NumPy. The engines and levels are all tried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dynamic
import static
from shared import ops
from shared.errors import DiptychError, DTypeError
from tests.programs.choices import Choices
from tests.programs.program import Fault, Program

LEVELS = ("exact", "fast")


def everywhere(fn: Callable[..., Any], *arrays: Any, slope: bool = False) -> dict[str, list[Any]]:
    """[y], or [y, the gradient of sum(y) by the first array], on each engine and level."""
    xs = [dynamic.tensor(a, requires_grad=slope and k == 0) for k, a in enumerate(arrays)]
    y = fn(*xs)
    made = [y, dynamic.grad(ops.sum(y), xs[0])] if slope else [y]
    found = {"dynamic": [v.detach().numpy() for v in made]}
    with static.Graph().as_default():
        ps = [static.placeholder(a.dtype, (None,) * a.ndim) for a in arrays]
        y = fn(*ps)
        fetches = [y, *static.gradients(ops.sum(y), [ps[0]])] if slope else [y]
        for level in LEVELS:
            with static.Session(optimize=level) as session:
                found[level] = session.run(fetches, dict(zip(ps, arrays, strict=True)))
    return found


def edge(fn: Callable[..., Any], points: list[float], dtype: str, reduces: bool = False) -> None:
    """Raise Fault if a value or a slope keeps fewer digits than its dtype and its condition allow. What
    `reduces` is a sum of terms of both signs, and is held to the size of these."""
    with np.errstate(all="ignore"):
        x = np.array(points).astype(dtype)
    eps, tiny = np.finfo(dtype).eps, np.finfo(dtype).tiny
    x = x[np.isfinite(x)]
    twin = _twin(fn, x.astype("float64"))
    near = [_twin(fn, x.astype("float64") * (1 + sign * eps)) for sign in (1, -1)]
    for where, made in everywhere(fn, x, slope=True).items():
        for k, (name, y) in enumerate(zip(("value", "slope"), made, strict=True)):
            want = twin[k]
            with np.errstate(over="ignore"):
                rounded = want.astype(dtype)
            moved = np.maximum(np.abs(near[0][k] - want), np.abs(near[1][k] - want))
            allowed = 64 * eps * np.abs(want) + 4 * moved + (64 if dtype == "float16" else 1) * tiny
            if reduces:
                # A slope is a difference of terms of the size of value / x.
                terms = float(np.max(np.abs(twin[0]))) / max(float(np.min(np.abs(x))), tiny) if k else 0.0
                allowed = allowed + 64 * eps * max(1.0 if k else 0.0, terms, float(np.max(np.abs(want))))
            bad = ~(np.abs(y.astype("float64") - want) <= allowed) & np.isfinite(rounded)
            if bad.any():
                at = np.unravel_index(int(np.argmax(bad)), bad.shape)
                raise Fault(f"{where} {dtype} and float64", f"{name} at {x} is {y[at]!r}, and {want[at]!r}")


def _twin(fn: Callable[..., Any], x: Any) -> list[Any]:
    t = dynamic.tensor(x, requires_grad=True)
    y = fn(t)
    return [y.detach().numpy(), dynamic.grad(ops.sum(y), t).numpy()]


def long(
    fn: Callable[..., Any], shape: tuple[int, ...], value: float, terms: int, slope: bool = False
) -> None:
    """Raise Fault if a sum of `terms` numbers of one sign is off by more than 4 eps log2(terms)."""
    x = np.full(shape, value, "float32")
    x += np.linspace(0, value / 10, shape[0], dtype="float32").reshape(-1, *[1] * (len(shape) - 1))
    allowed = 4 * np.finfo("float32").eps * max(np.log2(terms), 1)
    want = _twin(fn, x.astype("float64"))[slope]
    for where, made in everywhere(fn, x, slope=slope).items():
        y = made[slope]
        off = np.abs(y.astype("float64") - want) / np.maximum(np.abs(want), 1e-30)
        if not (off <= allowed).all():
            raise Fault(
                f"{where} float32 and float64",
                f"{y.ravel()[:3]}, and {want.ravel()[:3]}: off by {off.max():.1e}, {allowed:.1e} allowed",
            )


def stable(
    written: Callable[..., Any], meant: Callable[..., Any], scale: float, constant: bool = False,
    slopes: bool = True,
) -> None:  # fmt: skip
    """Raise Fault if `fast` loses what is `written` as one writes it by hand, on large numbers, where
    `meant` (the same in ops that keep their digits, on `dynamic`) does not. slopes: also in its gradient; one
    of 200 that go through a chain of things is NaN, as it is at `exact`."""
    x = np.random.default_rng(1).standard_normal((4, 3)) * scale
    (want,) = everywhere(meant, x)["dynamic"]
    slope = everywhere(meant, x, slope=True)["dynamic"][1]
    with static.Graph().as_default(), static.Session(optimize="fast") as session, np.errstate(all="ignore"):
        p = static.constant(x) if constant else static.placeholder("float64", (None, 3))
        y = written(p)
        fetches = [y] if constant or not slopes else [y, *static.gradients(ops.sum(y), [p])]
        made = session.run(fetches, {} if constant else {p: x})
    for name, a, b in zip(("value", "slope"), made, (want, slope), strict=False):
        if not np.allclose(a, b, rtol=1e-9, atol=1e-12):
            raise Fault("fast and what is meant", f"{name} is {a.ravel()[:4]}, and {b.ravel()[:4]}")


def promoted(fn: Callable[..., Any], *arrays: Any, meant: Any = None, weak: bool = False) -> None:
    """Raise Fault if dtype or values are not NumPy's for `meant` (`fn` itself, but that a np.float64 is
    a Python float to us); `weak`: where a Python float meets no floating array the result is float32,
    which NumPy would make float64."""
    try:
        want = np.asarray((meant or fn)(*arrays))
    except (TypeError, OverflowError):
        want = None
    if weak and want is not None and want.dtype == "float64":
        want = want.astype("float32")
    try:
        found = everywhere(fn, *arrays)
    except (DTypeError, TypeError, OverflowError) as error:
        if want is not None and isinstance(error, DiptychError) and "uint" not in str(error):
            raise Fault("refused, and NumPy takes it", str(error)) from error
        return
    if want is None:
        raise Fault("taken, and NumPy refuses it", repr(found["dynamic"][0]))
    for where, (y,) in found.items():
        if y.dtype != want.dtype:
            raise Fault(f"{where} and NumPy", f"dtype {y.dtype}, and {want.dtype}")
        if not np.allclose(y, want, rtol=1e-3 if want.dtype == "float16" else 1e-6, equal_nan=True):
            raise Fault(f"{where} and NumPy", f"{y.tolist()}, and {want.tolist()}")


# --- the grammar ---------------------------------------------------------------------------

POINTWISE = (
    "gelu(x)", 'gelu(x, approximate="tanh")', "elu(x)", "expm1(x)", "silu(x)", "softplus(x)",
    "log_sigmoid(x)", "sigmoid(x)", "tanh(x)", "erf(x)", "normal_cdf(x)", "log1p(ops.abs(x))", "exp(x)",
    "erfc(x)", "log(ops.abs(x))",
    "sqrt(ops.abs(x))", "rsqrt(ops.abs(x))", "reciprocal(x)", "square(x)", "leaky_relu(x)", "sin(x)",
    "cos(x)", "huber_loss(x, 0.0)", "mse_loss(x, 0.0)",
    "binary_cross_entropy_with_logits(x, 1.0)",
)  # fmt: skip
REDUCING = (
    "norm(x)", "norm(x, axis=0)", "std(x, 0)", "var(x, 0)", "mean(x)", "logsumexp(x)", "softmax(x, axis=0)",
    "log_softmax(x, axis=0)", "layer_norm(ops.expand_dims(x, 0), x.shape)[0]",
    "cosine_similarity(x, x * 2, 0)", "norm(x, 3)", "sum(x)",
)  # fmt: skip
POINTS = (
    "[-6.0]", "[-20.0, 3.0]", "[130.0, -130.0]", "[300.0, 200.0, -250.0]", "[-5.5, -9.0, 12.0]",
    "[0.5, -0.5, 2.0]", "[-30.0, 30.0]", "[1e30, -1e30, 2e30]", "[1e-20, 3e-20]", "[-88.0, 88.0]",
    "[60000.0, -50000.0]", "[1e-7, -1e-7]", "[1e-4, 2e-4, 1e-3]",
)  # fmt: skip
LONG = (
    ("ops.sum(x, axis=0)", False), ("ops.mean(x, axis=0)", False), ("ops.sum(x)", False),
    ("ops.linear(ops.zeros((x.shape[0], 1), like=x), ops.zeros((2, 1), like=x)) + ops.sum(x, axis=0)", False),
    ("ops.sum(x * 1.0, axis=0, keepdims=True)", False), ("ops.mean(x)", False),
    ("ops.mean(ops.exp(x), axis=0)", False),
    ("ops.sum(ops.transpose(x), axis=1)", False), ("ops.sum_to(x, (2,))", False),
)  # fmt: skip
ARRAYS = (
    'np.array([6, 3, 200], "uint8")', "np.array([6, 3, -5])", 'np.array([2**30, 3], "int32")',
    'np.array([60000.0, 2.0], "float16")', 'np.array([1.5, -2.0], "float32")', "np.array([1.5, -2.0])",
    "np.array([True, False, True])", 'np.array([100, -3], "int8")', "np.array(3)", 'np.array(2.5, "float32")',
)  # fmt: skip
SCALARS = (
    "2", "0.5", "True", "np.int64(4)", "np.float32(2)", "np.float64(0.5)", "np.uint8(200)", "np.int32(7)",
    "np.float16(2)", "np.bool_(True)", "-1",
)  # fmt: skip
FORMS = ("a * {s}", "a + {s}", "{s} - a", "{s} * a", "a + a * {s}", "a * a + {s}", "{s} + a * a")
BITS = ("a & {b}", "a | {b}", "{b} ^ a", "~a", "a & a", "a | (a + 1)", "~(a & {b})")
MASKS = (
    ("x * ops.where(x > 0, 1.0, 0.0)", "x * (x > 0)"),
    ("ops.where(x > 0, 2.5, 0.5) + x", "x + (x > 0) * np.float32(2) + np.float32(0.5)"),
    ("x + (x > 0) * 0.5", "x + (x > 0) * np.float32(0.5)"),
    ("ops.sum(x * (x > 0))", "np.sum(x * (x > 0))"),
)


BY_HAND = (
    ("ops.log(ops.softmax(x, axis=1))", "ops.log_softmax(x, axis=1)"),
    ("-ops.log(ops.softmax(x, axis=1)[:, 0])", "-ops.log_softmax(x, axis=1)[:, 0]"),
    ("-ops.log(ops.softmax(x, axis=1))[:, 1]", "-ops.log_softmax(x, axis=1)[:, 1]"),
    ("ops.mean(-ops.log(ops.softmax(x, axis=1)[:, 1:]))", "ops.mean(-ops.log_softmax(x, axis=1)[:, 1:])"),
    ("-ops.log(ops.gather(ops.softmax(x, axis=1), [[0], [2], [1], [0]], axis=1))",
     "-ops.gather(ops.log_softmax(x, axis=1), [[0], [2], [1], [0]], axis=1)"),
    ("ops.log(ops.sum(ops.exp(x), axis=1))", "ops.logsumexp(x, axis=1)"),
    ("ops.log(1 + ops.exp(x))", "ops.softplus(x)"),
    ("-ops.log(ops.sigmoid(x))", "-ops.log_sigmoid(x)"),
    ("ops.log(ops.transpose(ops.softmax(x, axis=1)))", "ops.transpose(ops.log_softmax(x, axis=1))"),
    ("-ops.log(ops.softmax(x, axis=1)[[0, 1, 2, 3], [2, 0, 1, 1]])",
     "-ops.log_softmax(x, axis=1)[[0, 1, 2, 3], [2, 0, 1, 1]]"),
    ("ops.log(ops.reshape(ops.softmax(x, axis=1), (-1,)))", "ops.reshape(ops.log_softmax(x, axis=1), (-1,))"),
)  # fmt: skip


CARRIED = (
    ("ops.flip({}, 1)",) * 2, ("ops.roll({}, 1, 1)",) * 2, ("ops.roll({}, (1, 2), (0, 1))",) * 2,
    ("ops.sort({}, axis=1)",) * 2, ("ops.sort({}, axis=0, descending=True)",) * 2,
    ("ops.topk({}, 3, axis=1)[0]",) * 2, ("ops.cummin({}, 1)[0]",) * 2, ("ops.cummax({}, 0)[0]",) * 2,
    ("ops.minimum({0}, ops.flip({0}, 1))",) * 2, ("ops.maximum({0}, ops.roll({0}, 1, 0))",) * 2,
    ("ops.where(x > 0, {0}, ops.flip({0}, 0))",) * 2, ("ops.concatenate([{0}[2:], {0}[:2]], 0)",) * 2,
    ("ops.reshape(ops.transpose({}), (-1, 3))",) * 2,
    ("ops.gather({}, [[0], [2], [1], [0]], axis=1)[:, [0, 0, 0]]",) * 2,
    ("ops.relu({})", "{}"), ("ops.clip({}, 0, 1)", "ops.minimum({}, 0.0)"), ("ops.square({})", "2 * {}"),
    ("ops.sqrt({})", "0.5 * {}"), ("{} * 3", "{} + 1.0986122886681098"),
    ("ops.minimum({}, 0.5)", "ops.minimum({}, -0.6931471805599453)"),
)  # fmt: skip
"""What may be done to probabilities, and to their logarithms in its place."""
LAST = (
    "{}", "{}[:, 0]", "ops.min({}, axis=1)", "ops.max({}, axis=0)", "ops.median({}, axis=1)",
    "ops.kthvalue({}, 2, axis=0)[0]", "ops.min_with_indices({}, 1)[0]", "ops.max_with_indices({}, 0)[0]",
    "ops.split({}, [1, 2], 1)[1]",
)  # fmt: skip
"""And in the end, to either."""


def _carried(choices: Choices) -> tuple[str, str, bool]:
    """A logarithm that is to be carried through several things, and whether these are few."""
    of = choices.pick(("softmax", "sigmoid"))
    written, meant = (f"ops.{name}(x{', axis=1' if of == 'softmax' else ''})" for name in (of, f"log_{of}"))
    many = choices.below(3)
    for _ in range(1 + many):
        p, log = choices.pick(CARRIED)
        written, meant = (f"({text.format(inside)})" for text, inside in ((p, written), (log, meant)))
    last = choices.pick(LAST)
    return f"ops.log({last.format(written)})", last.format(meant), not many


def write_stable(choices: Choices, closed: frozenset[str] = frozenset()) -> Program:
    """A loss by hand, or a logarithm that is taken late."""
    if choices.often(3) and "D17" not in closed:
        written, meant, slopes = _carried(choices)
    else:
        written, meant = choices.pick(BY_HAND[:1] if "D17" in closed else BY_HAND)
        slopes = True
    scale = choices.pick((400.0, 1000.0, 1.0))
    constant = choices.below(3) == 2 and "D17" not in closed
    source = (
        "from shared import ops\nfrom tests.programs.numbers import stable\n\n"
        f"stable(\n    lambda x: {written},\n    lambda x: {meant},\n    scale={scale}, "
        f"constant={constant}, slopes={slopes},\n)\n"
    )
    return Program("stable", source, frozenset({"D17"}))


def write_edge(choices: Choices, closed: frozenset[str] = frozenset()) -> Program:
    """One op, some points."""
    text = choices.pick(POINTWISE + REDUCING)
    dtype = choices.pick(("float32", "float16") if "D16" not in closed else ("float32",))
    item = "D16" if dtype == "float16" else "D15"
    far = len(POINTS) if dtype != "float16" else 7
    points = choices.pick(POINTS[:far] if "D15" not in closed else POINTS[5:6])
    source = (
        f"from shared import ops\nfrom tests.programs.numbers import edge\n\n"
        f"edge(lambda x: ops.{text}, {points}, "
        f'"{dtype}"{", reduces=True" if text in REDUCING else ""})\n'
    )
    return Program("edge", source, frozenset({item}))


def write_long(choices: Choices, closed: frozenset[str] = frozenset()) -> Program:
    """A sum of many terms."""
    count = choices.pick((1000, 100_000, 1_000_000)) if "D14" not in closed else 100
    if choices.below(4) == 3:
        text, shape, terms, slope = (
            "ops.linear(ops.ones((N, 1), like=x), ops.ones((2, 1), like=x), x[0])",
            (1, 2),
            count,
            True,
        )
        text = text.replace("N", str(count))
    else:
        (text, slope), shape = choices.pick(LONG), (count, 2)
        terms = count * 2
    source = (
        "from shared import ops\nfrom tests.programs.numbers import long\n\n"
        f"long(lambda x: {text}, {shape}, {choices.pick((0.1, 1.1, 3e-5))}, terms={terms}, slope={slope})\n"
    )
    return Program("long", source, frozenset({"D14"}))


def write_promoted(choices: Choices, closed: frozenset[str] = frozenset()) -> Program:
    """An expression of arrays, Python numbers and NumPy scalars."""
    array = choices.pick(ARRAYS)
    kind = choices.below(5)
    head = "import numpy as np\nfrom shared import ops\nfrom tests.programs.numbers import promoted\n\n"
    if kind == 4 and "C11" not in closed:
        text = choices.pick(BITS).format(b=choices.pick(("3", "1", "np.uint8(5)", "np.int64(12)", "True")))
        return Program("promoted", f"{head}promoted(lambda a: {text}, {array})\n", frozenset({"C11"}))
    if kind == 3 and "D18" not in closed:
        text, meant = choices.pick(MASKS)
        return Program(
            "promoted",
            f'{head}x = np.array([1.5, -2.0], "float32")\n'
            f"promoted(lambda x: {text}, x, meant=lambda x: {meant})\n",
            frozenset({"D18"}),
        )
    scalar = choices.pick(SCALARS if "D18" not in closed else ("2", "-1"))
    text = choices.pick(FORMS).format(s=scalar)
    meant = text.replace(scalar, "0.5") if scalar == "np.float64(0.5)" else text
    weak = scalar in ("0.5", "np.float64(0.5)") and "." not in array.replace("np.", "")
    if weak and meant == "a + a * 0.5":  # an integer array, and the float32 one that the product is
        meant, weak = 'a + (a * 0.5).astype("float32")', False
    more = (f", meant=lambda a: {meant}" if meant != text else "") + (", weak=True" if weak else "")
    return Program("promoted", f"{head}promoted(lambda a: {text}, {array}{more})\n", frozenset({"D18"}))
