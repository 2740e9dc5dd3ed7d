"""Every task gives the same numbers on both engines, and learns what it should."""

from __future__ import annotations

import linecache
import math

import numpy as np
import pytest

from comparisons.tasks import TASKS
from comparisons.training.drive import ENGINES, EXACT, FAST, Training, in_step, script
from comparisons.training.verify import LEVELS_TOLERANCE, levels_apart, verify


def both(task, seed=0):
    trainings = [Training(task, engine, seed) for engine in ENGINES]
    events = []
    in_step(trainings, events.append)
    return [training.outcome for training in trainings], events


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if not task.fetched])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_task_gives_the_same_numbers_on_both_engines(name, seed):
    outcomes, _ = both(TASKS[name].with_steps(12), seed)
    evidence = verify(*outcomes, TASKS[name].tolerance)
    assert evidence["equal"], evidence
    assert evidence["steps"] == 12
    assert evidence["numbers"] >= 2


def test_the_whole_state_is_compared_also_moments_and_dropout_generators():
    outcomes, _ = both(TASKS["cnn_digits"].with_steps(2))
    names = list(outcomes[0].states)
    for path in ("model/0.weight", "model/8.bias", "model/7.generator", "optimizer/0.weight/exp_avg"):
        assert path in names, names
    parameters = [name for name in names if name.endswith((".weight", ".bias"))]
    moments = [name for name in names if name.startswith("optimizer/") and "exp_avg" in name]
    assert len(moments) == 2 * len(parameters)


def test_the_cnn_reads_97_percent_of_the_test_digits_on_both_engines():
    task = TASKS["cnn_digits"]
    outcomes, _ = both(task)
    assert verify(*outcomes)["equal"]
    assert len(outcomes[0].losses) == task.steps
    for outcome in outcomes:
        assert outcome.accuracy >= 0.97
        assert outcome.accuracy >= task.goal


def test_another_seed_is_another_run():
    outcomes = [both(TASKS["mlp_digits"].with_steps(3), seed)[0][0] for seed in (0, 1)]
    assert outcomes[0].losses != outcomes[1].losses


def test_engines_take_turns_and_static_alone_compiles():
    _, events = both(TASKS["mlp_digits"].with_steps(3))
    said = [(event.engine, event.phase) for event in events]
    assert said[:5] == [
        ("dynamic", "build"), ("dynamic", "step"),
        ("static", "build"), ("static", "compile"), ("static", "step"),
    ]  # fmt: skip
    assert said[5:9] == [("dynamic", "step"), ("static", "step")] * 2
    assert said[9:] == [("dynamic", "done"), ("static", "done")]
    assert all(event.seconds > 0 for event in events)


def test_a_training_that_is_left_early_leaves_no_default_graph_behind():
    import static

    before = static.get_default_graph()
    training = Training(TASKS["mlp_digits"].with_steps(5), "static")
    while training.advance().phase != "step":
        pass
    assert static.get_default_graph() is before
    training.close()
    assert static.get_default_graph() is before


def test_verify_finds_one_changed_bit_anywhere():
    outcomes, _ = both(TASKS["mlp_digits"].with_steps(4))
    dynamic, static = outcomes

    losses = list(static.losses)
    static.losses[2] = np.nextafter(np.float32(losses[2]), np.float32(9)).item()
    found = verify(dynamic, static)
    assert not found["equal"]
    assert found["unequal_steps"] == 1
    assert found["first_difference"] == {"step": 3, "dynamic": losses[2], "static": static.losses[2]}
    static.losses[:] = losses

    name = next(name for name in static.states if name.endswith("weight"))
    changed = static.states[name].copy()
    changed.flat[0] = -0.0 if changed.flat[0] == 0 else np.nextafter(changed.flat[0], np.float32(9))
    static.states[name] = changed
    found = verify(dynamic, static)
    assert not found["equal"]
    assert found["unequal_arrays"] == [name]


def test_verify_takes_nan_for_equal_to_itself_and_zero_for_unequal_to_minus_zero():
    outcomes, _ = both(TASKS["mlp_digits"].with_steps(2))
    dynamic, static = outcomes
    dynamic.losses[:] = static.losses[:] = [float("nan"), 0.0]
    assert verify(dynamic, static)["equal"]
    static.losses[:] = [float("nan"), -0.0]
    assert verify(dynamic, static)["first_difference"] == {"step": 2, "dynamic": 0.0, "static": -0.0}


def test_a_static_script_at_another_level_is_the_same_text_but_for_one_word():
    for loop in {task.loop: task for task in TASKS.values()}.values():
        shown, other = (script(loop, "static", level).train for level in (EXACT, FAST))
        texts = [linecache.getlines(train.__code__.co_filename) for train in (shown, other)]
        differing = [(a, b) for a, b in zip(*texts, strict=True) if a != b]
        assert len(differing) == 1, loop.loop
        ((a, b),) = differing
        assert a.replace('"exact"', '"fast"') == b
        with pytest.raises(ValueError, match="says it 0 times"):
            script(loop, "dynamic", FAST)


def test_the_losses_of_two_levels_are_judged_by_the_first_of_them():
    apart = levels_apart([1.0, 2.0, math.nan], [1.0, 2.0, math.nan])
    assert apart == {
        "steps": 3, "first": 3, "tolerance": LEVELS_TOLERANCE, "first_apart": 0.0, "apart": 0.0,
        "within": True,
    }  # fmt: skip
    later = levels_apart([1.0] * 6, [1.0] * 5 + [2.0])
    assert (later["first_apart"], later["apart"], later["within"]) == (0.0, 0.5, True)
    assert not levels_apart([1.0], [1.0 + 2 * LEVELS_TOLERANCE])["within"]
    assert levels_apart([1.0], [math.inf])["apart"] is None
    assert not levels_apart([1.0], [math.nan])["within"]
