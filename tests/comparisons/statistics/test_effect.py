"""Who is ahead, by how much, and when that is not resolved."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import comparisons
from comparisons.statistics.effect import AT_ONCE, ERROR, LEAST, ahead, break_even, effect
from comparisons.statistics.quantities import (
    at_most,
    factor,
    no_further,
    no_further_in_percent,
    seconds,
    spread_of,
    steps_of,
    times_of,
    within,
)
from comparisons.statistics.spread import spread as summed_up, spreads
from tests.comparisons.report.test_report import spread


def drawn(draw, median, count=LEAST, scatter=0.1):
    return summed_up([*draw.lognormal(np.log(median), scatter, count)])


def test_a_spread_holds_its_samples_and_what_they_come_to():
    found = summed_up([3.0, 1.0, 2.0, 5.0])
    assert found == {"median": 2.5, "low": 1.75, "high": 3.5, "count": 4, "samples": [3.0, 1.0, 2.0, 5.0]}
    assert summed_up([2.0])["low"] == summed_up([2.0])["high"] == 2.0
    assert [*spreads({"a": [{"b": found}], "c": 1})] == [found]


def test_ahead_needs_samples_a_gap_between_the_quartiles_and_more_than_a_trifle():
    assert ahead(spread(1.0), spread(2.0)) == "dynamic"
    assert ahead(spread(2.0), spread(1.0)) == "static"
    assert ahead(spread(1.0, 0.5), spread(1.2, 0.5)) is None
    assert ahead(spread(1.0, 0.001), spread(1.01, 0.001)) is None
    assert ahead(spread(1.0, count=LEAST - 1), spread(2.0, count=99)) is None
    assert ahead(spread(1.0, count=LEAST), spread(2.0, count=LEAST)) == "dynamic"


def test_an_interval_is_that_of_a_bootstrap_by_brute_force():
    """Resampled at random, the ratio of medians falls outside of it as often as it should."""
    draw = np.random.default_rng(0)
    a, b = drawn(draw, 1.0), drawn(draw, 1.5)
    found = effect(a, b)
    many = 200_000
    resampled = [np.median(draw.choice(side["samples"], (many, LEAST)), axis=1) for side in (a, b)]
    ratios = resampled[1] / resampled[0]
    tail = ERROR / AT_ONCE / 2
    low, high = np.quantile(ratios, [tail, 1 - tail])
    assert found.low == pytest.approx(low, rel=0.02)
    assert found.high == pytest.approx(high, rel=0.02)
    assert found.low < found.ratio < found.high


def test_sides_that_are_the_same_are_hardly_ever_told_apart_and_sides_that_are_not_are():
    """A hundred comparisons of one report are wrong together in one report of twenty at most."""
    draw = np.random.default_rng(1)
    wrong = sum(ahead(drawn(draw, 1.0), drawn(draw, 1.0)) is not None for _ in range(2_000))
    assert wrong <= 1  # 2,000 * 0.05 / 100
    right = sum(ahead(drawn(draw, 1.0), drawn(draw, 1.6)) == "dynamic" for _ in range(200))
    assert right > 190


def test_the_other_way_round_the_effect_is_turned_over():
    a, b = spread(1.0), spread(1.5)
    assert effect(b, a).times == pytest.approx(effect(a, b).times)
    assert effect(a, b).leader == "dynamic"
    assert effect(b, a).leader == "static"


def test_break_even_is_where_the_shorter_steps_have_paid_for_the_start():
    def warm(start, step, width=0.02):
        return {"start": spread(start, width), "step": spread(step, width)}

    even = break_even(warm(6.0, 4.0), warm(20.0, 3.0))
    assert even.step == 15
    assert 6 + (even.step - 1) * 4 == 20 + (even.step - 1) * 3
    assert even.low < 15 < even.high
    wider = break_even(warm(6.0, 4.0, 0.05), warm(20.0, 3.0, 0.05))
    assert wider.low < even.low < even.high < wider.high
    assert break_even(warm(6.0, 3.0), warm(20.0, 4.0)) is None  # never
    assert break_even(warm(6.0, 3.0), warm(20.0, 3.0)) is None  # steps that are not told apart
    assert break_even(warm(20.0, 3.0), warm(6.0, 4.0)) is None  # it is not the later one


def test_many_samples_are_thinned_and_few_are_not():
    draw = np.random.default_rng(2)
    found = effect(drawn(draw, 1.0, 5_000), drawn(draw, 1.2, 5_000))
    assert found.leader is None or found.leader == "dynamic"
    assert found.low < 1.2 < found.high


def test_what_is_said_has_its_interval():
    found = effect(spread(2.0), spread(1.0))
    assert times_of(found) == "2.0 times (1.9 to 2.1)"
    assert spread_of(spread(0.002)) == "2.00 ms (1.96 to 2.04 ms)"
    assert spread_of(summed_up([0.002])) == "2.00 ms, once"
    assert within(0.9e-3, 1.2e-3, seconds) == "900 µs to 1.20 ms"
    dynamic, static = (
        {"start": spread(start), "step": spread(step)} for start, step in ((6.0, 4.0), (20.0, 3.0))
    )
    assert steps_of(break_even(dynamic, static)) == "15 steps (13 to 18)"
    assert [factor(value) for value in (1.04, 1.9, 22.9, 327.4)] == ["1.04", "1.9", "22.9", "327"]


def test_a_bound_is_never_below_what_it_bounds():
    values = [1.2814e-06, 9.96e-07, 1e-06, 0.1, 0.0341, 3.0, 0.0, *np.random.default_rng(0).random(1000) ** 9]
    for value in values:
        bound = float(at_most(value).removeprefix("at most "))
        assert value <= bound <= 1.1 * value
        assert float(no_further(value).removeprefix("within ")) == bound
        in_percent = float(no_further_in_percent(value).removeprefix("within ").split()[0])
        assert 100 * value <= in_percent <= 100 * value + 0.1
    assert [at_most(value)[8:] for value in values[:4]] == ["1.3e-06", "1e-06", "1e-06", "0.1"]
    assert no_further_in_percent(0.0341) == "within 3.5 %"


def test_a_break_even_is_the_first_count_of_steps_that_is_enough():
    """By adding up the steps one by one, in whole nanoseconds."""
    draw = np.random.default_rng(5)
    for _ in range(300):
        early, step, shorter = (int(n) for n in draw.integers(1, 2_000, 3))
        late, step = early + int(draw.integers(1, 3_000)) + early // 10, shorter + 1 + step
        sides = [
            {part: summed_up([nanoseconds * 1e-9] * LEAST) for part, nanoseconds in pair}
            for pair in ((("start", early), ("step", step)), (("start", late), ("step", shorter)))
        ]
        even = break_even(*sides)
        if even is None:  # too close to be told apart
            continue
        steps, gone = 1, [early, late]
        while gone[1] > gone[0]:
            steps, gone = steps + 1, [gone[0] + step, gone[1] + shorter]
        assert (even.low, even.step, even.high) == (steps, steps, steps)
        assert steps - 1 < even.crossing <= steps + 1e-9


def test_no_sentence_bounds_what_it_rounds_down():
    rounded = re.compile(r"(?:within|at most) \{(?![^}]*tolerance)(?:[^{}]*:\.\d[eg]|percent\()[^{}]*\}")
    for path in Path(comparisons.__file__).parent.rglob("*.py"):
        text = re.sub(r'"\n\s*f?"', "", path.read_text(encoding="utf-8"))
        assert (found := rounded.search(text)) is None, f"{path.name}: {found[0]}"
