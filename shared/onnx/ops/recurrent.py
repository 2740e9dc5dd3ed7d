"""Recurrent layers: RNN, GRU, LSTM, of sequences of several lengths, in one direction or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared import ops
from shared.errors import OnnxError
from shared.onnx.ops import activations
from shared.onnx.table import onnx_op

Step = Callable[[tuple[Any, ...], Any], tuple[Any, ...]]

PLAIN: dict[str, Callable[[Any], Any]] = {
    "Relu": ops.relu, "Tanh": ops.tanh, "Sigmoid": ops.sigmoid, "Softsign": ops.softsign,
    "Softplus": ops.softplus,
}  # fmt: skip
WITH_NUMBERS: dict[str, tuple[Callable[..., Any], tuple[float, ...]]] = {
    "Affine": (lambda x, alpha, beta: ops.add(ops.mul(x, alpha), beta), (1.0, 0.0)),
    "LeakyRelu": (lambda x, alpha: activations.leaky_relu(x, alpha=alpha), (0.01,)),
    "ThresholdedRelu": (lambda x, alpha: activations.thresholded_relu(x, alpha=alpha), (1.0,)),
    "ScaledTanh": (lambda x, alpha, beta: ops.mul(ops.tanh(ops.mul(x, beta)), alpha), (1.0, 1.0)),
    "HardSigmoid": (lambda x, alpha, beta: activations.hard_sigmoid(x, alpha=alpha, beta=beta), (0.2, 0.5)),
    "Elu": (lambda x, alpha: activations.elu(x, alpha=alpha), (1.0,)),
}
"""Activations, with the numbers that they take and what these are unless given."""


def _functions(names: Sequence[str], alphas: Any, betas: Any) -> list[Callable[[Any], Any]]:
    alphas, betas = list(alphas or ()), list(betas or ())
    made: list[Callable[[Any], Any]] = []
    for name in names:
        known = {key.lower(): key for key in (*PLAIN, *WITH_NUMBERS)}.get(name.lower())
        if known is None:
            raise OnnxError(
                f"there is no activation {name!r}; there are {', '.join((*PLAIN, *WITH_NUMBERS))}"
            )
        if known in PLAIN:
            made.append(PLAIN[known])
            continue
        function, usual = WITH_NUMBERS[known]
        numbers = [alphas.pop(0) if alphas else usual[0]]
        if len(usual) > 1:
            numbers.append(betas.pop(0) if betas else usual[1])
        made.append(_with(function, numbers))
    return made


def _with(function: Callable[..., Any], numbers: Sequence[float]) -> Callable[[Any], Any]:
    return lambda x: function(x, *numbers)


def _clipped(functions: list[Callable[[Any], Any]], clip: float | None) -> list[Callable[[Any], Any]]:
    return functions if clip is None else [_within(f, clip) for f in functions]


def _within(function: Callable[[Any], Any], clip: float) -> Callable[[Any], Any]:
    return lambda x: function(ops.clip(x, -clip, clip))


def _along(
    step: Step, first: tuple[Any, ...], x: Any, lengths: Any, backwards: bool
) -> tuple[Any, tuple[Any, ...]]:
    """`state = step(state, x)` along the first axis of x, as far as each sequence is long: the first part of
    the state at each step, 0 beyond a sequence's end, and the last state."""
    if lengths is None:

        def whole(state: Any, x: Any) -> Any:
            state = step(tuple(state), x)
            return list(state), state[0]

        last, ys = ops.scan(whole, list(first), x, reverse=backwards)
        return ys, tuple(last)
    times = ops.arange(x.shape[0], dtype="int64", like=x)
    lengths = ops.cast(lengths, "int64")

    def partly(state: Any, given: Any) -> Any:
        x, t = given
        within = ops.expand_dims(ops.less(t, lengths), -1)
        made = step(tuple(state), x)
        kept = [ops.where(within, new, old) for new, old in zip(made, state, strict=True)]
        return kept, ops.where(within, made[0], ops.mul(made[0], 0))

    last, ys = ops.scan(partly, list(first), (x, times), reverse=backwards)
    return ys, tuple(last)


