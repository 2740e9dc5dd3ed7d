"""Promise: TensorFlow 1's names are here, or say what to write."""

from __future__ import annotations

import importlib
import sys
from functools import reduce
from typing import Any

import numpy as np
import pytest

import static
from shared.errors import ArgumentError, SettingError
from static.aliases import ABSENT, PLACES, ROWS
from static.graph.unused import NoEffectWarning
from static.words.word import arguments
from tests.static.words import names


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as made:
        yield made


def at(name: str) -> Any:
    return reduce(getattr, name.split("."), static)


def test_of_109_names_at_least_95_are_here() -> None:
    assert len(names.USED) == 109 and len(names.USED) - len(names.ABSENT) >= 95


@pytest.mark.parametrize("name", [name for name in names.USED if name not in names.ABSENT])
def test_a_name_that_tutorials_use_is_here(name: str) -> None:
    at(name)


@pytest.mark.parametrize("name", [*names.ABSENT, *ABSENT])
def test_a_name_that_is_not_here_says_what_to_write(name: str) -> None:
    if name in static.WORDS.namespaces:  # of which some names are here
        name += ".AnythingElse"
    with pytest.raises(AttributeError, match=rf"static\.{name.partition('.')[0]}[\w.]*: .{{10}}"):
        at(name)


@pytest.mark.parametrize("name", ROWS)
def test_every_row_of_the_table_leads_somewhere(name: str) -> None:
    assert at(name) is at(name)
    row = ROWS[name]
    assert row if isinstance(row, str) else arguments(row[1])


def test_every_place_is_used_and_no_name_stands_twice() -> None:
    used = {(row if isinstance(row, str) else row[0]).partition(":")[0] for row in ROWS.values()}
    assert used == set(PLACES)
    assert not set(ROWS) & set(static.__all__) and not set(ROWS) & set(ABSENT)


def test_a_name_that_was_misspelt_is_guessed_and_dir_lists_all() -> None:
    with pytest.raises(AttributeError, match="is it softmax"):
        at("nn.softmaxx")
    with pytest.raises(AttributeError, match="is it reduce_mean"):
        at("reduce_meann")
    assert {"nn", "reduce_sum", "Session", "float32"} <= set(dir(static)) and "rnn_cell" in dir(static.nn)
    assert not hasattr(static, "__wrapped__") and not hasattr(static.nn, "__path__")


def test_a_namespace_is_imported_from() -> None:
    rnn = importlib.import_module("static.contrib.rnn")
    assert rnn.BasicLSTMCell is static.nn.rnn_cell.BasicLSTMCell and sys.modules["static.nn"] is static.nn


def test_name_names_what_a_call_gives() -> None:
    x = static.placeholder(static.float32, [None, 3], name="x")
    made = [
        static.matmul(x, np.ones((3, 2), np.float32), name="y"), static.reduce_sum(x, 1, name="y"),
        static.reshape(x, x.shape, name="same"), static.nn.relu(x, name="r"), static.zeros([2], name="z"),
        static.split(x, 3, 1, name="parts")[1], static.random_normal([2], name="noise"),
    ]  # fmt: skip
    assert [t.name for t in made] == ["y:0", "y_1:0", "same:0", "r:0", "z:0", "parts:1", "noise:0"]
    assert static.get_default_graph().get_tensor_by_name("y:0") is made[0]
    with static.name_scope("s"):
        assert static.add(x, 1.0, name="a").op.name == "s/a"
    assert static.matmul(x, np.ones((3, 2), np.float32)).name == "matmul:0"  # no number was used up
    with pytest.raises(SettingError, match="name is text"):
        static.add(x, x, name=3)


def test_arguments_go_by_tensorflows_names_and_others_are_told() -> None:
    x = static.constant([[1.0, 5.0], [7.0, 2.0]])
    made = [
        static.argmax(input=x, axis=1), static.argmax(x), static.argmax(x, dimension=1),
        static.reduce_max(input_tensor=x, reduction_indices=[1], keep_dims=True),
        static.concat(values=[x, x], axis=0), static.expand_dims(x, dim=0),
        static.nn.softmax(logits=x, dim=0),
    ]  # fmt: skip
    values = static.Session().run(made)
    assert [v.tolist() for v in values[:3]] == [[1, 0], [1, 0], [1, 0]] and values[3].shape == (2, 1)
    with pytest.raises(ArgumentError, match=r"reduce_max: there is no dim= here; it takes x or input_tensor"):
        static.reduce_max(x, dim=1)
    with pytest.raises(ArgumentError, match="given twice"):
        static.reduce_max(x, 1, reduction_indices=1)
    for old in (lambda: static.concat(1, [x, x]), lambda: static.split(0, 2, x)):
        with pytest.raises(SettingError, match=r"since TensorFlow 1\.0"):
            old()
    with pytest.raises(SettingError, match="named arguments"):
        static.nn.softmax_cross_entropy_with_logits(x, x)


def test_a_call_without_tensors_is_described_too() -> None:
    import dynamic  # noqa: F401  which would compute at once, were it asked

    made = [
        static.zeros([2]), static.add(1, 2), static.one_hot([1], 2), static.range(3),
        static.nn.rnn_cell.GRUCell(2).zero_state(3, static.float32),
    ]  # fmt: skip
    assert all(isinstance(t, static.Tensor) for t in made)
    assert static.Session().run(made)[1] == 3


def test_what_changes_nothing_says_so_once() -> None:
    config = static.ConfigProto()
    config.gpu_options.allow_growth = True
    with pytest.warns(NoEffectWarning, match="allow_growth changes nothing here: memory is taken"):
        static.Session(config=config)
    static.Session(config=config)  # a second time is an error here, if it warns
    with pytest.raises(SettingError, match="no option 'allow_grwth'"):
        static.GPUOptions(allow_grwth=True)
    with pytest.warns(NoEffectWarning, match="swap_memory changes nothing"):
        static.while_loop(lambda i: i < 3, lambda i: i + 1, [static.constant(0)], swap_memory=True)
