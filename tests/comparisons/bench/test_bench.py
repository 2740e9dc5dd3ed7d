"""The benchmark: all race in the same thing, and what is said follows from the numbers."""

from __future__ import annotations

import importlib
import json
import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from click.testing import CliRunner

import static
from comparisons.__main__ import main
from comparisons.bench import ablation, command, growth, on_dynamic, on_static, process, race
from comparisons.bench.models import LOOPS, model
from comparisons.bench.nets import RESNET18
from comparisons.bench.peers import FAMILIES, OVERHEAD, PEERS, Peer, choose
from comparisons.bench.table import heading, table
from comparisons.bench.workloads import LARGER, WORKLOADS, as_layer

each_workload = pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
TRIED = WORKLOADS | {
    "resnet18": replace(
        LARGER["resnet18"], batch=2, net=replace(RESNET18, parts=RESNET18.parts[:4], features=128)
    ),
    "strided": LARGER["strided"],
    "depthwise": replace(LARGER["depthwise"], batch=2),
    "gpt": replace(LARGER["gpt"], batch=2),
}
each_tried = pytest.mark.parametrize("workload", TRIED.values(), ids=TRIED)
recurrent = [workload for workload in WORKLOADS.values() if workload.recurrent]


def losses(module, workload, style, count=2):
    training = module.train(workload, style)
    said = (value for value in training if not isinstance(value, str))
    found = list(islice(said, count))
    training.close()
    return found


def call(*arguments):
    return CliRunner().invoke(main, ["bench", *map(str, arguments)])


# --- the same for all ----------------------------------------------------------------------


@each_workload
def test_weights_and_data_are_the_same_each_time(workload):
    for one, other in zip(workload.weights().items(), workload.weights().items(), strict=True):
        assert one[0] == other[0]
        assert np.array_equal(one[1], other[1])
        assert one[1].dtype == np.float32
    for one, other in zip(workload.data(), workload.data(), strict=True):
        assert np.array_equal(one, other)


@each_tried
def test_our_engines_give_the_same_losses_bit_for_bit(workload):
    expected = losses(on_dynamic, workload, "layer")
    assert losses(on_static, workload, "exact") == expected
    assert losses(on_static, workload, "layer") == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("style", LOOPS)
@pytest.mark.parametrize("workload", recurrent, ids=lambda workload: workload.name)
def test_a_loop_around_a_cell_is_the_layer(workload, style):
    looped = losses(on_dynamic, workload, style)
    assert looped == pytest.approx(losses(on_dynamic, workload, "layer"), rel=1e-5)
    assert losses(on_static, workload, style) == pytest.approx(looped, rel=1e-5)


@each_tried
def test_pytorch_gives_the_same_losses(workload):
    pytest.importorskip("torch")
    on_torch = importlib.import_module("comparisons.bench.on_torch")
    ours = losses(on_dynamic, workload, "layer")
    for style in ("eager", "fused") if workload.recurrent else ("eager",):
        assert losses(on_torch, workload, style) == pytest.approx(ours, rel=race.TOLERANCE)


@each_workload
def test_training_makes_the_loss_smaller(workload):
    found = losses(on_dynamic, workload, "layer", 4)
    assert found[-1] < found[0]


def test_every_weight_is_a_parameter_of_the_model():
    for workload in TRIED.values():
        for style in ("layer", "loop") if workload.recurrent else ("layer",):
            made = dict(model(workload, style).named_parameters())
            loop = style == "loop" or not workload.recurrent
            assert set(made) == set(workload.weights() if loop else as_layer(workload.weights()))


# --- what is measured ----------------------------------------------------------------------


@pytest.mark.parametrize("module", [on_dynamic, on_static], ids=["dynamic", "static"])
def test_a_chain_takes_time_both_ways(module):
    run = module.chain(100)
    run()
    forward, backward = run()
    assert 0 < forward < 1
    assert 0 <= backward < 1


def test_the_graph_of_a_chain_holds_its_gradient_too():
    found = growth.measure(100)
    assert found["nodes"] > 200
    assert all(found[stage] > 0 for stage in growth.STAGES)


def timed(rounds, losses=(1.0,)):
    return {"version": "1", "rounds": rounds, "cpu": [0.1], "losses": list(losses), "first": 1.0}


def test_ratios_are_taken_round_by_round():
    """In the second round the machine was four times slower, for both: the ratio is the same."""
    found = {"dynamic": timed([[1.0], [4.0]]), "torch-eager": timed([[2.0], [8.0]])}
    race.compare(found, [PEERS["dynamic"], PEERS["torch-eager"]])
    ratio = found["torch-eager"]["ratios"]["dynamic"]
    assert (ratio["median"], ratio["low"], ratio["high"]) == (2.0, 2.0, 2.0)
    assert found["dynamic"]["ratios"] == {}
    assert found["dynamic"]["step"]["median"] == 2.5


