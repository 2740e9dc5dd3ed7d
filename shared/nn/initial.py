"""How Parameters start, and the generator that draws them.

An initialiser is a function `(shape, rng) -> array`. `xavier_uniform(gain=2)` makes one, for a
layer's `initialiser=`; `xavier_uniform_(parameter, gain=2)` draws a Parameter anew, as
`torch.nn.init` does. Fans are counted as there: a weight is (out, in, *kernel).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import wraps
from typing import Any

import numpy as np

from shared.device.cuda import to_device
from shared.durable.interrupts import within
from shared.errors import SettingError, ShapeError
from shared.ops.random import generator_state
from shared.spec import as_seed, str_shape
from shared.state import Generator, Parameter

Shape = tuple[int, ...]
Initialiser = Callable[[Shape, np.random.Generator], Any]


class _Source:
    """The generator that layers made from now on draw from."""

    generator = np.random.default_rng(0)
    shared: Generator | None = None


_drawing: ContextVar[bool] = ContextVar("drawing", default=True)


def manual_seed(seed: int) -> None:
    """Start the drawing of initial values, and of layers' generators, anew from `seed`."""
    _Source.generator = np.random.default_rng(as_seed("manual_seed", seed))
    _Source.shared = None


def undrawn() -> within:
    """Parameters made within the block hold zeros that were never drawn: for a model whose
    values are about to be loaded, or whose shapes alone matter.

    The operating system gives such zeros memory only once they are touched.
    """
    return within((_drawing, False))


# --- making Parameters ---------------------------------------------------------------------


def parameter(shape: Sequence[int], initialiser: Initialiser, dtype: Any = np.float32) -> Parameter:
    """A Parameter with drawn values."""
    made = waiting(shape, initialiser, dtype)
    settle(made, shape)
    return made


def waiting(
    sizes: Sequence[int | None], initialiser: Initialiser | None = None, dtype: Any = np.float32
) -> Parameter:
    """A Parameter without values yet; sizes that are not known are None.

    Raises SettingError for a size that is no whole number.
    """
    for size in sizes:
        if size is not None and not hasattr(size, "__index__"):
            raise SettingError(
                f"a parameter can not have the shape {tuple(sizes)}: {size!r} is no whole number; "
                "divide by //, or take int(...)"
            )
    return Parameter(None, sizes=tuple(sizes), initialiser=initialiser, kind=dtype)


def settle(target: Parameter, shape: Sequence[int], default: Initialiser | None = None) -> None:
    """Give a Parameter whose shape is now known its values, unless it has some already.

    They are drawn by its own initialiser, else by `default`.
    """
    if not target.settled:
        drawn = _draw(target.initialiser or default, tuple(shape), target.kind)
        target.data = to_device(drawn, target.device)


def unsettled(*targets: Any) -> bool:
    """Whether any of these is a Parameter that has no values yet; what is computed in its place has some."""
    return any(isinstance(target, Parameter) and not target.settled for target in targets)


def size_of(target: Any, axis: int) -> int | None:
    """A Parameter's size, or None where it is still to be learnt."""
    if unsettled(target):
        return None if target.sizes is None else target.sizes[axis]
    return int(target.shape[axis])


def _draw(initialiser: Initialiser | None, shape: Shape, dtype: Any) -> Any:
    if initialiser is None or not _drawing.get():
        return np.zeros(shape, dtype)
    return np.ascontiguousarray(initialiser(shape, _Source.generator), dtype)


def default_generator() -> Generator:
    """The generator that functions draw from which have no layer of their own, as `nn.functional.dropout`."""
    if _Source.shared is None:
        _Source.shared = generator()
    return _Source.shared


def drawn(shape: Sequence[int], initialiser: Initialiser, dtype: Any = np.float32) -> Any:
    """An array that is drawn as Parameters are, for what is no Parameter."""
    return np.ascontiguousarray(initialiser(tuple(shape), _Source.generator), dtype)


def generator() -> Generator:
    """A generator's state for a layer that draws random numbers of its own."""
    return Generator(generator_state(int(_Source.generator.integers(2**63))))


# --- initialisers --------------------------------------------------------------------------


def constant(value: float) -> Initialiser:
    """The same number everywhere."""
    return lambda shape, rng: np.full(shape, value)


def zeros() -> Initialiser:
    """Zeros."""
    return constant(0.0)


def ones() -> Initialiser:
    """Ones."""
    return constant(1.0)


def uniform(low: float = 0.0, high: float = 1.0) -> Initialiser:
    """Evenly from [low, high)."""
    return lambda shape, rng: rng.random(shape, np.float32) * (high - low) + low


def normal(mean: float = 0.0, std: float = 1.0) -> Initialiser:
    """From the normal distribution."""
    return lambda shape, rng: rng.standard_normal(shape, np.float32) * std + mean


def xavier_uniform(gain: float = 1.0) -> Initialiser:
    """Uniform within gain sqrt(6 / (fan in + fan out)): Glorot and Bengio 2010."""
    return lambda shape, rng: _within(gain * math.sqrt(6 / sum(fans(shape))))(shape, rng)


def xavier_normal(gain: float = 1.0) -> Initialiser:
    """Normal with deviation gain sqrt(2 / (fan in + fan out)): Glorot and Bengio 2010."""
    return lambda shape, rng: normal(0, gain * math.sqrt(2 / sum(fans(shape))))(shape, rng)


