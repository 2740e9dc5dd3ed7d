"""The page of pitfalls shows of each, in each system, what came of it, and the code that ran there."""

from __future__ import annotations

import re
from html import unescape

import pytest

pytest.importorskip("jinja2")

from comparisons.experiments.pitfalls import KINDS, read
from comparisons.pitfalls import PITFALLS
from comparisons.pitfalls.pitfall import ABSENT, OTHER, REFUSED, SAME
from comparisons.pitfalls.systems import PEERS, SYSTEMS
from comparisons.report.pages import pages

NAME = "closure"
RIGHT = PITFALLS[NAME].right
CAME = {
    SAME: {"value": RIGHT, "error": None, "traces": 3},
    REFUSED: {"value": None, "error": {"type": "NoError", "message": "<b>not</b> so"}, "traces": None},
    OTHER: {"value": [[9.0]], "error": None, "traces": 1},
    ABSENT: {"value": None, "error": {"type": "E", "message": "m"}, "traces": None, "plain": False},
}


def evidence(live: bool):
    """The four outcomes in turn, each with a text of its own."""
    cells = {
        system: CAME[[*CAME][i % 4]] | {"code": f"text_{i} = {i}\n"} for i, system in enumerate(SYSTEMS)
    }
    at = {"made": "2026-01-01", "version": "7.8", "python": "3.11", "processor": "p", "live": live}
    return {"cells": {NAME: cells}, "others": {system.name: at for system in PEERS}, "graph": "pass\n"}


def page(live: bool) -> str:
    entry = {
        "title": "t", "question": "q?", "dimension": "writing", "level": "", "status": "done",
        "found": evidence(live),
    }  # fmt: skip
    host = {
        "processor": "p", "cores": 2, "memory": None, "system": "s", "python": "3", "packages": {},
        "blas": {"name": "b", "version": ""}, "threads": {}, "settled_first": True, "load": 0.0,
    }  # fmt: skip
    report = {
        "status": "complete", "made": "2026-01-01T00:00:00+00:00", "command": "c", "seed": 0, "full": False,
        "engines": ["dynamic", "static"], "seconds": 1.0, "host": host, "planned": ["pitfalls"],
        "loops": {}, "tasks": {}, "experiments": {"pitfalls": entry},
    }  # fmt: skip
    return pages(report)["pitfalls.html"]


def test_each_cell_has_the_kind_of_its_verdict_and_says_whose_it_is():
    (row,) = re.findall(r"<details>.*?</details>", page(live=False), flags=re.DOTALL)
    cells = re.findall(r'<b class="(\w+)" title="([^:]+): ([^"]+)"', row)
    kinds = [KINDS[[*CAME][i % 4]] for i in range(len(SYSTEMS))]
    assert cells == [(kind, system, words) for system, (kind, _, words) in zip(SYSTEMS, kinds, strict=True)]
    assert row.count("<small>3x</small>") == 2  # once is not worth telling


def test_each_code_is_shown_once_with_what_was_said_there():
    (row,) = re.findall(r"<details>.*?</details>", page(live=False), flags=re.DOTALL)
    for i, system in enumerate(SYSTEMS):
        assert f'text_{i} = <span class="n">{i}</span>' in row
        said = re.search(rf'<th scope="row">{re.escape(system)}</th><td><samp>(.*?)</samp>', row).group(1)
        came = CAME[[*CAME][i % 4]]
        error = came["error"]
        assert unescape(said) == (f"{error['type']}: {error['message']}" if error else repr(came["value"]))
    assert "<b>not</b>" not in row


def test_what_was_not_run_now_is_told_apart():
    for live in (True, False):
        text = page(live)
        assert text.count('<span class="old">') == len(PEERS) * (not live)
        assert ("was run with this page" in text) == live
        assert ("was run on 2026-01-01" in text) != live


def test_a_system_whose_text_has_changed_since_is_left_empty():
    found = evidence(live=False)
    del found["cells"][NAME]["jax.jit"]
    (matrix, *_) = read(found).evidence
    ((_, rows),) = [group for group in matrix.groups if group[1]]
    assert rows[0].cells[-1].kind == KINDS[ABSENT][0]
