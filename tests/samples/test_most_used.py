"""Promise: of the 200 ops that training code calls most at least 195 are here, on both engines."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

import dynamic
import static
from shared import nn, ops
from tests.samples.most_used import MOST_USED

HERE = [row for row in MOST_USED if not row[3].startswith("- ")]


def found(root: Any, path: str) -> Any:
    for part in path.split("."):
        root = getattr(root, part)
    return root


def test_there_are_200_in_the_order_of_their_shares() -> None:
    assert len({name for name, *_ in MOST_USED}) == len(MOST_USED) == 200
    assert [share for _, share, *_ in MOST_USED] == sorted((row[1] for row in MOST_USED), reverse=True)


def test_at_least_195_are_here() -> None:
    assert len(HERE) >= 195, [row for row in MOST_USED if row not in HERE]


@pytest.mark.parametrize(("name", "where"), [(row[0], row[3]) for row in HERE], ids=[row[0] for row in HERE])
def test_each_stands_where_the_list_says(name: str, where: str) -> None:
    root, _, path = where.partition(".")
    if root == "ops":
        first, _, last = path.rpartition(".")
        space = found(ops, first) if first else ops
        assert last in space.__all__
    elif root == "Tensor":
        assert callable(found(dynamic.Tensor, path))
        if not path.endswith("_") and path not in ("clone", "detach"):
            assert callable(found(static.Tensor, path))
    else:
        assert callable(found({"nn": nn, "dynamic": dynamic}[root], path))


def test_calls_are_counted_however_they_are_written(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: it says which names are ops")
    from tests.samples.count import counted

    (tmp_path / "model.py").write_text(textwrap.dedent("""
        import torch
        import torch.nn.functional as F
        from torch.nn.functional import softmax as soft
        from somewhere import functional
        def forward(self, x, names):
            x = F.relu(torch.cat([x, x])) + soft(x, -1).add_(x.sin())
            return self.norm(functional.relu(x)), names.split(","), torch.linalg.inv(x)
    """))
    (tmp_path / "other.py").write_text("def torch(x): return x.exp()")
    calls = {name: count for name, _, count in counted([tmp_path])}
    assert calls == dict.fromkeys(("relu", "cat", "softmax", "add", "sin", "linalg.inv"), 1)
