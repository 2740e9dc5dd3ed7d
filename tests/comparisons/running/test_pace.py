"""The time left is told from an earlier run, where there is one, else by count."""

from __future__ import annotations

import io

import pytest

from comparisons.running.pace import Pace, durations


class Clock:
    """Shows what it is set to."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def through(pace, clock, **seconds):
    for name, took in seconds.items():
        pace.start(name)
        clock.now += took
        pace.done()


def test_without_an_earlier_run_each_piece_takes_what_the_others_took_on_average(clock):
    pace = Pace(["a", "b", "c", "d"], {}, clock)
    assert pace.left() is None
    assert pace.share() == 0
    pace.start("a")
    assert pace.said() == "1 of 4"
    through(pace, clock, a=10, b=20)
    assert pace.left() == 30
    assert pace.share() == 0.5
    pace.start("c")
    clock.now += 5
    assert pace.left() == 25
    assert pace.said() == "3 of 4, about 20 s left"
    clock.now += 1000  # a piece that takes longer than was thought leaves the others what they were
    assert pace.left() == 15


def test_an_earlier_run_tells_how_long_each_piece_takes_on_a_machine_as_fast_as_now(clock):
    pace = Pace(["a", "b", "c"], {"a": 10, "b": 100, "c": 30, "z": 9}, clock)
    assert pace.left() == 140
    through(pace, clock, a=20)
    assert pace.left() == 260
    assert pace.said() == "1 of 3, about 4 min left"
    assert pace.share() == pytest.approx(20 / 280)
    through(pace, clock, b=200, c=60)
    assert pace.left() == 0
    assert pace.said() == "3 of 3, a few seconds left"


def test_what_was_done_before_says_nothing_about_the_pace(clock):
    pace = Pace(["a", "b", "c"], {}, clock)
    pace.skip("a")
    assert pace.left() is None
    assert pace.share() == pytest.approx(1 / 3)
    through(pace, clock, b=7)
    assert pace.left() == 7


def test_the_durations_of_a_run_of_another_size_do_not_count(report):
    known = durations(report, report["full"], report["steps"])
    assert list(known) == ["cnn_digits", "mlp_digits", "mistakes"]
    assert all(seconds > 0 for seconds in known.values())
    assert durations(report, not report["full"], report["steps"]) == {}
    assert durations(report, report["full"], 10_000) == {}
    assert durations(None, False, None) == {}


def test_lines_and_panels_say_how_far_the_run_has_come(clock):
    from rich.console import Console

    from comparisons.running.live import Panels
    from comparisons.running.watch import Lines

    pace = Pace(["a", "b"], {"a": 60, "b": 180}, clock)
    pace.start("a")
    said = []
    Lines(said.append).piece("a", pace)
    assert said == ["a (1 of 2, about 4 min left)"]
    console = Console(file=io.StringIO(), width=80, record=True)
    panels = Panels(console)
    panels.piece("a", pace)
    console.print(panels.picture())
    assert "1 of 2, about 4 min left" in console.export_text()
