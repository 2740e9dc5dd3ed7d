"""Many ranks: the model of what messages cost, the shares that ranks train on, and teams of processes."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from comparisons.bench import command, on_dynamic, process
from comparisons.bench.nets import RESNET50
from comparisons.bench.peers import SCALED, choose
from comparisons.bench.process import PeerError
from comparisons.bench.ranks import cost, scaling, training, wires
from comparisons.bench.ranks.team import Team
from comparisons.bench.table import table
from comparisons.bench.workloads import EVERY
from shared.ranks.buckets import cut
from tests.ranks.launched import needs_mpi

COSTS = cost.Costs(alpha=1e-6, beta=1e-9, gamma=2e-10, copy=3e-10, call=4e-6)
each_sum = pytest.mark.parametrize("sum_", [cost.ordered, cost.doubling, cost.halving, cost.ring])
SETTINGS = process.Settings(rounds=1, threads=1)


# --- the model -----------------------------------------------------------------------------


@each_sum
def test_one_rank_sends_nothing(sum_):
    assert sum_(1, 1e6, COSTS) == 0
    assert cost.step(cost.NETS["gpt"], 1, 2.0, COSTS, sum_) == (2.0, 2.0)


def test_sums_cost_what_the_formulas_say():
    m, n = 1_000_000, 8
    sent = Fraction(7, 8) * m
    moved = float(2 * sent) * 1e-9 + float(sent) * 2e-10  # 1.925 ms
    assert moved == pytest.approx(1.925e-3)
    assert cost.ring(n, m, COSTS) == pytest.approx(14e-6 + moved)
    assert cost.halving(n, m, COSTS) == pytest.approx(6e-6 + moved)
    assert cost.doubling(n, m, COSTS) == pytest.approx(3e-6 + 3 * m * 1.2e-9)
    assert cost.ordered(n, m, COSTS) == pytest.approx(4e-6 + m * 3e-10 + 14e-6 + moved)
    assert cost.ordered(n, 100, COSTS) == pytest.approx(4e-6 + 3e-8 + 7 * (1e-6 + 100 * 1.2e-9))


@each_sum
def test_more_bytes_and_more_ranks_cost_more(sum_):
    for n in (2, 4, 64, 1024):
        times = [sum_(n, m, COSTS) for m in (10**6, 10**7, 10**8)]
        assert times == sorted(set(times))
    times = [sum_(n, 1e7, COSTS) for n in cost.RANKS]
    assert times == sorted(set(times))


def test_our_order_costs_messages_and_no_bytes():
    free = replace(COSTS, alpha=0.0, copy=0.0, call=0.0)
    assert cost.ordered(64, 1e7, free) == cost.halving(64, 1e7, free) == cost.ring(64, 1e7, free)
    late = cost.Costs(alpha=1.0, beta=0.0)
    assert (cost.ordered(64, 1e7, late), cost.halving(64, 1e7, late)) == (126, 12)


def test_a_line_is_found_again_and_its_interval_holds_it():
    sizes = [4.0**k for k in range(1, 13)]
    exact = cost.line(sizes, [1e-6 + 2e-10 * m for m in sizes])
    assert exact.alpha == pytest.approx((1e-6,) * 3)
    assert exact.beta == pytest.approx((2e-10,) * 3)
    held = 0
    for seed in range(200):
        noise = 1 + 0.1 * np.random.default_rng(seed).standard_normal(len(sizes))
        found = cost.line(sizes, [(1e-6 + 2e-10 * m) * e for m, e in zip(sizes, noise, strict=True)])
        held += found.alpha[1] <= 1e-6 <= found.alpha[2] and found.beta[1] <= 2e-10 <= found.beta[2]
    assert 160 <= held < 200  # two intervals of two standard errors, of few points


def test_nets_have_the_gradients_that_they_are_said_to_have():
    fc = (RESNET50.features + 1) * RESNET50.classes
    convolutions = sum(
        c.outputs * c.inputs // c.groups * c.kernel**2 + 2 * c.outputs for c in RESNET50.convolutions()
    )
    assert cost.NETS["resnet50"].parameters == fc + convolutions
    width, tokens = 768, 50_257
    block = 12 * width**2 + 13 * width  # four products, their biases, two norms
    assert cost.NETS["gpt"].parameters == (tokens + 1024) * width + 12 * block + 2 * width


def test_messages_are_those_that_gradients_go_in():
    arrays = [np.empty(1 << 14, np.float32)] * 300
    sizes = [len(bucket) << 16 for bucket in cut(arrays, 1 << 20)]
    assert cost.messages(300 << 16, 1 << 20) == sizes
    assert sum(cost.messages(cost.NETS["gpt"].bytes)) == cost.NETS["gpt"].bytes


def test_what_is_hidden_is_no_more_than_backward_lasts():
    net = cost.NETS["resnet50"]
    sent = sum(cost.ordered(8, m, COSTS) for m in cost.messages(net.bytes))
    last = cost.ordered(8, cost.messages(net.bytes)[-1], COSTS)
    assert cost.step(net, 8, 0.003, COSTS) == pytest.approx((0.001 + sent, 0.003 + sent))
    assert cost.step(net, 8, 100.0, COSTS) == pytest.approx((100 + last, 100 + sent))


def test_efficiency_falls_with_ranks_and_is_told_apart_from_what_was_measured():
    for found in cost.predicted(COSTS, {"resnet50": 1e11, "gpt": 1e11}):
        for share in (found["best"], found["worst"]):
            assert share[0] == 1
            assert share == sorted(share, reverse=True)
        assert all(worst <= best for best, worst in zip(found["best"], found["worst"], strict=True))
        assert found["measured"] == ("assumed" not in found["place"])


# --- shares --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCALED.values())
@pytest.mark.parametrize("weak", [True, False])
def test_the_shares_of_all_ranks_are_one_ranks_rows(name, weak):
    workload = EVERY[name]
    whole = replace(workload, batch=workload.batch * (4 if weak else 1)).data()
    shares = [training.share(name, rank, 4, weak, talk=True) for rank in range(4)]
    for place, array in enumerate(whole):
        parts = [share.data()[place] for share in shares]
        assert np.array_equal(np.concatenate(parts, shares[0].axis), array)


def trained(system, name, count=2):
    steps = (said for said in training.TRAINED[system](training.Share(EVERY[name])) if said not in PHASES)
    return list(islice(steps, count))


PHASES = ("build", "compile")


def test_a_rank_by_itself_trains_as_the_bench_does():
    steps = (said for said in on_dynamic.train(EVERY["mlp"], "layer") if said not in PHASES)
    expected = list(islice(steps, 2))
    assert trained("dynamic", "mlp") == expected
    assert trained("static", "mlp") == pytest.approx(expected, rel=1e-5)


def test_pytorchs_rank_by_itself_gives_the_same_losses():
    pytest.importorskip("torch")
    assert trained("torch-ddp", "mlp") == pytest.approx(trained("dynamic", "mlp"), rel=1e-5)


# --- teams ---------------------------------------------------------------------------------


def test_a_rank_that_fails_says_why():
    with Team("nobody", 1, SETTINGS) as team, pytest.raises(PeerError, match="nobody"):
        team.ask("first", workload="mlp", weak=True)


@needs_mpi
def test_two_ranks_train_and_are_measured():
    with Team("dynamic", 2, SETTINGS) as team:
        first = team.ask("first", workload="mlp", weak=False)
        more = team.ask("steps", warm=1, count=1)
        assert all(answer["seconds"] > 0 for answer in more)
        losses = [[a["loss"], *b["losses"]] for a, b in zip(first, more, strict=True)]
        assert np.mean(losses, 0) == pytest.approx(trained("dynamic", "mlp", 3), rel=1e-5)
        for seconds in (
            team.ask("echo", size=64, count=3)[0]["seconds"],
            team.ask("sums", size=64, count=3, check=True)[1]["seconds"],
            *team.ask("adds", size=64, count=3)[0].values(),
        ):
            assert len(seconds) == 3
            assert min(seconds) > 0


# --- what is shown -------------------------------------------------------------------------


def racing(monkeypatch, fails=()):
    """A race in which every rank makes 10 steps a second, four ranks with an error."""

    class Made:
        def __init__(self, system, ranks, settings, talk=True, **environment):
            if (system, ranks) in fails:
                raise PeerError("it did not start")
            self.ranks, self.hellos = ranks, [{"version": "1"}]

        def ask(self, do, workload="", weak=True, warm=0, count=0):
            found = {
                "first": {"loss": 2.0},
                "steps": {"losses": [1.0] * (warm + count), "seconds": count / 10, "cpu": count / 20},
                "memory": {"step": 1 << 20, "whole": 2 << 20},
            }
            return [found[do]] * self.ranks

        def close(self):
            pass

        __enter__, __exit__ = lambda self: self, lambda self, *error: None

    monkeypatch.setattr(scaling, "Team", Made)
    found: dict = {}
    peers = choose(("torch",), ("ranks-mlp",), False)
    scaling.scaling("mlp", peers, replace(SETTINGS, rounds=3), found, lambda text: None)
    return found


def test_rates_are_of_all_ranks_together(monkeypatch):
    found = racing(monkeypatch)
    assert found["dynamic one"]["rate"]["median"] == pytest.approx(1000)
    assert found["dynamic weak"]["rate"]["median"] == pytest.approx(2000)
    assert found["dynamic strong"]["rate"]["median"] == pytest.approx(1000)
    assert found["static weak"]["times"]["median"] == pytest.approx(2)
    assert found["static weak"]["ddp"]["median"] == pytest.approx(1)
    assert found["torch-ddp four"]["agrees"]["with"] == "torch-ddp one"
    assert "rate" not in found["dynamic four"]
    json.dumps(found, allow_nan=False)


def test_the_table_says_what_was_reached_and_what_failed(monkeypatch):
    found = racing(monkeypatch, fails={("static", 4)})
    report = {"workloads": {"ranks-mlp": {"title": "a title", "found": found}}}
    text = table("ranks-mlp", report).text()
    assert "goal reached: dynamic on 2 ranks 1.8 times the rate of 1, 2.00" in text
    assert "goal missed: static on 2 ranks 1.2 times the rate of torch-ddp, 1.00" in text
    assert "static, 4, sharing one batch" in text
    assert command.failures(report) == ["ranks-mlp: static four: it did not start"]


def test_constants_come_out_of_measurements_as_they_went_in(monkeypatch):
    class Made(Team):
        def __init__(self, system, ranks, settings):
            self.ranks = ranks

        def ask(self, do, size=0, count=1, check=False, **more):
            seconds = {
                "library": 0.0, "echo": 1e-6 + size * 1e-9, "adds": 0.0,
                "sums": cost.ordered(self.ranks, size, COSTS) + 5e-5 * check,
            }[do]  # fmt: skip
            found = {"seconds": [seconds], "mpi": "M", "add": [size * 2e-10], "copy": [size * 3e-10]}
            return [found] * self.ranks

        def close(self):
            pass

    monkeypatch.setattr(wires, "Team", Made)
    monkeypatch.setattr(wires, "LIKE", {})
    monkeypatch.setattr(cost, "NETS", {})
    report = command.bench(["wires"], (), SETTINGS)
    assert command.failures(report) == []
    json.dumps(report, allow_nan=False)
    found = report["workloads"]["wires"]["found"]["ranks"]
    assert found["costs"] == pytest.approx(vars(COSTS))
    for at in (at for sums in found["sums"].values() for at in sums.values()):
        assert at["predicted"] == pytest.approx(at["measured"]["median"])
    assert found["handshake"]["4"]["median"] == pytest.approx(5e-5)
    text = table("wires", report).text()
    assert "A message takes 1.00 µs (1.00 to 1.00 µs) and its bytes go at 1.0 GB/s" in text