@pytest.mark.parametrize(
    ("losses", "count", "agrees"),
    [
        ([1.0, 2.0], 5, True),
        ([1.0, 2.0 + 1e-5], 5, True),
        ([1.0, 2.0 + 1e-5], None, False),  # twins: not one bit
        ([1.0, 2.1], 5, False),
        ([1.0, 2.1], 1, True),
        ([1.0, math.nan], 5, False),
    ],
)
def test_losses_that_are_off_are_said_to_be(losses, count, agrees):
    assert race.agreement(losses, [1.0, 2.0], "dynamic", count)["agrees"] is agrees


def test_of_a_process_that_failed_the_error_is_told():
    said = "Traceback (most recent call last):\n  File x\nodd.OddError: no such thing\n  see elsewhere\n"
    assert process.last_words(said) == "odd.OddError: no such thing"
    assert process.last_words("killed\n") == "killed"
    assert process.last_words("") == ""


def test_a_peer_that_fails_does_not_stop_the_others():
    """Its process ends before it has said hello, for it knows no such peer."""
    broken = Peer("broken", "ours", "dynamic", "on_dynamic", "layer", "fails", ("tiny",))
    found: dict = {}
    race.race("tiny", [broken, PEERS["dynamic"]], process.Settings(rounds=1, steps=1), found)
    assert found["broken"] == {"error": "KeyError: 'broken'"}
    assert found["dynamic"]["step"]["count"] == 1
    assert "KeyError" in table("tiny", {"workloads": {"tiny": {"title": "", "found": found}}}).text()


# --- who takes part ------------------------------------------------------------------------


def test_ours_always_take_part_and_what_compiles_for_minutes_not_in_a_quick_run():
    names = [peer.name for peer in choose((), ("mlp",), quick=False)]
    functions = ["dynamic-function", "dynamic-function-fast", "static-function"]
    assert names == ["dynamic", "static", "static-exact", *functions]
    names = [peer.name for peer in choose(("torch",), ("lstm",), quick=True)]
    assert names == [
        "dynamic", "static", "static-exact", "dynamic-loop", "static-loop", "dynamic-function",
        "dynamic-function-fast", "dynamic-function-loop", "static-function", "torch-eager", "torch-fused",
    ]  # fmt: skip
    assert "torch-compile" in [peer.name for peer in choose(("torch-compile",), ("lstm",), quick=True)]
    assert "numpy" in [peer.name for peer in choose((), (OVERHEAD,), quick=False)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["speed"], "mlp"),
        (["--peers", "torche"], "torch-fused"),
        (["--python", "torch"], "PEER=PATH"),
        (["--python", "numpy=/bin/python"], "dezero"),
    ],
)
def test_a_name_that_there_is_not_is_refused_with_those_there_are(arguments, told):
    result = call(*arguments)
    assert result.exit_code == 2
    assert told in result.output


# --- what is shown -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """One step of `tiny` on our engines, by the command, in processes of their own."""
    path = tmp_path_factory.mktemp("bench") / "numbers.json"
    result = call("tiny", "--peers", "static", "--rounds", 1, "--steps", 1, "--threads", 1, "--json", path)
    assert result.exit_code == 0, result.output
    assert "equal bit for bit" in result.output
    return json.loads(path.read_text())


def test_the_command_measures_what_it_says(report):
    assert report["status"] == "done"
    found = report["workloads"]["tiny"]["found"]
    assert set(found) == {peer.name for peer in choose((), ("tiny",), quick=False)}
    for entry in found.values():
        assert entry["import"] > 0
        assert entry["build"] > 0
        assert entry["first"] > 0
        assert entry["step"]["median"] > 0
        assert entry["memory"]["step"] >= 0
        (warm,) = entry["warm"]  # as many starts as rounds, at most
        assert warm["import"] > 0
        assert warm["loss"] == entry["losses"][0]
    assert found["static"]["compile"] > 0
    assert found["dynamic-function"]["agrees"]["bitwise"]
    assert found["static-exact"]["agrees"]["bitwise"] and found["static"]["agrees"]["agrees"]
    assert report["settings"]["environment"]["OPENBLAS_NUM_THREADS"] == "1"
    assert report["host"]["cores"] >= 1


def test_a_warm_start_finds_what_the_cold_one_has_compiled(report):
    """And the cold one found nothing, whatever the user's own cache holds: compiling is most of it."""
    found = report["workloads"]["tiny"]["found"]["static"]
    assert race.to_first_loss(found["warm"][0]) < race.to_first_loss(found)