class Layer:
    """What RNN, GRU and LSTM have in common: x (steps, batch, features), and weights of each direction.

    gates  how many blocks of `hidden_size` rows the weights have
    """

    def __init__(
        self,
        gates: int,
        x: Any,
        w: Any,
        r: Any,
        b: Any,
        lengths: Any,
        direction: str,
        layout: int,
        hidden: int,
    ) -> None:
        self.gates, self.w, self.r, self.b = gates, w, r, b
        self.lengths, self.layout, self.hidden = lengths, layout, hidden
        self.x = ops.swapaxes(x, 0, 1) if layout else x
        self.ways = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}.get(direction)
        if self.ways is None:
            raise OnnxError(f"direction must be forward, reverse or bidirectional, not {direction!r}")

    def first(self, state: Any, way: int) -> Any:
        """The state that a direction begins with: zeros unless given."""
        if state is None:
            return ops.zeros((self.x.shape[1], self.hidden), self.x.dtype, like=self.x)
        return ops.getitem(state, (slice(None), way) if self.layout else way)

    def biases(self, way: int) -> tuple[Any, Any]:
        """Of the inputs, and of the state."""
        if self.b is None:
            return None, None
        both = ops.getitem(self.b, way)
        half = self.gates * self.hidden
        return ops.getitem(both, slice(0, half)), ops.getitem(both, slice(half, 2 * half))

    def run(self, make: Callable[[int], tuple[Step, Any, tuple[Any, ...]]], outputs: int) -> Any:
        """`make(way)` gives the step of a direction, what it goes along, and the first state."""
        ys, lasts = [], []
        for way, backwards in enumerate(self.ways or ()):
            step, along, first = make(way)
            y, last = _along(step, first, along, self.lengths, backwards)
            ys.append(y)
            lasts.append(last)
        y = ops.stack(ys, 1)
        states = [ops.stack(part) for part in zip(*lasts, strict=True)]
        if self.layout:
            y = ops.transpose(y, (2, 0, 1, 3))
            states = [ops.swapaxes(state, 0, 1) for state in states]
        return (y, *states)[:outputs]

    def projected(self, way: int, bias: Any) -> Any:
        """The products of all inputs with a direction's weights."""
        z = ops.matmul(self.x, ops.swapaxes(ops.getitem(self.w, way), 0, 1))
        return z if bias is None else ops.add(z, bias)

    def part(self, z: Any, gate: int) -> Any:
        """One gate's part of a product."""
        return ops.getitem(z, (..., slice(gate * self.hidden, (gate + 1) * self.hidden)))


def _size(hidden_size: int | None, r: Any) -> int:
    return r.shape[-1] if hidden_size is None else hidden_size


def _two(a: Any, b: Any) -> Any:
    return None if a is None else ops.add(a, b)


@onnx_op("RNN", since=7, weights=("w", "r", "b"))
def rnn(
    x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, initial: Any = None, *,
    activation_alpha: Any = None, activation_beta: Any = None, activations: Any = None,
    clip: float | None = None, direction: str = "forward", hidden_size: int | None = None, layout: int = 0,
    outputs: int = 1,
) -> Any:  # fmt: skip
    """h = f(x W + h R + b)."""
    layer = Layer(1, x, w, r, b, lengths, direction, layout, _size(hidden_size, r))
    names = activations or ("Tanh",) * len(layer.ways or ())
    functions = _clipped(_functions(names, activation_alpha, activation_beta), clip)

    def make(way: int) -> Any:
        weight = ops.swapaxes(ops.getitem(r, way), 0, 1)
        f = functions[way]

        def step(state: tuple[Any, ...], z: Any) -> tuple[Any, ...]:
            return (f(ops.add(z, ops.matmul(state[0], weight))),)

        return step, layer.projected(way, _two(*layer.biases(way))), (layer.first(initial, way),)

    return layer.run(make, max(outputs, 2))


