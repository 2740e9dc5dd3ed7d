"""Law: `dynamic.function` gives in every pitfall what Python gives line by line, and `static.function` gives
that too, or refuses it by name; never something else in silence, but for what is stated."""

from __future__ import annotations

import inspect
import json

import pytest

import dynamic.bridge
from comparisons.pitfalls import FAMILIES, PITFALLS, Pitfall, peers
from comparisons.pitfalls.pitfall import ABSENT, OTHER, REFUSED, SAME, outcome, verdict
from comparisons.pitfalls.systems import OURS, PEERS, SYSTEMS
from shared.errors import DiptychError

each = pytest.mark.parametrize("pitfall", PITFALLS.values(), ids=lambda pitfall: pitfall.name)
STATED = {"print_once": "a print is done while tracing alone, as docs/bridge.md says"}
"""Pitfalls that `static.function` has by design, and why."""


@pytest.fixture(autouse=True)
def followed(monkeypatch):
    """Short functions are followed, too: run plainly they would be right for no reason."""
    monkeypatch.setattr(dynamic.bridge, "WORTH", 0)


def came_of(pitfall: Pitfall, system: str):
    return outcome(pitfall.text(system), SYSTEMS[system].words())


@each
def test_line_by_line_it_gives_what_is_right(pitfall):
    """On dynamic; and so does what is written for static.function, where that is the same text."""
    found = came_of(pitfall, "dynamic")
    assert (found["value"], found["error"]) == (pitfall.right, None)
    assert json.loads(json.dumps(found)) == found


@each
def test_dynamic_function_is_as_python(pitfall):
    assert verdict(came_of(pitfall, "dynamic.function"), pitfall.right) == SAME


@each
def test_static_function_is_as_python_or_refuses_by_name(pitfall):
    found = came_of(pitfall, "static.function")
    if pitfall.name in STATED:
        assert verdict(found, pitfall.right) not in (SAME, REFUSED)
    elif verdict(found, pitfall.right) == REFUSED:
        kinds = {kind.__name__ for kind in DiptychError.__subclasses__()}
        assert found["error"]["type"] in kinds and "your line: " in found["error"]["message"]
    else:
        assert verdict(found, pitfall.right) == SAME, found


def test_dynamic_function_does_follow_them(monkeypatch):
    """Or its verdicts would be those of plain Python."""
    made = []
    monkeypatch.setattr(dynamic.bridge.Function, "__init__", _noting(made))
    for pitfall in PITFALLS.values():
        came_of(pitfall, "dynamic.function")
    ran = [fn for fn in made if any(p.programs for end in fn.tree.root.ends() for p in end.path())]
    assert len(ran) > 0.6 * len(made)


def _noting(made):
    before = dynamic.bridge.Function.__init__

    def init(self, *args):
        before(self, *args)
        made.append(self)

    return init


def test_there_are_enough_of_them_and_each_is_told_once():
    assert len(PITFALLS) == sum(map(len, FAMILIES)) >= 30
    assert len({pitfall.title for pitfall in PITFALLS.values()}) == len(PITFALLS)
    for pitfall in PITFALLS.values():
        assert len(pitfall.title) <= 60 and pitfall.says.endswith(".")


@each
def test_a_text_asks_for_words_that_its_system_has(pitfall):
    ours = [system.name for system in OURS]
    for system in SYSTEMS:
        if system in ours:
            assert {*inspect.signature(pitfall.text(system)).parameters} <= {*SYSTEMS[system].words()}
        elif system not in pitfall.others:
            asked = {*inspect.signature(pitfall.code).parameters}
            asked -= {"nn", "optim"} if system == "torch.compile" else set()
            assert asked <= {"function", "tensor", "numbers", "parameter"}, "it needs words of its own there"


@pytest.mark.parametrize("system", PEERS, ids=lambda system: system.name)
def test_what_was_recorded_of_another_system_is_of_these_texts(system):
    """`python -m comparisons.pitfalls --record` runs them anew."""
    record = peers.recorded()[system.name]
    assert all(record[key] for key in ("made", "version", "python", "processor"))
    assert [*record["found"]] == [*PITFALLS]
    for name, cell in record["found"].items():
        assert cell["text"] == peers.digest(PITFALLS[name], system.name), name


@pytest.mark.parametrize("system", PEERS, ids=lambda system: system.name)
def test_a_recorded_verdict_is_that_of_plain_text_that_gives_what_is_right(system):
    """But for what the arrays of a system do not have, whose texts are plainly refused, too."""
    found = peers.recorded()[system.name]["found"]
    assert {name for name, cell in found.items() if not cell["plain"]} <= {"in_place", "shared_memory"}
    assert all(cell["error"] for cell in found.values() if not cell["plain"])


def test_another_system_is_asked_in_a_process_of_its_own(monkeypatch, tmp_path):
    """Here one of ours stands for it; what is written down is what was found, with when and where."""
    monkeypatch.setattr(peers, "RECORDED", tmp_path / "recorded.json")
    found = peers.ask("dynamic.function")
    peers.keep({"dynamic.function": found})
    assert peers.recorded() == {"dynamic.function": found}
    assert [*found["found"]] == [*PITFALLS] and found["made"]
    assert all(verdict(cell, PITFALLS[name].right) == SAME for name, cell in found["found"].items())


def test_what_is_not_installed_or_does_not_work_is_as_recorded(monkeypatch):
    monkeypatch.setattr(peers, "ask", lambda name: {"found": {}})
    assert peers.live("dynamic.function") == {"found": {}}
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: None)
    assert peers.live("dynamic.function") is None
    monkeypatch.undo()
    failed = peers.PeerError("it ended")

    def ask(name):
        raise failed

    monkeypatch.setattr(peers, "ask", ask)
    assert peers.live("dynamic.function") is None


def test_verdicts_are_of_what_came():
    right = {"value": [1.0], "error": None}
    assert verdict(right, [1.0]) == SAME and verdict(right, [2.0]) == OTHER
    assert verdict({"value": None, "error": {"type": "E", "message": ""}}, [1.0]) == REFUSED
    assert verdict(right | {"plain": False}, [1.0]) == ABSENT
