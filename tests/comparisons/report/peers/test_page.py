"""What the page on other systems says follows what was measured of them."""

from __future__ import annotations

import pytest

from comparisons.report.pages import pages
from comparisons.report.peers import page
from comparisons.running import results, run as running
from comparisons.running.plan import RACES, Plan
from comparisons.running.run import failures
from comparisons.running.watch import Watch
from comparisons.statistics.spread import resampled
from shared.errors import DataError
from tests.comparisons.report.test_report import MS, spread


def side(step, first, dynamic=1.0):
    return {
        "version": "1.0", "step": spread(step), "build": 0.0, "first": first, "memory": {"step": 2e6},
        "ratios": {"dynamic": spread(dynamic), "static": spread(2 * dynamic)},
        "agrees": {"with": "dynamic", "steps": 5, "error": 2e-7, "bitwise": False, "agrees": True},
    }  # fmt: skip


def bench(**sides):
    """A bench's report of one workload: Diptych's static is ahead once running, dynamic to the first loss."""
    ours = {"dynamic": side(4 * MS, 0.01), "static": side(3 * MS, 0.05)}
    settings = {"rounds": 3, "steps": 3, "threads": 2, "warm": 2}
    found = ours | {name.replace("_", "-"): one for name, one in sides.items()}
    return {
        "status": "done", "settings": settings, "not_installed": ["jax"],
        "workloads": {"mlp": {"title": "an MLP", "found": found}},
    }  # fmt: skip


def test_where_another_system_agrees_the_trade_off_is_said_to_hold():
    found = page.read(bench(torch_eager=side(2 * MS, 0.02), torch_compile=side(MS, 9.0)))
    assert "the one that is ahead here in 1 of 1 case; to the first loss, in 1." in found.answer
    assert all("holds there too" in sentence for sentence in found.means)
    assert found.evidence[1].ahead == ["as a graph", "at once"] * 2
    steps = ("PyTorch, mlp: a step", "2.00 ms (1.96 to 2.04 ms)", "1.00 ms (980 µs to 1.02 ms)")
    assert steps in found.evidence[1].rows
    assert [(line.title, line.side, line.says) for line in found.evidence[0].lines] == [
        ("mlp: a step", "static", "1 of 1 as here"),
        ("mlp: the first loss, cold", "dynamic", "1 of 1 as here"),
    ]  # fmt: skip
    assert [(dot.sign, dot.side, dot.times) for dot in found.evidence[0].lines[0].dots] == [
        ("Py", "static", pytest.approx(2)), ("D", "static", pytest.approx(4 / 3)),
    ]  # fmt: skip
    assert found.happened[-1] == (
        "Of all, torch-compile makes the shortest step on the mlp: 1.00 ms (980 µs to 1.02 ms)."
    )


def test_where_another_system_disagrees_the_page_says_so():
    found = page.read(bench(torch_eager=side(MS, 9.0), torch_compile=side(2 * MS, 0.02)))
    assert "ahead here in 0 of 1 case; to the first loss, in 0." in found.answer
    assert all("does not hold there" in sentence for sentence in found.means)
    found = page.read(bench(torch_eager=side(MS, 0.02), torch_compile=side(MS, 0.9)))
    assert found.answer == (
        "In PyTorch, the design that is ahead to the first loss is the one that is ahead here in 1 of 1 "
        "case; once running, it is resolved in no case. Cases in which it is not resolved are left out."
    )
    other = page.read(bench(torch_eager=side(2 * MS, 0.1), torch_compile=side(MS, 0.1)))
    assert "ahead here in 1 of 1 case; to the first loss, it is resolved in no case." in other.answer
    assert "holds there is not resolved" in found.means[0]
    assert "holds there too" in found.means[1]


def test_where_nothing_of_it_is_resolved_no_case_is_counted():
    raced = bench(torch_eager=side(MS, 1.0), torch_compile=side(MS, 1.1))
    assert page.read(raced).answer == (
        "In PyTorch, it is not resolved whether the design that is ahead here is ahead there."
    )


def test_what_was_recorded_stands_where_nobody_was_raced_with_its_date_and_its_host(report):
    made = pages(report)
    kept = page.recorded()
    host, day = kept["host"], kept["made"][:10]
    said = f"Recorded on {day} ({host['processor']}, {host['cores']} cores), and not in this run."
    assert all(said in made[name] for name in ("index.html", "peers.html"))
    assert {system for system, *_ in page.BOTH_DESIGNS} == {case.system for case in page.cases(kept)}
    assert ("Other work was done beside this race" in made["peers.html"]) == (host["load"] > 0.5)
    for task in report["tasks"].values():
        task["verify"] = None
    assert "peers.html" not in pages(report)


def test_where_no_system_has_both_designs_nothing_is_claimed_of_them():
    found = page.read(bench(dezero=side(9 * MS, 0.1)))
    assert found.answer.startswith("No other system measured here offers both designs")
    assert len(found.means) == 1
    assert "torch" not in " ".join(found.happened)


def test_a_slowdown_is_shown_as_one_and_a_failure_with_what_it_said():
    raced = bench(torch_eager=side(MS, 0.1, dynamic=0.25), dezero={"error": "it is not there"})
    rows = {row[0]: row for row in page.read(raced).evidence[-1].rows}
    assert rows["torch-eager 1.0"][2:4] == ("4.0 times as slow", "2.0 times as slow")
    assert rows["dynamic 1.0"][2:4] == ("not resolved", "2.0 times as fast")
    assert rows["dezero"][1] == "it is not there"
    assert rows["torch-eager 1.0"][6] == "within 2e-07"


