"""Law: at every corner of the table of kinks each engine gives what we chose there; and what other systems
are said to give is what they give, where they are installed."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace

import pytest

from tests.kinks.recorded import NAMES, agreeing, ask, kept, mark
from tests.kinks.row import Row, same_slopes, same_value
from tests.kinks.rows import ROWS
from tests.kinks.systems.diptych import CALLS, ENGINES
from tests.kinks.systems.speak import answer

each_row = pytest.mark.parametrize("row", ROWS.values(), ids=str)


@pytest.mark.parametrize("engine", ENGINES)
@each_row
def test_an_engine_gives_what_was_chosen(row: Row, engine: str) -> None:
    found, chosen = answer(row.asked(), CALLS[row.name], ENGINES[engine]), row.chosen()
    assert same_value(found, chosen, row), (found, chosen)
    assert same_slopes(found, chosen, row), (found, chosen)
    assert found.get("raises") == chosen.get("raises")


@pytest.mark.parametrize("row", [row for row in ROWS.values() if row.dtype == "float32"], ids=str)
def test_a_choice_is_that_of_double_precision_too(row: Row) -> None:
    test_an_engine_gives_what_was_chosen(replace(row, dtype="float64"), "dynamic")


@each_row
def test_a_choice_against_most_has_its_reason(row: Row) -> None:
    with_us, others = agreeing(row)
    if len(with_us) < len(others):
        assert len(row.why) > 20, f"{row.name}: {others} say otherwise"


each_system = pytest.mark.parametrize("system", [system for system in NAMES if kept(system) is not None])


@each_system
def test_what_was_kept_of_a_system_was_asked_as_the_rows_are_now(system: str) -> None:
    """Else ask it anew: `python -m tests.kinks SYSTEM=PYTHON`."""
    stale = [name for name, found in (kept(system) or {})["rows"].items()
             if name not in ROWS or found["asked"] != mark(ROWS[name])]  # fmt: skip
    assert stale == []


@each_system
def test_what_was_kept_of_a_system_is_what_it_gives(system: str) -> None:
    """In this interpreter, if it has the system in the version that was asked."""
    record = kept(system)
    assert record is not None
    if importlib.util.find_spec(system) is None:
        pytest.skip(f"{system} is not installed here")
    answers = ask(system, sys.executable)
    if answers["version"] != record["head"]["version"]:
        pytest.skip(f"{system} {answers['version']} is here, {record['head']['version']} was asked")
    for name, found in record["rows"].items():
        row, again = ROWS[name], answers["rows"][name]
        assert same_value(found, again, row) and same_slopes(found, again, row), (name, found, again)
