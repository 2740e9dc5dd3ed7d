"""How a step grows: each family at its smallest size, on both engines, and the picture of it."""

from __future__ import annotations

import json

import pytest

from comparisons.bench import curves


@pytest.mark.parametrize("name", curves.FAMILIES)
def test_each_family_is_measured_on_both_engines(name):
    family = curves.FAMILIES[name]
    found = curves.measured(family, family.sizes[0], ["dynamic", "static"], rounds=1, least=0)
    assert set(found) == {"dynamic", "static"}
    assert all(0 < at["step"] and 0 < at["first"] for at in found.values())


def test_the_command_writes_numbers_and_curves(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(curves, "find_spec", lambda name: None)
    made = {"dynamic": {"first": 0.2, "step": 0.1}, "static": {"first": 0.4, "step": 0.05}}
    monkeypatch.setattr(curves, "measured", lambda family, size, systems, rounds: made)
    curves.main(["lstm", "--all", "--json", str(tmp_path / "a.json"), "--draw", str(tmp_path / "a.svg")])
    written = json.loads((tmp_path / "a.json").read_text())
    family = curves.FAMILIES["lstm"]
    assert set(written["lstm"]) == {str(size) for size in (*family.sizes, *family.larger)}
    assert "lstm 16: dynamic 100 ms (first 0.2 s), static 50 ms" in capsys.readouterr().out
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
