"""Recurrent cells, and loops over them: `nn.rnn_cell`, `nn.dynamic_rnn`, and what `contrib.rnn` called so.

A cell is called with (inputs (N, in), state) and gives (output (N, units), new state). It makes its variables
at the first call, in a scope inside the one at hand, and shares them from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from shared import nest, ops
from shared.errors import SettingError, ShapeError
from shared.spec import as_dtype
from static.graph.graph import Tensor
from static.graph.operands import as_tensor
from static.graph.scopes import variable_scope
from static.words import nn
from static.words.initializers import Ones, Zeros
from static.words.layers import Layer
from static.words.word import described


class LSTMStateTuple(NamedTuple):
    """What an LSTM keeps: its cell state and its output."""

    c: Any
    h: Any


class RNNCell(Layer):
    """What all cells are.

    state_size   the width of the state, or a structure of them
    output_size  the width of the output
    """

    kind = "rnn_cell"
    state_size: Any
    output_size: Any

    def __call__(self, inputs: Any, state: Any = None, scope: Any = None, **_: Any) -> Any:
        if scope is not None and self._scope is None:
            self._named = scope
        return super().__call__(inputs, state=state)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """A state of zeros for so many rows."""
        sizes, build = nest.flatten(self.state_size)
        with described():
            return build([ops.zeros((batch_size, size), as_dtype(dtype)) for size in sizes])


class _Units(RNNCell):
    """A cell of so many units."""

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None, kernel_initializer: Any = None,
        bias_initializer: Any = None, name: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name, reuse=reuse)
        self.units = self.state_size = self.output_size = int(num_units)
        self.activation = activation or ops.tanh
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer

    def product(self, place: str, x: Any, h: Any, gates: int, bias: Any = Zeros) -> Any:
        """[x, h] kernel + bias, (N, gates units)."""
        wide = (x.shape[-1] + self.units, gates * self.units)
        kernel = self.add(f"{place}kernel", wide, self.kernel_initializer)
        return ops.matmul(ops.concatenate([x, h], 1), kernel) + self.add(
            f"{place}bias", wide[1:], self.bias_initializer or bias
        )


class BasicRNNCell(_Units):
    """h = tanh([x, h] kernel + bias)."""

    kind = "basic_rnn_cell"

    def call(self, x: Tensor, state: Any) -> Any:
        h = self.activation(self.product("", x, state, 1))
        return h, h


class GRUCell(_Units):
    """r, u = sigmoid([x, h] kernel + bias), whose bias starts at 1; n = tanh([x, r h] kernel + bias);
    h = u h + (1 - u) n. Cho et al. 2014."""

    kind = "gru_cell"

    def call(self, x: Tensor, state: Any) -> Any:
        r, u = ops.split(ops.sigmoid(self.product("gates/", x, state, 2, Ones)), 2, 1)
        n = self.activation(self.product("candidate/", x, r * state, 1))
        h = u * state + (1 - u) * n
        return h, h


class BasicLSTMCell(_Units):
    """c = sigmoid(f + forget_bias) c + sigmoid(i) tanh(n); h = sigmoid(o) tanh(c), where i, f, n, o are the
    quarters of [x, h] kernel + bias. (TensorFlow 1 has them in the order i, n, f, o.) The state is an
    LSTMStateTuple, or, unless state_is_tuple, c and h side by side."""

    kind = "basic_lstm_cell"

    def __init__(
        self, num_units: int, forget_bias: float = 1.0, state_is_tuple: bool = True, activation: Any = None,
        reuse: Any = None, name: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(num_units, activation, reuse, name=name)
        self.forget_bias, self.state_is_tuple = float(forget_bias), state_is_tuple
        self.state_size: Any = LSTMStateTuple(self.units, self.units) if state_is_tuple else 2 * self.units

    def call(self, x: Tensor, state: Any) -> Any:
        c, h = state if self.state_is_tuple else ops.split(state, 2, 1)
        z = self.product("", x, h, 4)
        z = z + np.repeat([0, self.forget_bias, 0, 0], self.units).astype(z.dtype)
        if self.activation is ops.tanh:
            h, c = ops.lstm_cell(z, c)
        else:
            i, f, n, o = ops.split(z, 4, 1)
            c = ops.sigmoid(f) * c + ops.sigmoid(i) * self.activation(n)
            h = ops.sigmoid(o) * self.activation(c)
        return h, LSTMStateTuple(c, h) if self.state_is_tuple else ops.concatenate([c, h], 1)


class LSTMCell(BasicLSTMCell):
    """The same, with an initialiser for its kernel. It has no peepholes, clipping or projection."""

    kind = "lstm_cell"

    def __init__(
        self, num_units: int, use_peepholes: bool = False, cell_clip: Any = None, initializer: Any = None,
        num_proj: Any = None, forget_bias: float = 1.0, state_is_tuple: bool = True, activation: Any = None,
        reuse: Any = None, name: str | None = None,
    ) -> None:  # fmt: skip
        if use_peepholes or cell_clip is not None or num_proj is not None:
            raise SettingError(
                "LSTMCell: it has no peepholes, cell_clip or num_proj; write an RNNCell with a call() of ops"
            )
        super().__init__(num_units, forget_bias, state_is_tuple, activation, reuse, name)
        self.kernel_initializer = initializer


class MultiRNNCell(RNNCell):
    """Cells on top of each other; the state is a tuple of theirs."""

    kind = "multi_rnn_cell"

    def __init__(self, cells: Sequence[RNNCell], state_is_tuple: bool = True) -> None:
        super().__init__()
        if len(set(map(id, cells))) < len(cells):
            raise SettingError("MultiRNNCell: one cell twice would share its variables; make one for each")
        if not state_is_tuple:
            raise SettingError("MultiRNNCell: the state is a tuple; leave state_is_tuple out")
        self.cells = list(cells)
        self.state_size = tuple(cell.state_size for cell in cells)
        self.output_size = cells[-1].output_size

    def call(self, x: Tensor, state: Any) -> Any:
        states = []
        for number, (cell, own) in enumerate(zip(self.cells, state, strict=True)):
            with variable_scope(f"cell_{number}"):
                x, new = cell(x, own)
            states.append(new)
        return x, tuple(states)


class DropoutWrapper(RNNCell):
    """A cell of whose inputs, outputs and states shares are kept: numbers, or Tensors of one."""

    def __init__(
        self, cell: RNNCell, input_keep_prob: Any = 1.0, output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0, seed: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.cell, self.state_size, self.output_size = cell, cell.state_size, cell.output_size
        self.keeps, self.seed = (input_keep_prob, output_keep_prob, state_keep_prob), seed

    def __call__(self, inputs: Any, state: Any = None, scope: Any = None, **_: Any) -> Any:
        kept = [lambda x, keep=keep: nn.dropout(x, keep, seed=self.seed) for keep in self.keeps]
        y, state = self.cell(kept[0](as_tensor(inputs)), state, scope)
        values, build = nest.flatten(state)
        return kept[1](y), build([kept[2](value) for value in values])


# --- loops -----------------------------------------------------------------------------------------


def _start(call: str, cell: RNNCell, x: Any, initial_state: Any, dtype: Any, axis: int = 0) -> Any:
    if initial_state is not None:
        return initial_state
    if dtype is None:
        raise SettingError(f"{call}: give initial_state, or the dtype of one of zeros")
    return cell.zero_state(x.shape[axis], dtype)


def _where(alive: Any, new: Any, old: Any) -> Any:
    """Values of one structure: the new ones in rows that are alive."""
    values, build = nest.flatten(new)
    before = nest.flatten(old)[0]
    return build([ops.where(alive, a, b) for a, b in zip(values, before, strict=True)])


def _looped(cell: RNNCell, x: Any, lengths: Any, start: Any, reverse: bool = False) -> tuple[Any, Any]:
    """(outputs, last state) of a cell over x (T, N, in)."""
    times = ops.arange(x.shape[0]) if lengths is not None else None

    def step(state: Any, now: Any) -> tuple[Any, Any]:
        y, new = cell(now[0], state)
        if lengths is None:
            return new, y
        alive = ops.expand_dims(ops.less(now[1], lengths), 1)
        return _where(alive, new, state), ops.where(alive, y, 0)

    state, outputs = ops.scan(step, start, (x, times), reverse=reverse)
    return outputs, state


def dynamic_rnn(
    cell: RNNCell, inputs: Any, sequence_length: Any = None, initial_state: Any = None, dtype: Any = None,
    parallel_iterations: int | None = None, swap_memory: bool = False, time_major: bool = False,
    scope: Any = None,
) -> tuple[Any, Any]:  # fmt: skip
    """A cell over inputs (N, T, in), or (T, N, in) if time_major: (outputs, state), the outputs as the inputs
    are. One node that holds one step, for any T.

    sequence_length (N,): behind its end a row's outputs are zeros, and its state stays.
    parallel_iterations, swap_memory: change nothing.
    """
    x = as_tensor(inputs)
    if len(x.shape) != 3:
        raise ShapeError(f"dynamic_rnn: inputs are (N, T, in), not {x.spec}; reshape or expand_dims them")
    with variable_scope(scope, "rnn"):
        x = x if time_major else ops.swapaxes(x, 0, 1)
        start = _start("dynamic_rnn", cell, x, initial_state, dtype, 1)
        lengths = None if sequence_length is None else as_tensor(sequence_length)
        outputs, state = _looped(cell, x, lengths, start)
    return (outputs if time_major else ops.swapaxes(outputs, 0, 1)), state


def bidirectional_dynamic_rnn(
    cell_fw: RNNCell, cell_bw: RNNCell, inputs: Any, sequence_length: Any = None,
    initial_state_fw: Any = None, initial_state_bw: Any = None, dtype: Any = None,
    parallel_iterations: int | None = None, swap_memory: bool = False, time_major: bool = False,
    scope: Any = None,
) -> tuple[Any, Any]:  # fmt: skip
    """Two cells, one from the first step on, one from the last: ((outputs, outputs), (state, state))."""
    x = as_tensor(inputs)
    found = []
    with variable_scope(scope, "bidirectional_rnn"):
        x = x if time_major else ops.swapaxes(x, 0, 1)
        lengths = None if sequence_length is None else as_tensor(sequence_length)
        for name, cell, start in (("fw", cell_fw, initial_state_fw), ("bw", cell_bw, initial_state_bw)):
            with variable_scope(name):
                state = _start("bidirectional_dynamic_rnn", cell, x, start, dtype, 1)
                found.append(_looped(cell, x, lengths, state, reverse=name == "bw"))
    outputs = tuple(y if time_major else ops.swapaxes(y, 0, 1) for y, _ in found)
    return outputs, tuple(state for _, state in found)


def static_rnn(
    cell: RNNCell, inputs: Sequence[Any], initial_state: Any = None, dtype: Any = None,
    sequence_length: Any = None, scope: Any = None,
) -> tuple[list[Any], Any]:  # fmt: skip
    """A cell over a list of inputs (N, in), one for each step: (list of outputs, state), step by step."""
    steps = [as_tensor(x) for x in inputs]
    if not steps:
        raise SettingError("static_rnn: inputs are a list of one Tensor for each step, and there is none")
    lengths = None if sequence_length is None else as_tensor(sequence_length)
    outputs = []
    with variable_scope(scope, "rnn"):
        state = _start("static_rnn", cell, steps[0], initial_state, dtype)
        for t, x in enumerate(steps):
            y, new = cell(x, state)
            if lengths is not None:
                alive = ops.expand_dims(ops.greater(lengths, t), 1)
                y, new = ops.where(alive, y, 0), _where(alive, new, state)
            outputs.append(y)
            state = new
    return outputs, state
