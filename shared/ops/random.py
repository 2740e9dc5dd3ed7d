"""Random numbers as pure ops.

A generator is an array of two uint64, (key, counter), that goes in as an argument and comes
out moved on. The same state gives the same numbers on both engines and in every run. The
stream is Philox 4x64-10 (Salmon, Moraes, Dror and Shaw 2011), as NumPy has it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size
from shared.durable.interrupts import block, within
from shared.errors import DTypeError, RangeError, SettingError, ShapeError
from shared.op import ZERO, Op, PlannerHints, Rule, array_module, put
from shared.ops.shapes import as_tensor_like
from shared.spec import Operand, Spec, as_dtype, as_number, in_short, sizes_match, str_shape

STATE = np.dtype(np.uint64)


def generator_state(seed: int) -> Any:
    """The state of a fresh generator: uint64 (2,), key and counter."""
    if not isinstance(seed, int | np.integer):
        raise SettingError(f"generator_state: a seed is a whole number, not {in_short(seed)}")
    return np.array([int(seed) % 2**64, 0], STATE)


def _generator(state: Any, blocks: int = 0) -> np.random.Generator:
    """The generator, after so many blocks of 256 bits."""
    key, counter = (int(part) for part in state[:2])
    return np.random.Generator(np.random.Philox(key=key, counter=[blocks, counter, 0, 0]))


def _moved_on(state: Any) -> Any:
    """The state after one draw. Draws own 2^64 blocks each, so they never overlap."""
    moved = state[:2].copy()
    moved[1] += np.uint64(1)
    return moved


def _check_state(name: str, state: Operand, cut: bool = False) -> None:
    if cut and len(state.shape) == 1 and sizes_match(state.shape[0], CUT) and state.dtype == STATE:
        return
    if len(state.shape) != 1 or not sizes_match(state.shape[0], 2) or state.dtype != STATE:
        raise ShapeError(
            f"{name}: the generator state must be uint64 (2,), not {state.dtype} "
            f"{str_shape(state.shape)}; make one with generator_state(seed)"
        )


def _check_floating(name: str, argument: str, x: Operand) -> None:
    if x.dtype.kind != "f":
        raise DTypeError(f"{name}: {argument} must be floating point, not {x.dtype}; cast it first")


# --- some rows of a draw ---------------------------------------------------------------------------

CUT = 6
"""The numbers of a state that is cut to rows: key, counter, the rows before, here and in all, and their
axis."""


def _cut(state: Any, place: Any, *, axis: int) -> Any:
    module = array_module(state)
    return module.concatenate([state[:2], place.astype(STATE), module.asarray([axis], STATE)])


def _infer_cut(state: Operand, place: Operand, *, axis: int) -> Spec:
    _check_state("cut_to_rows", state)
    if len(place.shape) != 1 or not sizes_match(place.shape[0], 3) or place.dtype != np.int64:
        raise ShapeError(f"cut_to_rows: takes the rows before, here and in all, int64 (3,), not {place}")
    return Spec((CUT,), STATE)


_cut_to_rows = Op(
    "cut_to_rows", _cut, _infer_cut, [ZERO, ZERO], constant=("y",), check=True,
    doc="A generator's state of which `uniform`, `bernoulli` and `dropout` draw, of the numbers for all "
    "rows, those of some: `place` is how many are before them, how many they are, and how many in all.",
)  # fmt: skip

_place: ContextVar[tuple[Any, int] | None] = ContextVar("place", default=None)


@block
def drawing_rows(place: Any, axis: int = 0) -> within:
    """Within the block layers draw for some of the rows of a batch, which lie along `axis`: `place` is how
    many are before them, how many they are, and how many there are in all, int64 (3,)."""
    return within((_place, (place, axis)))


def of_rows(state: Any) -> Any:
    """A layer's generator, cut to the rows that it draws for."""
    found = _place.get()
    return state if found is None else _cut_to_rows(state, found[0], axis=found[1])