@onnx_op("GRU", since=7, weights=("w", "r", "b"))
def gru(
    x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, initial: Any = None, *,
    activation_alpha: Any = None, activation_beta: Any = None, activations: Any = None,
    clip: float | None = None, direction: str = "forward", hidden_size: int | None = None, layout: int = 0,
    linear_before_reset: int = 0, outputs: int = 1,
) -> Any:  # fmt: skip
    """Gates in the order update, reset, hidden."""
    layer = Layer(3, x, w, r, b, lengths, direction, layout, _size(hidden_size, r))
    names = activations or ("Sigmoid", "Tanh") * len(layer.ways or ())
    functions = _clipped(_functions(names, activation_alpha, activation_beta), clip)
    n = layer.hidden

    def make(way: int) -> Any:
        weight = ops.swapaxes(ops.getitem(r, way), 0, 1)
        gates, own = (
            ops.getitem(weight, (slice(None), slice(*part))) for part in ((0, 2 * n), (2 * n, 3 * n))
        )
        of_x, of_h = layer.biases(way)
        of_gates, of_own = (
            (None, None) if of_h is None
            else (ops.getitem(of_h, slice(0, 2 * n)), ops.getitem(of_h, slice(2 * n, 3 * n)))
        )  # fmt: skip
        f, g = functions[2 * way : 2 * way + 2]

        def step(state: tuple[Any, ...], zx: Any) -> tuple[Any, ...]:
            (h,) = state
            zh = ops.matmul(h, gates)
            zh = zh if of_gates is None else ops.add(zh, of_gates)
            z = f(ops.add(layer.part(zx, 0), layer.part(zh, 0)))
            reset = f(ops.add(layer.part(zx, 1), layer.part(zh, 1)))
            if linear_before_reset:
                inner = ops.matmul(h, own)
                inner = ops.mul(reset, inner if of_own is None else ops.add(inner, of_own))
            else:
                inner = ops.matmul(ops.mul(reset, h), own)
                inner = inner if of_own is None else ops.add(inner, of_own)
            new = g(ops.add(layer.part(zx, 2), inner))
            return (ops.add(ops.mul(ops.sub(1, z), new), ops.mul(z, h)),)

        return step, layer.projected(way, of_x), (layer.first(initial, way),)

    return layer.run(make, max(outputs, 2))


@onnx_op("LSTM", since=7, weights=("w", "r", "b", "p"))
def lstm(
    x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, initial_h: Any = None, initial_c: Any = None,
    p: Any = None, *, activation_alpha: Any = None, activation_beta: Any = None, activations: Any = None,
    clip: float | None = None, direction: str = "forward", hidden_size: int | None = None,
    input_forget: int = 0, layout: int = 0, outputs: int = 1,
) -> Any:  # fmt: skip
    """Gates in the order input, output, forget, cell; p: peepholes of the first three."""
    layer = Layer(4, x, w, r, b, lengths, direction, layout, _size(hidden_size, r))
    names = activations or ("Sigmoid", "Tanh", "Tanh") * len(layer.ways or ())
    functions = _clipped(_functions(names, activation_alpha, activation_beta), clip)

    def make(way: int) -> Any:
        weight = ops.swapaxes(ops.getitem(r, way), 0, 1)
        peeps = None if p is None else ops.getitem(p, way)
        f, g, k = functions[3 * way : 3 * way + 3]

        def seen(z: Any, gate: int, c: Any) -> Any:
            z = layer.part(z, gate)
            return z if peeps is None else ops.add(z, ops.mul(layer.part(peeps, gate), c))

        def step(state: tuple[Any, ...], z: Any) -> tuple[Any, ...]:
            h, c = state
            z = ops.add(z, ops.matmul(h, weight))
            i = f(seen(z, 0, c))
            forget = ops.sub(1, i) if input_forget else f(seen(z, 2, c))
            c = ops.add(ops.mul(forget, c), ops.mul(i, g(layer.part(z, 3))))
            return (ops.mul(f(seen(z, 1, c)), k(c)), c)

        first = (layer.first(initial_h, way), layer.first(initial_c, way))
        return step, layer.projected(way, _two(*layer.biases(way))), first

    return layer.run(make, max(outputs, 3))
