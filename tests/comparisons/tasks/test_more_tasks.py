"""The tasks that a run does by name: both engines agree, and what is shown is what was learnt."""

from __future__ import annotations

import re

import numpy as np
import pytest

pytest.importorskip("sklearn")

from comparisons.report.look.shown import shown
from comparisons.running.watch import summary
from comparisons.tasks import TASKS
from comparisons.training.drive import ENGINES, Training, in_step
from comparisons.training.verify import verify
from shared.data.images import is_here


def trained(task, seed=0):
    trainings = [Training(task, engine, seed) for engine in ENGINES]
    in_step(trainings, lambda event: None)
    return [training.outcome for training in trainings]


@pytest.mark.parametrize("name", [name for name, t in TASKS.items() if not t.quick and not t.fetched])
def test_a_task_agrees_on_both_engines_and_shows_something_to_look_at(name):
    task = TASKS[name].with_steps(4)
    dynamic, static = trained(task, seed=3)
    evidence = verify(dynamic, static, task.tolerance)
    assert evidence["equal"], evidence
    assert evidence["steps"] == 4
    assert len(set(dynamic.losses)) == 4
    if task.show is not None:
        pictures = [shown(name, task.show(o.guesses, task)) for o in (dynamic, static)]
        assert re.match(r"<(svg|p)\b", pictures[0])
        assert pictures[0] == pictures[1]


def test_the_tasks_that_run_unasked_are_the_quick_ones():
    from comparisons.command_line.chosen import chosen

    assert [task.name for task in chosen((), False)[0]] == ["cnn_digits", "mlp_digits"]
    here = [name for name, task in TASKS.items() if not task.fetched or is_here(task.fetched)]
    assert [task.name for task in chosen((), True)[0]] == here
    assert [task.name for task in chosen(("rnn_sine",), False)[0]] == ["rnn_sine"]


def test_the_spiral_is_learnt_and_its_plane_is_divided_as_its_points_are():
    task = TASKS["mlp_spiral"]
    outcome, _ = trained(task)
    assert outcome.accuracy > 0.95
    found = task.show(outcome.guesses, task)
    plane, edge = np.array(found["plane"]), found["edge"]
    places = np.rint((np.array(found["points"]) / edge + 1) / 2 * (len(plane) - 1)).astype(int)
    assert (plane[places[:, 1], places[:, 0]] == found["classes"]).mean() > 0.9


def test_a_tolerance_takes_what_is_near_and_refuses_what_is_not():
    dynamic, static = trained(TASKS["mlp_digits"].with_steps(3))
    static.losses[1] *= 1 + 1e-6
    static.states["model/1.weight"] = static.states["model/1.weight"] * np.float32(1.001)
    assert not verify(dynamic, static)["equal"]
    near = verify(dynamic, static, 1e-5)
    assert near["equal"]
    assert near["apart"] == pytest.approx(1e-6, rel=1e-2)
    far = verify(dynamic, static, 1e-7)
    assert not far["equal"]
    assert far["first_difference"]["step"] == 2
    static.losses[2] = float("nan")
    assert verify(dynamic, static, 1e-5) | {"equal": False, "apart": None} == verify(dynamic, static, 1e-5)
    del static.states["model/1.bias"]
    static.losses[2] = dynamic.losses[2]
    assert verify(dynamic, static, 1e-5)["unequal_arrays"] == ["model/1.bias"]


def test_a_line_on_a_task_says_how_near_the_engines_are():
    dynamic, static = trained(TASKS["rnn_sine"].with_steps(2))
    entry = {"engines": {"dynamic": {}, "static": {}}, "verify": verify(dynamic, static)}
    assert summary(entry) == "equal bit for bit: 2 losses, 26 arrays of state"
    entry["verify"] = verify(dynamic, static, 1e-4)
    assert summary(entry) == "equal within 0.0001: 2 losses"
    static.losses[0] *= 2
    entry["verify"] = verify(dynamic, static, 1e-4)
    assert summary(entry) == "THE ENGINES DIFFER: the losses part at step 1"