def _evenly(state: Any, shape: tuple[int, ...], dtype: Any, out: Any = None) -> Any:
    """Numbers evenly from [0, 1); of a state that is cut to rows, those that fall to these rows."""
    if len(state) == 2:
        return _generator(state).random(shape, dtype, out=out)
    before, rows, total, axis = (int(part) for part in state[2:])
    size = math.prod(shape)
    if not rows or size % rows or (axis and shape[axis : axis + 1] != (rows,)):
        return _generator(state).random(shape, dtype, out=out)  # of something that is the same on all ranks
    if axis:
        drawn = _generator(state).random((*shape[:axis], total, *shape[axis + 1 :]), dtype)
        mine = drawn[(slice(None),) * axis + (slice(before, before + rows),)]
        return put(np.ascontiguousarray(mine), out)
    start, in_block = before * (size // rows), 32 // np.dtype(dtype).itemsize
    generator = _generator(state, start // in_block)
    generator.random(start % in_block, dtype)
    return generator.random(shape, dtype, out=out)


# --- draws ---------------------------------------------------------------------------------


def _draw(name: str, sample: Any) -> Op:
    def compute(state: Any, *, shape: tuple[int, ...], dtype: Any) -> tuple[Any, Any]:
        drawn = sample(state, shape, dtype)
        return array_module(state).asarray(drawn), _moved_on(state)

    def infer(state: Operand, *, shape: Shape, dtype: Any) -> tuple[Spec, Spec]:
        _check_state(name, state, cut=sample is _evenly)
        return Spec(shape, dtype), Spec((2,), STATE)

    return Op(name, compute, infer, [ZERO], outputs=("y", "next"), constant=("y", "next"), check=True)


_uniform = _draw("uniform", _evenly)
_normal = _draw("normal", lambda state, shape, dtype: _generator(state).standard_normal(shape, dtype))


def _within_two(state: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    rng = _generator(state)
    drawn = np.asarray(rng.standard_normal(shape, dtype))
    while (beyond := np.abs(drawn) > 2).any():
        drawn[beyond] = rng.standard_normal(int(beyond.sum()), dtype)
    return drawn


_truncated_normal = _draw("truncated_normal", _within_two)
_permutation = _draw(
    "permutation", lambda state, shape, dtype: _generator(state).permutation(*shape).astype(dtype)
)


def _drawn(op: Op, state: Any, shape: Sequence[Size] | Size, dtype: Any) -> tuple[Any, Any]:
    sizes: Shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)  # type: ignore[assignment]
    if not all(isinstance(n, Dim) or (isinstance(n, (int, np.integer)) and n >= 0) for n in sizes):
        raise SettingError(f"{op.name}: a shape is made of sizes from 0 up, not {shape!r}")
    kind = as_dtype(dtype)
    if kind not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise SettingError(f"{op.name}: draws float32 or float64, not {kind}; cast afterwards")
    return op(state, shape=sizes, dtype=kind)


def uniform(state: Any, shape: Sequence[Size] | Size, dtype: Any = "float32") -> tuple[Any, Any]:
    """Numbers evenly drawn from [0, 1), and the generator's next state."""
    return _drawn(_uniform, state, shape, dtype)


def normal(state: Any, shape: Sequence[Size] | Size, dtype: Any = "float32") -> tuple[Any, Any]:
    """Numbers drawn from the standard normal distribution, and the generator's next state."""
    return _drawn(_normal, state, shape, dtype)


def truncated_normal(state: Any, shape: Sequence[Size] | Size, dtype: Any = "float32") -> tuple[Any, Any]:
    """Numbers drawn from the standard normal distribution, those beyond 2 anew until none is, and the
    generator's next state."""
    return _drawn(_truncated_normal, state, shape, dtype)


def permutation(state: Any, n: Size) -> tuple[Any, Any]:
    """The numbers from 0 to n - 1 in a random order, int64 (n,), and the generator's next state."""
    if not isinstance(n, Dim) and not (isinstance(n, (int, np.integer)) and n >= 0):
        raise SettingError(f"permutation: n is a size from 0 up, not {in_short(n)}")
    return _permutation(state, shape=(n,), dtype=np.dtype(np.int64))


# --- bernoulli -----------------------------------------------------------------------------


def _admit_probabilities(state: Any, p: Any) -> None:
    if not bool(((p >= 0) & (p <= 1)).all()):
        raise RangeError("bernoulli: p must hold probabilities, from 0 to 1; sigmoid makes them of logits")


def _compute_bernoulli(state: Any, p: Any) -> tuple[Any, Any]:
    _admit_probabilities(state, p)
    drawn = array_module(p).asarray(_evenly(state, p.shape, np.float32))
    return (drawn < p).astype(p.dtype, order="C"), _moved_on(state)


def _infer_bernoulli(state: Operand, p: Operand) -> tuple[Spec, Spec]:
    _check_state("bernoulli", state, cut=True)
    _check_floating("bernoulli", "p", p)
    return Spec(p.shape, p.dtype), Spec((2,), STATE)


_bernoulli = Op(
    "bernoulli",
    _compute_bernoulli,
    _infer_bernoulli,
    [ZERO, ZERO],
    outputs=("y", "next"),
    constant=("y", "next"),
    judges=(1,),
    admits=_admit_probabilities,
    check=True,
)


def bernoulli(state: Any, p: Any) -> tuple[Any, Any]:
    """Ones with probability p and zeros, in p's shape and dtype, and the generator's next state.

    p in floating point, each from 0 to 1 (RangeError else). What is drawn carries no gradient.
    """
    return _bernoulli(state, as_tensor_like(p))


# --- dropout -------------------------------------------------------------------------------


def _compute_dropout(
    x: Any, state: Any, *, p: float, out: Any = (None, None, None)
) -> tuple[Any, Any, Any]:
    single = x.dtype == np.float32  # then the mask may stand where the numbers were drawn
    drawn = _evenly(state, x.shape, np.float32, out[1] if single else None)
    scale = np.asarray(1 / (1 - p) if p < 1 else 0, x.dtype)
    mask = np.multiply(drawn >= p, scale, out=drawn if single else out[1])
    mask = array_module(x).asarray(mask)
    y = x * mask if out[0] is None else np.multiply(x, mask, out=out[0])
    return y, mask, put(_moved_on(state), out[2])


def _dropout_workspace(x: Spec, state: Spec, *, p: float) -> int:
    """Of each element whether it stays; and, if it is drawn in another dtype, the number."""
    size = math.prod(int(n) for n in x.shape)
    return size if x.dtype == np.float32 else 5 * size


def _infer_dropout(x: Operand, state: Operand, *, p: float) -> tuple[Spec, Spec, Spec]:
    _check_state("dropout", state, cut=True)
    _check_floating("dropout", "x", x)
    return Spec(x.shape, x.dtype), Spec(x.shape, x.dtype), Spec((2,), STATE)


_dropout = Op(
    "dropout",
    _compute_dropout,
    _infer_dropout,
    [Rule(lambda g, y, x, state, *, p: g[0] * y[1], reads="mask"), ZERO],
    outputs=("y", "mask", "next"),
    constant=("mask", "next"),
    check=True,
    out=True,
    hints=PlannerHints(inplace=((0,), (), ()), workspace=_dropout_workspace),
)


def dropout(x: Any, state: Any, p: float = 0.5) -> tuple[Any, Any]:
    """`x` with elements zeroed with probability p, the others scaled by 1 / (1 - p).

    Gives (y, the generator's next state). Srivastava et al. 2014, in its inverted form.
    """
    p = as_number("dropout", "p", p)
    if not 0 <= p <= 1:
        raise SettingError(f"dropout: p must be a probability from 0 to 1, not {p!r}")
    y, _, moved = _dropout(as_tensor_like(x), state, p=p)
    return y, moved
