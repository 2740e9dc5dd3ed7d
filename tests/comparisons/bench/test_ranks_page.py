"""What a report says of many ranks stands in the record, dated, and what is foretold is told apart."""

from __future__ import annotations

import json

from comparisons.bench.peers import ON_RANKS
from comparisons.bench.ranks import cost, page, record
from comparisons.lab.blocks import Curves, Table


def test_the_record_is_dated_and_shown_as_one():
    scaling, *foretold = page.blocks()
    found = page.recorded()
    assert found["made"][:10] in scaling.says
    assert "not in this run" in scaling.says
    assert isinstance(scaling, Table)
    assert all(isinstance(block, Curves) and "not measured" in block.title for block in foretold)
    assert {row[0].partition(",")[1] for row in scaling.rows} == {","}


def test_what_is_foretold_follows_from_the_constants_that_were_measured():
    found = page.recorded()["workloads"]["wires"]["found"]["ranks"]
    assert cost.predicted(cost.Costs(**found["costs"]), found["rates"]) == found["predicted"]
    for n, sums in found["sums"].items():
        for size, at in sums.items():
            assert at["predicted"] == cost.ordered(int(n), int(size), cost.Costs(**found["costs"]))


def test_files_of_the_bench_become_one_record(tmp_path, monkeypatch):
    found = {"dynamic one": {"rate": 1, "losses": [1.0]}}
    for name in ("wires", "ranks-mlp"):
        made = {"made": "2026-11-30", "workloads": {name: {"title": "a", "found": found}}}
        (tmp_path / name).write_text(json.dumps(made))
    monkeypatch.setattr(record, "RECORDED", tmp_path / "kept.json")
    record.main([str(tmp_path / "wires"), str(tmp_path / "ranks-mlp")])
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert list(kept["workloads"]) == [name for name in ON_RANKS if name in ("wires", "ranks-mlp")]
    assert kept["workloads"]["wires"]["found"] == {"dynamic one": {"rate": 1}}
