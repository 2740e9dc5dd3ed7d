"""Runs a program of ops on every engine and holds the results against each other.

`agree(program, x=(array, shape), ...)` is what the printed programs call. It computes

    ys = program(ops, *inputs)
    L  = sum of sin(y) over the floating ys,   g = dL/dx,   h = d(sum of g * ramp)/dx

on `dynamic`, on `static` with known sizes, with the named sizes of `shape`, and with sizes of which
nothing is known, at both levels, from an archive, and with PyTorch where it is installed.
"""

from __future__ import annotations

import importlib.util
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import dynamic
import static
from shared.errors import SettingError, ShapeError, UnknownSizeError
from shared.watch.hooks import Event, Hook, watching
from tests.programs.composed import normal, whole
from tests.programs.program import Fault
from tests.programs.words import DYNAMIC, STATIC, is_float

if importlib.util.find_spec("torch") is None:
    torch = None
else:  # here, not in the first program that asks: a program has a limit of time
    import torch

    from tests.programs.torch_words import TORCH

__all__ = ["agree", "normal", "whole"]
CONTROL = re.compile(r"(.*/)?(cond|scan|while_loop|while|map_fn)(_\d+)?$")
MEASURED = re.compile(r"the size .*\bn\d+")
"""What is said of a size that only a run can know, such as of what a mask picks, whatever inputs say."""
Results = list[tuple[str, Any]]
SKIPPED: Counter[str] = Counter()
"""What was not compared, and why: unknown sizes that a call refuses, words that PyTorch has not."""


def agree(
    program: Callable[..., Any],
    order: int = 2,
    sizes: Sequence[str] = ("known", "named", "unknown"),
    **inputs: tuple[Any, Sequence[Any]],
) -> None:
    """Raise Fault if two runs of the program differ."""
    arrays = [np.asarray(array) for array, _ in inputs.values()]
    want = on_dynamic(program, arrays, order)
    twin = Twin(program, arrays, order, want)
    for got in decorated(program, arrays, order):
        equal("decorated and undecorated", got, want, twin)
    for told in sizes:
        shapes = [
            _shape(shape, array, told) for array, (_, shape) in zip(arrays, inputs.values(), strict=True)
        ]
        try:
            built = Built(program, arrays, shapes, order)
        except (UnknownSizeError, ShapeError, SettingError) as error:
            if told == "known" and not MEASURED.search(str(error)):
                raise
            SKIPPED[f"{told} sizes refused: {_first_words(error)}"] += 1
            continue
        exact = built.run("exact")
        slopes = "slope" in program.__code__.co_names  # then values are derivatives, too
        equal(f"exact with {told} sizes and dynamic", exact, want, twin, built.loops, told != "known", slopes)
        if told != "named":
            close(f"fast with {told} sizes and dynamic", built.run("fast"), want, twin, built)
        else:
            fast = built.run("fast")
            equal("an archive and its graph", built.from_archive(), fast, twin)
    with_torch(program, arrays, order, want, twin)


def _shape(shape: Sequence[Any], array: Any, sizes: str) -> Any:
    if sizes == "known":
        return array.shape
    return tuple(shape) if sizes == "named" else (None,) * array.ndim


def differentiate(
    words: Any, sum_: Callable[[list[Any]], Any], ys: list[Any], xs: list[Any], order: int
) -> Results:
    """The values and derivatives of a program, on any engine, each with its name."""
    found: Results = [(f"value {k}", y) for k, y in enumerate(ys)]
    floats = [(k, x) for k, x in enumerate(xs) if is_float(x)]
    terms = [words.sum(words.sin(y)) for y in ys if is_float(y)]
    if order < 1 or not floats or not terms:
        return found
    first = words.grad(sum_(terms), [x for _, x in floats])
    found += [(f"gradient by input {k}", g) for (k, _), g in zip(floats, first, strict=True)]
    terms = [
        words.sum(g * (0.5 + 0.25 * words.cos(x)))
        for (_, x), g in zip(floats, first, strict=True)
        if g is not None
    ]
    if order > 1 and terms:
        second = words.grad(sum_(terms), [x for _, x in floats])
        found += [(f"second derivative by input {k}", g) for (k, _), g in zip(floats, second, strict=True)]
    return found


def _sum(terms: list[Any]) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _listed(made: Any) -> list[Any]:
    return list(made) if isinstance(made, (tuple, list)) else [made]


