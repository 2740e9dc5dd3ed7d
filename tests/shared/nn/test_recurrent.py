"""Recurrent layers: variable lengths, states, dropout between layers, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops
from shared.errors import SettingError, ShapeError
from tests.shared.nn.engines import on_dynamic, on_static
from tests.shared.nn.entry import Entry, flat, normal
from tests.shared.nn.layers import LAYERS

KINDS = [nn.RNN, nn.LSTM, nn.GRU]
each_kind = pytest.mark.parametrize("kind", KINDS)
LENGTHS = np.array([5, 2, 3, 0])


def results(model: nn.Module, x: Any, **kwargs: Any) -> list[Any]:
    return [y.numpy() for y in flat(model(dynamic.tensor(x), **kwargs))]


def starting(model: nn.Module, h: Any) -> Any:
    """A state to start from, the same h for all it carries."""
    return h if model.carried == 1 else (h,) * model.carried


@each_kind
def test_what_stands_behind_an_end_changes_no_bit_of_results_or_gradients(kind: type) -> None:
    """Not even NaN and infinity."""
    model = kind(4, 6, 2, bidirectional=True)
    x = normal(5, 4, 4)
    clean, dirty = x.copy(), x.copy()
    for row, length in enumerate(LENGTHS):
        clean[length:, row] = 0
        dirty[length:, row] = np.array([np.nan, np.inf, -np.inf, 1e38])
    found = []
    for values in (clean, dirty):
        model.zero_grad()
        t = dynamic.tensor(values, requires_grad=True)
        ys = flat(model(t, lengths=LENGTHS))
        sum((y * y).sum() for y in ys).backward()
        gradients = [t.grad, *(p.grad for p in model.parameters())]
        found.append([y.numpy() for y in (*ys, *gradients)])
    for a, b in zip(*found, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_array_equal(a, b)


@each_kind
def test_a_sequence_among_longer_ones_gives_what_it_gives_alone(kind: type) -> None:
    """Outputs up to its end, zeros behind, and the final state at its end, in both directions."""
    model = kind(4, 6, 2, bidirectional=True)
    x = normal(5, 4, 4)
    y, *finals = results(model, x, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        assert not y[length:, row].any()
        if length:
            alone, *ends = results(model, x[:length, row])
            np.testing.assert_allclose(y[:length, row], alone, rtol=1e-5, atol=1e-6)
            for final, end in zip(finals, ends, strict=True):
                np.testing.assert_allclose(final[:, row], end, rtol=1e-5, atol=1e-6)
        else:
            assert not any(final[:, row].any() for final in finals)


@each_kind
def test_full_lengths_are_no_lengths(kind: type) -> None:
    model = kind(4, 6, bidirectional=True)
    x = normal(5, 3, 4)
    for a, b in zip(results(model, x), results(model, x, lengths=[5, 5, 5]), strict=True):
        np.testing.assert_array_equal(a, b)


@each_kind
def test_a_layer_goes_on_from_the_state_it_gave(kind: type) -> None:
    model = kind(4, 6, 2)
    x = normal(6, 3, 4)
    whole, _ = model(dynamic.tensor(x))
    first, state = model(dynamic.tensor(x[:2]))
    second, _ = model(dynamic.tensor(x[2:]), state)
    np.testing.assert_allclose(whole.numpy(), ops.concatenate([first, second]).numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "cell"), [(nn.RNN, nn.RNNCell), (nn.LSTM, nn.LSTMCell), (nn.GRU, nn.GRUCell)]
)
def test_a_layer_is_its_cell_step_by_step(layer: type, cell: type) -> None:
    whole, one = layer(4, 6), cell(4, 6)
    one.load_state_dict({k.removesuffix("_l0"): v for k, v in whole.state_dict().items()})
    x, state = dynamic.tensor(normal(5, 3, 4)), None
    y, _ = whole(x)
    for t in range(5):
        state = one(x[t], state)
        np.testing.assert_allclose(y.numpy()[t], flat(state)[0].numpy(), rtol=1e-5, atol=1e-6)


@each_kind
def test_batch_first_is_the_same_turned(kind: type) -> None:
    one, other = kind(4, 6, 2, bidirectional=True), kind(4, 6, 2, bidirectional=True, batch_first=True)
    other.load_state_dict(one.state_dict())
    x = normal(5, 3, 4)
    lengths = [2, 5, 1]
    y, *finals = results(one, x, lengths=lengths)
    turned, *ends = results(other, x.swapaxes(0, 1), lengths=lengths)
    np.testing.assert_array_equal(y, turned.swapaxes(0, 1))
    for a, b in zip(finals, ends, strict=True):
        np.testing.assert_array_equal(a, b)


@each_kind
def test_dropout_stands_between_layers_and_nowhere_else(kind: type) -> None:
    """p = 1 leaves the second layer without inputs: it sees zeros, the first sees x."""
    model = kind(4, 6, 2, dropout=1.0)
    x = normal(5, 3, 4)
    y, *finals = results(model, x)
    other = normal(5, 3, 4)
    y_other, *finals_other = results(model, other)
    np.testing.assert_array_equal(y, y_other)
    assert (finals[0][0] != finals_other[0][0]).all()
    model.eval()
    assert (results(model, x)[0] != results(model, other)[0]).all()
    assert kind(4, 6, 1, dropout=0.5).dropout is None


@each_kind
def test_dropout_draws_anew_at_each_call_and_each_layer(kind: type) -> None:
    model = kind(4, 6, 3, dropout=0.5)
    x = normal(5, 3, 4)
    before = model.dropout.generator.data.copy()
    first, second = results(model, x)[0], results(model, x)[0]
    assert (first != second).any()
    assert model.dropout.generator.data[1] == before[1] + 4


@each_kind
def test_the_input_size_may_be_learnt(kind: type) -> None:
    model = kind(None, 6, 2)
    assert model.input_size is None
    model(dynamic.tensor(normal(5, 3, 4)))
    assert model.input_size == 4
    assert model.weight_ih_l1.shape == kind(4, 6, 2).weight_ih_l1.shape


SEQUENCES = [e for e in LAYERS if e.layer in KINDS and e.inputs[0].ndim == 3]


@pytest.mark.parametrize("entry", SEQUENCES, ids=str)
def test_a_number_of_steps_that_only_a_run_knows_makes_a_loop_of_the_same_numbers(entry: Entry) -> None:
    """Outputs to the bit; derivatives up to the order in which a state's cotangents are added."""
    shapes = [["T" if size == 5 else size for size in shape] for shape in entry.placeholder_shapes()]
    steps = on_dynamic(entry.make, entry.inputs, entry.call)
    loop = on_static(entry.make, entry.inputs, entry.call, shapes)
    for (what, a), (_, b) in zip(steps.flat(), loop.flat(), strict=True):
        if what.startswith("output"):
            np.testing.assert_array_equal(a, b, err_msg=what)
        else:
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5, err_msg=what)