def kaiming_uniform(
    a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Initialiser:
    """Uniform within gain sqrt(3 / fan): He et al. 2015. For `mode` and gain see
    `kaiming_normal`."""
    std = _kaiming_deviation(a, mode, nonlinearity)
    return lambda shape, rng: _within(math.sqrt(3) * std(shape))(shape, rng)


def kaiming_normal(
    a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Initialiser:
    """Normal with deviation gain / sqrt(fan): He et al. 2015.

    `mode` is "fan_in", which keeps the forward pass's variance, or "fan_out", the backward
    pass's. The gain is that of the nonlinearity that follows (`a`: leaky_relu's slope).
    """
    std = _kaiming_deviation(a, mode, nonlinearity)
    return lambda shape, rng: normal(0, std(shape))(shape, rng)


def orthogonal(gain: float = 1.0) -> Initialiser:
    """Rows (or columns, if there are fewer) orthonormal, times gain: Saxe et al. 2014.

    A weight of more than 2 axes is taken as (out, rest).
    """

    def draw(shape: Shape, rng: np.random.Generator) -> Any:
        fans(shape)
        rows, columns = shape[0], math.prod(shape[1:])
        drawn = rng.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(drawn)
        q = q * np.sign(np.diagonal(r))  # so that every orthogonal matrix is equally likely
        return gain * (q if rows >= columns else q.T).reshape(shape)

    return draw


def truncated_normal(mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0) -> Initialiser:
    """Normal, drawn again where it falls outside of a to b: `torch.nn.init.trunc_normal_`."""

    def draw(shape: Shape, rng: np.random.Generator) -> Any:
        drawn = rng.standard_normal(shape) * std + mean
        while (outside := (drawn < a) | (drawn > b)).any():
            drawn[outside] = rng.standard_normal(int(outside.sum())) * std + mean
        return drawn

    if not a < b or not (a < mean + 6 * std and mean - 6 * std < b):
        raise SettingError(f"trunc_normal_: next to nothing of the normal {mean}, {std} lies from {a} to {b}")
    return draw


def identity() -> Initialiser:
    """Ones on the diagonal of a matrix, zeros elsewhere."""

    def draw(shape: Shape, rng: np.random.Generator) -> Any:
        if len(shape) != 2:
            raise ShapeError(f"eye_: the identity is a matrix, not of shape {str_shape(shape)}")
        return np.eye(*shape)

    return draw


def within_fan(fan: int) -> Initialiser:
    """Uniform within 1 / sqrt(fan): how PyTorch starts Linear, Conv and the recurrent layers."""
    return _within(1 / math.sqrt(fan) if fan > 0 else 0.0)


def within_fan_in() -> Initialiser:
    """Uniform within 1 / sqrt(fan in), the fan read off the shape."""
    return lambda shape, rng: within_fan(fans(shape)[0])(shape, rng)


def _within(bound: float) -> Initialiser:
    return uniform(-bound, bound)


def fans(shape: Shape) -> tuple[int, int]:
    """How many inputs each output of a weight (out, in, *kernel) sums; how many outputs each
    input goes to."""
    if len(shape) < 2:
        raise ShapeError(
            f"fans: a weight of shape {str_shape(shape)} has no inputs and outputs to count; this "
            "initialiser needs at least 2 axes: use uniform, normal or constant for it"
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


_GAINS = {
    "linear": 1.0, "conv": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4,
}  # fmt: skip


def calculate_gain(nonlinearity: str, a: float = 0.01) -> float:
    """The gain that PyTorch recommends before a nonlinearity; `a` is leaky_relu's slope."""
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + a * a))
    if nonlinearity not in _GAINS:
        names = ", ".join(sorted([*_GAINS, "leaky_relu"]))
        raise SettingError(f"calculate_gain: {nonlinearity!r} has no known gain; use one of {names}")
    return _GAINS[nonlinearity]


def _kaiming_deviation(a: float, mode: str, nonlinearity: str) -> Callable[[Shape], float]:
    if mode not in ("fan_in", "fan_out"):
        raise SettingError(f"kaiming: mode must be 'fan_in' or 'fan_out', not {mode!r}")
    gain = calculate_gain(nonlinearity, a)
    return lambda shape: gain / math.sqrt(fans(shape)[mode == "fan_out"])


# --- drawing a Parameter anew --------------------------------------------------------------


def _in_place(make: Callable[..., Initialiser]) -> Callable[..., Parameter]:
    @wraps(make)
    def redraw(target: Parameter, *args: Any, **kwargs: Any) -> Parameter:
        target.initialiser = make(*args, **kwargs)
        if target.settled:
            target.data = to_device(_draw(target.initialiser, target.shape, target.dtype), target.device)
        return target

    redraw.__name__ = redraw.__qualname__ = make.__name__ + "_"
    redraw.__doc__ = (
        f"Draw a Parameter anew, and return it (one that has no shape yet: once it has): {make.__doc__}"
    )
    return redraw


constant_ = _in_place(constant)
zeros_ = _in_place(zeros)
ones_ = _in_place(ones)
uniform_ = _in_place(uniform)
normal_ = _in_place(normal)
xavier_uniform_ = _in_place(xavier_uniform)
xavier_normal_ = _in_place(xavier_normal)
kaiming_uniform_ = _in_place(kaiming_uniform)
kaiming_normal_ = _in_place(kaiming_normal)
orthogonal_ = _in_place(orthogonal)
trunc_normal_ = _in_place(truncated_normal)
eye_ = _in_place(identity)