def test_no_factor_stands_where_the_other_table_leaves_open_who_is_ahead():
    """The rounds alone may seem to agree where the steps' quartiles overlap."""
    raced = bench(torch_eager=side(MS, 0.1, dynamic=0.25))
    ours = raced["workloads"]["mlp"]["found"]
    ours["static"]["step"] = resampled(ours["dynamic"]["step"], lambda took: took * 1.01)
    ours["static"]["ratios"]["dynamic"] = spread(0.7)
    found = page.read(raced)
    assert found.evidence[1].ahead[0] is None
    rows = {row[0]: row for row in found.evidence[-1].rows}
    assert rows["static 1.0"][2] == "not resolved"
    for case in page.cases(page.recorded()):
        pair = {"dynamic": "static", "static": "dynamic"} if case.system == "Diptych" else {}
        for one, other in pair.items():
            race = page.recorded()["workloads"][case.workload]["found"]
            assert (page.ratio(race, one, race[other]) == "not resolved") == (case.step is None)


@pytest.fixture
def raced(monkeypatch):
    """The bench answers at once."""
    from comparisons.bench import command

    asked = []

    def stand_in(names, wanted, settings, quick, watch, done):
        asked.append((names, wanted, settings.rounds, quick))
        return bench(dezero=side(9 * MS, 0.1))

    monkeypatch.setattr(command, "bench", stand_in)
    return asked


def test_peers_are_raced_only_when_asked_for_and_have_a_page_then(raced, tmp_path):
    nothing = running.run(Plan([], []), tmp_path, Watch())
    assert "peers.html" not in pages(nothing)
    report = running.run(Plan([], [], peers=["dezero"]), tmp_path, Watch())
    assert raced == [(RACES, ["dezero"], 3, True)]
    assert report["status"] == "complete"
    made = pages(report)
    assert '<a href="peers.html">' in made["index.html"]
    assert "python -m comparisons run stepper --peers dezero" in made["peers.html"]
    assert "Not installed here, so left out: jax." in made["peers.html"]


def test_what_is_known_of_a_race_is_on_disk_after_each_workload(tmp_path, monkeypatch):
    from comparisons.bench import command

    def killed(names, wanted, settings, quick, watch, done):
        done("mlp", bench() | {"status": "running"})
        raise SystemExit  # nothing after this is done

    monkeypatch.setattr(command, "bench", killed)
    with pytest.raises(SystemExit):
        running.run(Plan([], [], peers=["torch"]), tmp_path, Watch())
    kept = results.load(tmp_path)
    assert kept["status"] == kept["peers"]["status"] == "interrupted"
    assert "mlp: an MLP" in pages(kept)["peers.html"]


def test_a_full_run_of_a_task_with_kin_races_what_is_installed(monkeypatch, tmp_path):
    from comparisons.command_line import commands
    from tests.comparisons.command_line.test_command_line import call

    plans = []

    def stop(plan, *_):
        plans.append(plan)
        raise DataError("far enough")

    monkeypatch.setattr(running, "run", stop)
    monkeypatch.setattr(commands, "installed_families", lambda pythons: ["torch", *pythons])
    for asked, wanted in (
        ((), []), (("--full",), ["torch"]), (("--full", "--peers", "none"), []),
        (("--full", "--engine", "dynamic"), []), (("--peers", "dezero"), ["dezero"]),
        (("--full", "--python", "jax=/there"), ["torch", "jax"]),
    ):  # fmt: skip
        call("run", "mlp_digits", *asked, "--out", tmp_path)
        assert plans[-1].peers == wanted, asked
    assert plans[-1].pythons == {"jax": "/there"}
    assert plans[-1].command == "python -m comparisons run mlp_digits --full --python jax=/there"
    call("run", "newton", "--full", "--out", tmp_path)
    assert plans[-1].peers == []
    assert len(plans) == 7
    assert "is not PEER=PATH" in call("run", "newton", "--python", "jax", "--out", tmp_path).output


def test_an_interrupted_race_leaves_a_page_of_what_was_measured(raced, tmp_path, monkeypatch):
    from comparisons.bench import command

    stopped = bench() | {"status": "interrupted"}
    monkeypatch.setattr(command, "bench", lambda *_: stopped)
    report = running.run(Plan([], [], peers=["torch"]), tmp_path, Watch())
    assert report["status"] == "interrupted"
    assert not failures(report)
    text = pages(report)["peers.html"]
    assert "The race was interrupted before it was finished." in text
    assert "mlp: an MLP" in text


def test_a_race_that_fails_is_shown_as_failed(raced, tmp_path, monkeypatch):
    from comparisons.bench import command

    monkeypatch.setattr(command, "bench", lambda *_: 1 / 0)
    report = running.run(Plan([], [], peers=["torch"]), tmp_path, Watch())
    assert failures(report) == ["peers"]
    assert "The race failed. ZeroDivisionError" in pages(report)["peers.html"]


def test_a_peer_that_nobody_knows_is_refused_with_the_known_ones(tmp_path):
    from tests.comparisons.command_line.test_command_line import call

    result = call("run", "stepper", "--peers", "torche", "--out", tmp_path)
    assert result.exit_code == 2
    assert "'torche' is none of torch, jax" in result.output
