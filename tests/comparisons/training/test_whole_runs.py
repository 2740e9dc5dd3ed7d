"""Every task, trained to its end at static's levels: "fast" stays where "exact" goes.

In float64 what the levels round differently stays small however long a training amplifies it, so one
tight tolerance holds for all: a rewriting that is wrong, and not just rounded, shows. In float32, in
which tasks are trained, the tolerance says how far rounding alone carries a whole run.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from comparisons.tasks import TASKS
from comparisons.training import drive as train
from comparisons.training.drive import EXACT, FAST, Training
from comparisons.training.verify import LEVELS_TOLERANCE, levels_apart

WIDE_TOLERANCE = 1e-10
"""How far losses may lie apart in float64, as a share."""
CARRIED_FAR = {
    # The same weights act on 32 characters in each of 300 steps, and the state goes on from one step to
    # the next: 1e-7 has become 1e-3 by the end, as in float64 1e-16 has become 1e-12.
    "lstm_text": 1e-2,
    "rnn_text": 1e-2,
    # A last bit decides at times which element of a pooling window is the largest, and then other weights
    # learn: exact itself goes 0.09 to 0.3 away when its weights are changed by 1e-7 to 3e-5 at the start.
    "cnn_digits": 0.3,
}
"""Tasks whose training amplifies rounding beyond LEVELS_TOLERANCE, and what holds for them in float32."""

pytestmark = pytest.mark.slow
each_task = pytest.mark.parametrize("name", [name for name, task in TASKS.items() if not task.fetched])


def losses(task, level):
    training = Training(task, "static", level=level)
    while training.advance() is not None:
        pass
    return training.outcome


@each_task
def test_fast_stays_within_its_tolerance_over_a_whole_training(name):
    exact, fast = (losses(TASKS[name], level).losses for level in (EXACT, FAST))
    found = levels_apart(exact, fast)
    assert found["steps"] == TASKS[name].steps
    assert found["within"], found
    assert found["apart"] <= CARRIED_FAR.get(name, LEVELS_TOLERANCE), found


@each_task
def test_in_float64_fast_is_exact_but_for_rounding_over_a_whole_training(name, monkeypatch):
    monkeypatch.setattr(train, "script", wide(train.script))
    exact, fast = (losses(in_float64(TASKS[name]), level) for level in (EXACT, FAST))
    floats = {state.dtype.name for state in fast.states.values() if state.dtype.kind == "f"}
    assert floats == {"float64"}
    found = levels_apart(exact.losses, fast.losses)
    assert found["apart"] <= WIDE_TOLERANCE, found


def in_float64(task):
    """The same task with weights and examples of twice the digits."""
    examples = task.examples

    def data():
        wider = [a.astype(np.float64) if getattr(a, "dtype", None) == np.float32 else a for a in examples]
        return type(examples)(*wider)

    return replace(task, model=lambda: task.model().astype("float64"), data=data)


def wide(script):
    """`script`, whose modules say float64 where the text says float32."""

    def widened(task, engine, level):
        module = script(task, engine)
        source = inspect.getsource(module).replace("float32", "float64")
        found = ModuleType(f"{module.__name__}_wide")
        exec(source.replace(f'optimize="{EXACT}"', f'optimize="{level}"'), found.__dict__)
        return found

    return widened