def test_the_table_says_whether_the_first_loss_comes_as_soon_as_we_want(report):
    entry = report["workloads"]["tiny"]
    ours = entry["found"]["static"]
    soon = ours | {"build": 0.1, "compile": 0.1, "first": 0.0, "warm": [{"build": 0.1, "first": 0.1}]}
    late = soon | {"build": 9.0, "warm": [{"build": 0.1, "first": 0.3}]}
    jax = ours | {"build": 0.0, "compile": 0.0, "first": 4.0}
    for mine, met, share, warm in ((soon, "reached", "0.05", "0.200"), (late, "missed", "2.3", "0.400")):
        found = {"static": mine, "jax-jit": jax}
        text = table("tiny", {"workloads": {"tiny": entry | {"found": found}}}).text()
        of_jax = "static's first loss, cold, in at most 0.25 of the time of jax-jit"
        assert f"goal {met}: {of_jax}, is {share}" in text
        assert f"goal {met}: static's first loss, warm, within 0.3 s, is {warm} s" in text


def test_what_is_not_installed_is_said(report):
    assert "left out: jax" in heading(report | {"not_installed": ["jax"]})


def test_the_table_shows_what_failed_and_which_goals_are_missed(report):
    entry = report["workloads"]["tiny"]
    mine = entry["found"]["dynamic"]
    slow = dict(mine, ratios={"dynamic": {"median": 0.5, "low": 0.5, "high": 0.5, "count": 1}})
    found = entry["found"] | {"torch-eager": slow, "jax-jit": {"error": "ImportError: nothing there"}}
    doctored = report | {"workloads": {"tiny": entry | {"found": found}}}
    text = table("tiny", doctored).text()
    assert "ImportError: nothing there" in text
    assert "goal missed: dynamic at least 1 times as fast as torch-eager, is 0.50" in text
    assert "goal reached" in table("tiny", _with_ratio(doctored, 1.5)).text()
    assert "0.50 x" in text


def _with_ratio(report, ratio):
    report["workloads"]["tiny"]["found"]["torch-eager"]["ratios"]["dynamic"]["median"] = ratio
    return report


def test_after_an_interruption_what_was_measured_is_kept(report, monkeypatch, tmp_path):
    def interrupted(name, peers, settings, found, watch):
        found.update(report["workloads"]["tiny"]["found"])
        raise KeyboardInterrupt

    monkeypatch.setattr(race, "race", interrupted)
    path = tmp_path / "numbers.json"
    result = call("tiny", "mlp", "--peers", "", "--json", path)
    assert result.exit_code == 130
    assert "dynamic" in result.output
    kept = json.loads(path.read_text())
    assert kept["status"] == "interrupted"
    assert list(kept["workloads"]) == ["tiny"]


def test_losses_that_are_off_fail_the_command(report, monkeypatch):
    def off(name, peers, settings, found, watch):
        found.update(report["workloads"]["tiny"]["found"])
        found["static"] = dict(found["static"], agrees=race.agreement([1.0], [2.0], "dynamic", None))

    monkeypatch.setattr(race, "race", off)
    result = call("tiny", "--peers", "")
    assert result.exit_code == 1
    assert "the losses of static are not those of dynamic" in result.output


def test_the_larger_workloads_race_only_when_named(monkeypatch):
    raced = []
    monkeypatch.setattr(command, "_one", lambda name, *rest: raced.append(name))
    command.bench((), (), process.Settings())
    assert not set(raced) & set(LARGER)
    command.bench(tuple(LARGER), (), process.Settings())
    assert raced[-len(LARGER) :] == list(LARGER)


def test_every_workload_of_the_command_has_a_title():
    assert set(command.TITLES) == set(command.NAMES)
    assert FAMILIES == ("torch", "jax", "tensorflow", "paddle", "dezero")


# --- passes --------------------------------------------------------------------------------


def test_every_pass_is_left_out_once_and_added_once_and_all_train_alike():
    found = ablation.measure(WORKLOADS["tiny"], "layer", rounds=1, steps=1)
    names = [one.name for one in static.PASSES]
    assert {f"without {name}" for name in names} <= found.keys()
    assert {f"up to {name}" for name in names[:-1]} <= found.keys()
    losses = [entry["loss"] for entry in found.values()]
    assert losses == pytest.approx([losses[0]] * len(losses), rel=1e-5)
    assert found["without gather"]["products"] > found["all"]["products"]
    shown = table("passes", {"workloads": {"passes": {"title": "", "found": {"tiny": found}}}}).text()
    assert "tiny: without gather" in shown