def on_dynamic(program: Callable[..., Any], arrays: Sequence[Any], order: int) -> Results:
    xs = [dynamic.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    found = differentiate(DYNAMIC, _sum, _listed(program(DYNAMIC, *xs)), xs, order)
    return [(name, None if v is None else v.detach().numpy()) for name, v in found]


def decorated(program: Callable[..., Any], arrays: Sequence[Any], order: int) -> list[Results]:
    """What calls of the program as a `dynamic.function` give: recorded, compiled, matched."""
    fn = dynamic.function(lambda: on_dynamic(program, arrays, order), at_once=True)
    fn.plain = 0
    return [fn() for _ in range(3)]


class Built:
    """The program as a graph."""

    def __init__(
        self, program: Callable[..., Any], arrays: Sequence[Any], shapes: Sequence[Any], order: int
    ) -> None:
        self.graph = static.Graph()
        with self.graph.as_default():
            xs = [
                static.placeholder(a.dtype, s, f"x{k}")
                for k, (a, s) in enumerate(zip(arrays, shapes, strict=True))
            ]
            made = [STATIC.as_tensor(y) for y in _listed(program(STATIC, *xs))]
            self.found = differentiate(STATIC, _sum, made, xs, order)
        self.loops = any(CONTROL.match(node.name) for node in self.graph.get_operations())
        self.feeds = dict(zip(xs, arrays, strict=True))
        self.fetches = [v for _, v in self.found if v is not None]

    def run(self, level: str, without: Sequence[str] = ()) -> Results:
        with static.Session(self.graph, level, without) as session:
            return self._named(session.run(self.fetches, self.feeds))

    def from_archive(self) -> Results:
        """Through a file."""
        names = {f"y{k}": v for k, v in enumerate(self.fetches)}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "program.diptych"
            self.graph.save(path, names)
            loaded = static.load(path)
        made = loaded({x.node.name: a for x, a in self.feeds.items() if x.node.name in loaded.signature})
        return self._named([made[name] for name in names])

    def _named(self, values: Sequence[Any]) -> Results:
        rest = iter(values)
        return [(name, None if v is None else np.asarray(next(rest))) for name, v in self.found]


class Single(Hook):
    """Whether an op has given something in single precision, or in less."""

    any = False

    def after(self, event: Event) -> None:
        self.any |= any(getattr(y, "dtype", None) in (np.float32, np.float16) for y in event.outputs)


class Twin:
    """The program once more in the other floating dtype, float32 or float64: what rounding does to
    each result, seen when two results differ. Where the twins are far apart (a floor, a branch, a
    difference of equals that is divided by), a difference tells nothing."""

    def __init__(self, program: Callable[..., Any], arrays: Sequence[Any], order: int, want: Results) -> None:
        wide = any(a.dtype == "float64" for a in arrays)
        other = [a.astype("float32" if wide else "float64") if a.dtype.kind == "f" else a for a in arrays]
        self._run = lambda: on_dynamic(program, other, order)
        self._again = lambda: on_dynamic(program, arrays, order)
        self.want, self.wide = want, wide
        self.made: Results | None = None

    @cached_property
    def floor(self) -> float:
        """What numbers about 1 that cancel may be off by: of single precision, if any of it is computed in
        that, as what is made of integers is."""
        with watching(seen := Single()):
            self._again()
        return 1e-9 if self.wide and not seen.any else 4e-7

    def allowed(self, at: int) -> float:
        """How far a result may lie off."""
        if self.made is None:
            try:
                self.made = self._run()
            except Exception:
                self.made = []
        if at >= len(self.made):
            return np.inf
        (_, here), (_, there) = self.want[at], self.made[at]
        if here is None or there is None:
            return 0.0
        if here.shape != there.shape:
            return np.inf
        apart = distance(here, there)
        scale = largest(here)
        if not apart <= 1e-3 * max(scale, 1e-3):
            return np.inf
        return 1e-8 * scale + apart * 1e-4 if self.wide else 1e-4 * scale + 10 * apart


def distance(a: Any, b: Any) -> float:
    """The largest difference of two arrays; infinite where only one is finite."""
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    away = np.where(same, 0.0, np.abs(a - b))
    return float(np.max(np.where(np.isnan(away), np.inf, away), initial=0.0))


def largest(a: Any) -> float:
    finite = np.abs(np.asarray(a, "float64"))
    return float(np.max(finite[np.isfinite(finite)], initial=0.0))


def _paired(what: str, got: Results, want: Results) -> list[tuple[str, Any, Any]]:
    """The results side by side, zeros where one side has no gradient; shapes and dtypes compared."""
    pairs = []
    for (name, a), (_, b) in zip(got, want, strict=False):
        a = np.zeros_like(b) if a is None and b is not None else a
        b = np.zeros_like(a) if b is None and a is not None else b
        if a is not None:
            if a.shape != b.shape or a.dtype != b.dtype:
                raise Fault(what, f"{name}: {a.dtype}{list(a.shape)}, and {b.dtype}{list(b.shape)}")
        pairs.append((name, a, b))
    return pairs


def equal(
    what: str, got: Results, want: Results, twin: Twin, loops: bool = False, unknown: bool = False,
    slopes: bool = False,
) -> None:  # fmt: skip
    """Bit for bit; NaN is NaN. What comes back out of a loop or a branch is one sum there, where
    `dynamic` adds what each use of a value gives to what has arrived: with `loops`, derivatives are
    held to rounding, and with `slopes` among the values these; with `unknown` sizes, which leave open
    what is summed to what, second ones are."""
    for at, (name, a, b) in enumerate(_paired(what, got, want)):
        if a is None or np.array_equal(bits(a), bits(b)):
            continue
        derived = slopes or not name.startswith("value")
        rounded = (loops and derived) or (unknown and name.startswith("second"))
        if rounded and distance(a, b) <= max(1e-9, twin.allowed(at)):
            continue
        raise Fault(what, f"{name}: {_short(a)}, and {_short(b)}")


def bits(a: Any) -> Any:
    a = np.ascontiguousarray(a)
    if a.dtype.kind == "f":
        a = np.where(np.isnan(a), np.array(np.nan, a.dtype), a)
    return a.view(np.uint8) if a.ndim else a.reshape(1).view(np.uint8)


def close(what: str, got: Results, want: Results, twin: Twin, built: Built | None = None) -> None:
    """Within rounding. What `fast` mends on purpose (a NaN, an infinity) must go away without the
    pass that mends it."""
    plain: Results | None = None
    for at, (name, a, b) in enumerate(_paired(what, got, want)):
        if a is None:
            continue
        far, size = distance(a, b), max(1.0, largest(b))
        if far <= 1e-9 * size or far <= twin.allowed(at) or far <= twin.floor * size:
            continue
        if built is not None and not np.isfinite(b).all():
            plain = plain or built.run("fast", ["stabilize"])
            if distance(plain[at][1], b) <= max(1e-9 * largest(b), twin.allowed(at)):
                continue
        raise Fault(what, f"{name}: {_short(a)}, and {_short(b)}")


def _short(a: Any) -> str:
    return " ".join(np.array2string(np.asarray(a), threshold=12, edgeitems=3, precision=17).split())


def with_torch(
    program: Callable[..., Any], arrays: Sequence[Any], order: int, want: Results, twin: Twin
) -> None:
    """The same with PyTorch, in float64, if it is installed and has the words."""
    if torch is None or not any(a.dtype == "float64" for a in arrays):
        return
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        xs = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
        found = differentiate(
            TORCH, _sum, [torch.as_tensor(y) for y in _listed(program(TORCH, *xs))], xs, order
        )
    except (AttributeError, TypeError, RuntimeError, ValueError, IndexError, NotImplementedError) as error:
        SKIPPED[f"PyTorch: {_first_words(error)}"] += 1
        return
    finally:
        torch.set_default_dtype(before)
    for at, ((name, a), (_, b)) in enumerate(zip(found, want, strict=False)):
        if a is None or b is None or not (a.is_floating_point() and b.dtype.kind == "f"):
            continue
        theirs = a.detach().numpy()
        if name.startswith("value") and theirs.dtype != b.dtype:  # as of arrays and 0-d ones
            SKIPPED["PyTorch promotes otherwise"] += 1
            return
        if theirs.shape != b.shape:
            raise Fault("PyTorch and dynamic", f"{name}: shapes {theirs.shape}, and {b.shape}")
        far, size = distance(theirs, b), max(1.0, largest(b))
        if b.dtype == "float64" and far > max(1e-9 * size, twin.allowed(at)) and far > twin.floor * size:
            raise Fault("PyTorch and dynamic", f"{name}: {_short(theirs)}, and {_short(b)}")


def _first_words(error: Exception) -> str:
    return re.sub(r"\d+|v\d+", "#", f"{type(error).__name__}: {error}")[:70]
