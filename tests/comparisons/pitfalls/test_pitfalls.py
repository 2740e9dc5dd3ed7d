"""Law: `dynamic.function` gives in every pitfall what Python gives line by line, and `static.function` gives
that too, or refuses it by name; never something else in silence, but for what is stated."""

from __future__ import annotations

import inspect
import json

import pytest

import dynamic.bridge
from comparisons.pitfalls import FAMILIES, PITFALLS, Pitfall
from comparisons.pitfalls.pitfall import REFUSED, SAME, outcome, verdict
from comparisons.pitfalls.systems import OURS, SYSTEMS
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
    assert found == {"value": pitfall.right, "error": None}
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
