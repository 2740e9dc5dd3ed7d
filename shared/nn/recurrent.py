"""Recurrent layers over sequences: RNN, LSTM, GRU.

The products with the inputs of all time steps are one product before the loop; each step then
calls a fused cell. The loop runs in Python, so that a graph holds every step (`unroll`); where
the number of steps is not known when the graph is built, it is a `scan` of one step (`loop`), and where it
is large, one of a block of them (`loop_of_blocks`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.dims import Dim
from shared.errors import SettingError, ShapeError
from shared.nn.cells import (
    GRUStep,
    LSTMCell,
    LSTMStep,
    Recurrent,
    RNNStep,
    States,
    known_nonlinearity,
)
from shared.nn.initial import size_of, unsettled
from shared.nn.regular import Dropout
from shared.nn.simple import known_size
from shared.spec import sizes_match, str_shape

Step = Callable[..., States]
"""From a product (N, gates * hidden), states and the values of `Recurrent._product` to the next states."""

UNROLLED = 256
"""How many steps a graph holds one by one, at most: each takes as long to compile as many hundred runs."""
BLOCK = 32
"""How many steps a trip of a loop makes one by one: what a trip itself takes is little beside them."""


def unroll(
    step: Step, values: Sequence[Any], inputs: Sequence[Any], start: States, alive: Sequence[Any] | None,
    backwards: bool,
) -> tuple[Any, States]:  # fmt: skip
    """`step` from one time to the next, over the rows (N, ...) of each time; gives the outputs
    under each other, in the order of the times, and the last states."""
    outputs: list[Any] = [None] * len(inputs)
    states = start
    times = range(len(inputs))
    for t in reversed(times) if backwards else times:
        states = _moved(step, values, inputs[t], states, None if alive is None else alive[t])
        outputs[t] = states[0]
    return ops.concatenate(outputs), states


def loop(
    step: Step, values: Sequence[Any], inputs: Any, start: States, alive: Any, backwards: bool
) -> tuple[Any, States]:
    """The same for a number of times that only a run knows: one node that holds one step.

    inputs (T, N, ...), alive (T, N, 1) or None.
    """

    def body(states: States, now: Any) -> tuple[States, Any]:
        states = _moved(step, values, now[0], states, now[1])
        return states, states[0]

    states, outputs = ops.scan(body, start, (inputs, alive), reverse=backwards)
    return ops.reshape(outputs, (-1, outputs.shape[2])), states


def loop_of_blocks(
    step: Step, values: Sequence[Any], inputs: Any, start: States, alive: Any, backwards: bool
) -> tuple[Any, States]:
    """The same for a large number of times: one node that holds BLOCK steps, and what is left one by one.

    The loop, and in it each trip, has values of its own, so that what flows back to a weight adds up block by
    block, whether the loop is a node or Python's.
    """
    blocks, rest = divmod(inputs.shape[0], BLOCK)

    def cut(x: Any) -> tuple[Any, Any]:
        if x is None or not rest:
            return x, None
        return ops.split(x, [blocks * BLOCK, rest])

    (many, few), (seen, ends) = cut(inputs), cut(alive)

    def in_blocks(x: Any) -> Any:
        return None if x is None else ops.reshape(x, (blocks, BLOCK, *x.shape[1:]))

    def body(states: States, now: Any) -> tuple[States, Any]:
        rows = None if now[1] is None else ops.unbind(now[1])
        outputs, states = unroll(step, _apart(own), ops.unbind(now[0]), states, rows, backwards)
        return states, outputs

    def left(states: States) -> tuple[Any, States]:
        rows = None if ends is None else ops.unbind(ends)
        return unroll(step, values, ops.unbind(few), states, rows, backwards)

    own, last = _apart(values), None
    if rest and backwards:
        last, start = left(start)
    states, outputs = ops.scan(body, start, (in_blocks(many), in_blocks(seen)), reverse=backwards)
    outputs = ops.reshape(outputs, (-1, outputs.shape[2]))
    if rest and not backwards:
        last, states = left(states)
    return outputs if last is None else ops.concatenate([outputs, last]), states


def _apart(values: Sequence[Any]) -> list[Any]:
    """The same values once more."""
    return [None if value is None else ops.reshape(value, value.shape) for value in values]


def _moved(step: Step, values: Sequence[Any], z: Any, states: States, alive: Any) -> States:
    """The next states. Where `alive` (N, 1) is False, a sequence keeps those it has."""
    new = step(z, states, *values)
    if alive is None:
        return new
    return tuple([ops.where(alive, n, s) for n, s in zip(new, states, strict=True)])


# --- layers over sequences -----------------------------------------------------------------


LAYERS = 2**16
"""How many there may be on top of each other: each is made, one by one."""


class _Layers(Recurrent):
    """Recurrent layers as PyTorch has them.

    Called as `layer(x, state=None, lengths=None)`; gives (output, final state).
    x        (T, N, input_size); (N, T, input_size) with `batch_first`; or one sequence
             (T, input_size)
    state    to start from: (num_layers * directions, N, hidden_size), for an LSTM a pair (h, c) of
             them; zeros if None. The final state looks the same.
    lengths  (N,) integers: how long each sequence is. What stands behind its end changes
             nothing, its outputs there are zeros, its final state is that at its end, and the
             reverse direction starts there.
    output   (T, N, hidden_size * directions): the last layer's, forwards and reverse side by side
    `dropout` acts on the output of each layer but the last. `input_size` None is learnt at the
    first call. Parameters: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, and so on for
    l1, ..., with `_reverse` at the end for the reverse direction.
    """

    def __init__(
        self,
        input_size: int | None,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        for what, size in sizes.items():
            if size is not None and size < 1:
                raise SettingError(f"{type(self).__name__}: {what} must be at least 1, not {size}")
        if num_layers > LAYERS:
            raise SettingError(
                f"{type(self).__name__}: num_layers must be at most {LAYERS}, not {num_layers}; is it the "
                "hidden size?"
            )
        self.hidden_size, self.num_layers = hidden_size, num_layers
        self.batch_first, self.bidirectional = batch_first, bidirectional
        self.directions = ("", "_reverse") if bidirectional else ("",)
        width = self._sizes[0] * len(self.directions)
        for layer, direction in self._sets():
            self._declare(f"_l{layer}{direction}", width if layer else input_size, bias)
        self.dropout = Dropout(dropout) if dropout and num_layers > 1 else None
        if input_size is not None:
            self._make(input_size)

    def _sets(self) -> list[tuple[int, str]]:
        return [(layer, d) for layer in range(self.num_layers) for d in self.directions]

    def _make(self, input_size: int) -> None:
        for layer, direction in self._sets():
            self._settle(f"_l{layer}{direction}", input_size)

    @property
    def input_size(self) -> int | None:
        """The inputs' size; None until it is known."""
        return size_of(self._parameters("_l0")[0], 1)

    def settings(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        parts += [f"num_layers={self.num_layers}"] * (self.num_layers > 1)
        parts += [f"{name}=True" for name in ("batch_first", "bidirectional") if getattr(self, name)]
        return ", ".join(parts)

    def forward(self, x: Any, state: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        if len(x.shape) == 2:
            return self._one_sequence(x, state)
        if len(x.shape) != 3:
            raise ShapeError(
                f"{type(self).__name__}: x {str_shape(tuple(x.shape))} must be (T, N, features), or "
                "(T, features) for one sequence"
            )
        if self.input_size is not None and not sizes_match(x.shape[2], self.input_size):
            raise ShapeError(
                f"{type(self).__name__}: x {str_shape(tuple(x.shape))} has {x.shape[2]} features where "
                f"input_size is {self.input_size}"
            )
        if self.batch_first:
            x = ops.swapaxes(x, 0, 1)
        steps, batch = x.shape[:2]
        if not isinstance(steps, Dim) and steps < 1:
            raise ShapeError(f"{type(self).__name__}: a sequence needs at least one time step")
        if any(unsettled(p) for s in self._sets() for p in self._parameters(f"_l{s[0]}{s[1]}")):
            self._make(known_size(type(self).__name__, x.shape[2]))
        mask, alive = None, None
        known = not isinstance(steps, Dim) and steps <= UNROLLED
        run = loop if isinstance(steps, Dim) else loop_of_blocks
        if lengths is not None:
            mask = self._mask(lengths, x)
            alive = ops.split(ops.reshape(mask, (-1, 1)), steps) if known else mask
            x = ops.where(mask, x, 0)  # so that no NaN behind an end reaches a gradient
        starts = self._starts(state, batch)

        rows = ops.reshape(x, (-1, x.shape[2]))
        finals: list[States] = []
        for layer in range(self.num_layers):
            sides = []
            for direction in self.directions:
                z, values = self._product(rows, f"_l{layer}{direction}")
                start, backwards = starts(len(finals), z), direction == "_reverse"
                if known:
                    parts = ops.split(z, steps)
                    outputs, final = unroll(self._step, values, parts, start, alive, backwards)
                else:
                    z = ops.reshape(z, (steps, batch, z.shape[1]))
                    outputs, final = run(self._step, values, z, start, alive, backwards)
                sides.append(outputs)
                finals.append(final)
            rows = sides[0] if len(sides) == 1 else ops.concatenate(sides, 1)
            if self.dropout is not None and layer + 1 < self.num_layers:
                rows = self.dropout(rows)
        y = ops.reshape(rows, (steps, batch, rows.shape[1]))
        if mask is not None:
            y = ops.where(mask, y, 0)
        if self.batch_first:
            y = ops.swapaxes(y, 0, 1)
        last = tuple(ops.stack([final[i] for final in finals]) for i in range(self.carried))
        return y, last if self.carried > 1 else last[0]

    def _one_sequence(self, x: Any, state: Any) -> tuple[Any, Any]:
        """(T, input) as a batch of one, and back."""
        axis = 0 if self.batch_first else 1
        if state is not None:
            pair = isinstance(state, (tuple, list))
            state = tuple(ops.expand_dims(s, 1) for s in state) if pair else ops.expand_dims(state, 1)
        y, last = self.forward(ops.expand_dims(x, axis), state)
        squeezed = tuple(ops.squeeze(s, 1) for s in last) if self.carried > 1 else ops.squeeze(last, 1)
        return ops.squeeze(y, axis), squeezed

    def _mask(self, lengths: Any, x: Any) -> Any:
        """(T, N, 1): whether a sequence is still alive at a time."""
        name, (steps, batch) = type(self).__name__, x.shape[:2]
        if isinstance(lengths, (list, tuple, np.ndarray)):
            lengths = np.asarray(lengths)
            longest = lengths.max(initial=0)
            if lengths.min(initial=0) < 0 or not (isinstance(steps, Dim) or longest <= steps):
                raise ShapeError(
                    f"{name}: lengths must lie between 0 and the {steps} time steps of x, not "
                    f"{lengths.min()} to {longest}"
                )
        fits = len(lengths.shape) == 1 and lengths.dtype.kind in "iu"
        if not fits or not sizes_match(lengths.shape[0], batch):
            raise ShapeError(
                f"{name}: lengths must be integers ({batch},), one for each sequence, not "
                f"{lengths.dtype} {str_shape(tuple(lengths.shape))}"
            )
        times = ops.reshape(ops.arange(steps, like=x), (-1, 1, 1))
        return ops.less(times, ops.reshape(lengths, (1, -1, 1)))

    def _starts(self, state: Any, batch: Any) -> Callable[[int, Any], States]:
        """The states to start from, by the number of the set; zeros take after the product z."""
        if state is None:
            return lambda index, z: self._zeros(z, (batch,))
        count = self.num_layers * len(self.directions)
        given = self._given(state, (count, batch))
        return lambda index, z: tuple(s[index] for s in given)


class RNN(RNNStep, _Layers):
    """Elman 1990: h = tanh(x W + h U + b); `nonlinearity` is "tanh" or "relu"."""

    def __init__(
        self,
        input_size: int | None,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        self.nonlinearity = known_nonlinearity("RNN", nonlinearity)
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)


class LSTM(LSTMStep, _Layers):
    """Long short-term memory: Hochreiter and Schmidhuber 1997, with a forget gate.

    proj_size  the size of outputs and states h, which are the hidden ones times weight_hr (proj_size,
               hidden_size); 0 leaves them as they are (Sak, Senior and Beaufays 2014)
    """

    def __init__(
        self,
        input_size: int | None,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
    ) -> None:
        if not 0 <= proj_size < max(hidden_size, 1):
            raise SettingError(f"LSTM: proj_size must be from 0 to below hidden_size, not {proj_size!r}")
        self.proj_size = proj_size
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)


class GRU(GRUStep, _Layers):
    """Gated recurrent unit: Cho et al. 2014, with the reset gate after the product, as cuDNN."""


for _kind in (RNN, LSTM, GRU):
    _kind.__doc__ = f"{_kind.__doc__}\n\n    {_Layers.__doc__}"


def forget_gate_bias_(lstm: LSTM | LSTMCell, value: float = 1.0) -> LSTM | LSTMCell:
    """Start an LSTM's forget gates at sigmoid(value), so that it remembers before it has learnt
    to: Jozefowicz, Zaremba and Sutskever 2015. Both biases add up, so bias_hh gets zeros there."""
    for path, parameter in lstm.named_parameters():
        if path.startswith("bias"):
            size = lstm.hidden_size
            parameter.value()[size : 2 * size] = value if "ih" in path else 0
    return lstm
