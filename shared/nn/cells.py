"""One step of a recurrent network: RNNCell, LSTMCell, GRUCell.

The layers over whole sequences (`shared.nn.recurrent`) make their steps of the same parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared import ops
from shared.errors import SettingError, ShapeError
from shared.nn.initial import settle, size_of, unsettled, waiting, within_fan
from shared.nn.module import Module
from shared.nn.simple import known_size
from shared.spec import sizes_match, str_shape
from shared.state import Parameter

States = tuple[Any, ...]
"""What a cell carries from step to step, each (N, hidden); the first is its output."""


# --- the three cells -----------------------------------------------------------------------


class RNNStep:
    """Elman 1990: h = tanh(x W + h U + b); see `ops.rnn_cell`."""

    gates, carried = 1, 1
    adds_up = True  # only the sum of both products matters, so both biases go into the first
    nonlinearity = "tanh"

    def _step(self, z: Any, states: States, weight: Parameter, bias: Parameter | None) -> States:
        return (ops.rnn_cell(z, ops.linear(states[0], weight, bias), self.nonlinearity),)


class LSTMStep:
    """Hochreiter and Schmidhuber 1997, with a forget gate; see `ops.lstm_cell`. A projection of the
    output: Sak, Senior and Beaufays 2014."""

    gates, carried = 4, 2
    adds_up = True

    def _step(
        self, z: Any, states: States, weight: Parameter, bias: Parameter | None,
        projection: Parameter | None = None,
    ) -> States:  # fmt: skip
        h, c = states
        h, c = ops.lstm_cell(z + ops.linear(h, weight, bias), c)
        return (h if projection is None else ops.linear(h, projection)), c


class GRUStep:
    """Cho et al. 2014, with the reset gate after the product; see `ops.gru_cell`."""

    gates, carried = 3, 1
    adds_up = False

    def _step(self, z: Any, states: States, weight: Parameter, bias: Parameter | None) -> States:
        (h,) = states
        return (ops.gru_cell(z, ops.linear(h, weight, bias), h),)


class Recurrent(Module):
    """What layers and cells share: sizes, and Parameters under PyTorch's names.

    Each set of them is weight_ih (gates * hidden, input), weight_hh (gates * hidden, output)
    and, with `bias`, bias_ih and bias_hh (gates * hidden,), uniform within 1 / sqrt(hidden). The output
    is as large as the hidden state, unless weight_hr (proj_size, hidden) makes it smaller.
    """

    gates: int
    carried: int
    adds_up: bool
    hidden_size: int
    proj_size = 0
    _step: Callable[..., States]

    @property
    def _sizes(self) -> tuple[int, ...]:
        """Of what is carried: of the output, and of an LSTM's cell."""
        return (self.proj_size or self.hidden_size, self.hidden_size)[: self.carried]

    def _declare(self, suffix: str, input_size: int | None, bias: bool) -> None:
        rows = self.gates * self.hidden_size
        setattr(self, "weight_ih" + suffix, waiting((rows, input_size)))
        setattr(self, "weight_hh" + suffix, waiting((rows, self._sizes[0])))
        for name in ("bias_ih", "bias_hh"):
            setattr(self, name + suffix, waiting((rows,)) if bias else None)
        if self.proj_size:
            setattr(self, "weight_hr" + suffix, waiting((self.proj_size, self.hidden_size)))

    def _parameters(self, suffix: str) -> list[Any]:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        return [getattr(self, name + suffix) for name in names[: 5 if self.proj_size else 4]]

    def _settle(self, suffix: str, input_size: int) -> None:
        for parameter in self._parameters(suffix):
            if parameter is not None:
                shape = [input_size if size is None else size for size in parameter.sizes]
                settle(parameter, shape, within_fan(self.hidden_size))

    def _product(self, x: Any, suffix: str) -> tuple[Any, list[Any]]:
        """x W + b for inputs (rows, input), and the values by which a step takes it from there."""
        weight_ih, weight_hh, bias_ih, bias_hh, *projection = self._parameters(suffix)
        if self.adds_up and bias_ih is not None:
            bias_ih, bias_hh = bias_ih + bias_hh, None
        z = ops.linear(x, weight_ih, bias_ih)
        return z, [weight_hh, bias_hh, *projection]

    def _zeros(self, z: Any, places: tuple[Any, ...]) -> States:
        """Zeros (*places, size) to start from, beside the product z."""
        made = {size: ops.zeros((*places, size), z.dtype, like=z) for size in dict.fromkeys(self._sizes)}
        return tuple(made[size] for size in self._sizes)

    def _given(self, state: Any, places: tuple[Any, ...]) -> list[Any]:
        """The states (*places, size) that the caller starts from, checked."""
        given = list(state) if self.carried > 1 and isinstance(state, (tuple, list)) else [state]
        if len(given) != self.carried:
            raise ShapeError(f"{type(self).__name__}: the initial state must be a pair (h, c)")
        for value, size in zip(given, self._sizes, strict=True):
            shape = (*places, size)
            if len(value.shape) != len(shape) or not all(map(sizes_match, value.shape, shape)):
                raise ShapeError(
                    f"{type(self).__name__}: an initial state has shape {str_shape(tuple(value.shape))}, "
                    f"expected {str_shape(shape)}"
                )
        return given


# --- cells ---------------------------------------------------------------------------------


class _Cell(Recurrent):
    """One step: `cell(x, state=None)` on x (N, input_size) or (input_size,) gives the new state,
    (N, hidden_size), for an LSTM a pair (h, c). Parameters: weight_ih, weight_hh, bias_ih, bias_hh.
    """

    def __init__(self, input_size: int | None, hidden_size: int, bias: bool = True) -> None:
        self.hidden_size = hidden_size
        self._declare("", input_size, bias)
        if input_size is not None:
            self._settle("", input_size)

    @property
    def input_size(self) -> int | None:
        """The input's size; None until it is known."""
        return size_of(self._parameters("")[0], 1)

    def settings(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"

    def forward(self, x: Any, state: Any = None) -> Any:
        if unsettled(*self._parameters("")):
            self._settle("", known_size(type(self).__name__, x.shape[-1]))
        z, values = self._product(x, "")
        if state is None:
            states = self._zeros(z, x.shape[:-1])
        else:
            states = tuple(self._given(state, x.shape[:-1]))
        new = self._step(z, states, *values)
        return tuple(new) if self.carried > 1 else new[0]


class RNNCell(RNNStep, _Cell):
    """h = tanh(x W + h U + b), or relu."""

    def __init__(
        self, input_size: int | None, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh"
    ) -> None:
        self.nonlinearity = known_nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias)


class LSTMCell(LSTMStep, _Cell):
    """One step of an LSTM."""


class GRUCell(GRUStep, _Cell):
    """One step of a GRU."""


for _kind in (RNNCell, LSTMCell, GRUCell):
    _kind.__doc__ = f"{_kind.__doc__}\n\n    {_Cell.__doc__}"


def known_nonlinearity(layer: str, name: str) -> str:
    """`name`, or SettingError."""
    if name not in ("tanh", "relu"):
        raise SettingError(f"{layer}: nonlinearity must be 'tanh' or 'relu', not {name!r}")
    return name