@each_kind
def test_a_loop_runs_over_as_many_steps_as_it_is_fed(kind: type) -> None:
    """One graph, sequences of 1, 4 and 7 steps; its size does not depend on them."""
    model = kind(4, 6, 2, bidirectional=True)
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("T", "N", 4))
        made = flat(model(x))
        start = static.global_variables_initializer()
    with static.Session(graph=graph, optimize="exact") as session:
        session.run(start)
        for steps in (1, 4, 7):
            values = normal(steps, 3, 4)
            for a, b in zip(session.run(made, {x: values}), results(model, values), strict=True):
                np.testing.assert_array_equal(a, b)


@each_kind
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: m(dynamic.tensor(normal(4))), r"x \(4,\) must be \(T, N, features\)"),
        (lambda m: m(dynamic.tensor(normal(0, 3, 4))), "at least one time step"),
        (lambda m: m(dynamic.tensor(normal(5, 3, 4)), lengths=[1, 2]), r"lengths must be integers \(3,\)"),
        (lambda m: m(dynamic.tensor(normal(5, 3, 4)), lengths=[1, 2, 6]), "between 0 and the 5 time steps"),
        (lambda m: m(dynamic.tensor(normal(5, 3, 4)), lengths=[1.0, 2.0, 3.0]), "lengths must be integers"),
        (
            lambda m: m(dynamic.tensor(normal(5, 3, 4)), starting(m, dynamic.tensor(normal(1, 2, 6)))),
            r"an initial state has shape \(1, 2, 6\), expected \(1, 3, 6\)",
        ),
    ],
)
def test_what_does_not_fit_is_named(kind: type, call: Any, words: str) -> None:
    model = kind(4, 6)
    with pytest.raises(ShapeError, match=words):
        call(model)


def test_an_lstm_starts_from_a_pair() -> None:
    with pytest.raises(ShapeError, match=r"must be a pair \(h, c\)"):
        nn.LSTM(4, 6)(dynamic.tensor(normal(5, 3, 4)), dynamic.tensor(normal(1, 3, 6)))


@pytest.mark.parametrize("settings", [{"hidden_size": 0}, {"hidden_size": 3, "num_layers": 0}])
def test_sizes_must_be_positive(settings: dict[str, int]) -> None:
    with pytest.raises(SettingError, match="must be at least 1"):
        nn.GRU(4, **settings)


def test_an_unknown_nonlinearity_is_refused() -> None:
    with pytest.raises(SettingError, match="'tanh' or 'relu', not 'swish'"):
        nn.RNN(4, 6, nonlinearity="swish")


@pytest.mark.parametrize("make", [lambda: nn.LSTM(4, 6, 2, bidirectional=True), lambda: nn.LSTMCell(4, 6)])
def test_forget_gates_start_open_where_asked(make: Any) -> None:
    """The sum of both biases is the value, on the forget gate's quarter alone."""
    nn.manual_seed(1)
    before = make().state_dict()
    nn.manual_seed(1)
    after = nn.forget_gate_bias_(make(), 1.5).state_dict()
    for name, value in after.items():
        if name.startswith("bias_ih"):
            total = value + after[name.replace("ih", "hh")]
            np.testing.assert_array_equal(total[6:12], 1.5)
        if name.startswith("bias"):
            value, was = (np.delete(v, slice(6, 12)) for v in (value, before[name]))
        else:
            was = before[name]
        np.testing.assert_array_equal(value, was)
