"""docs/ops.md says what the ops say now."""

from __future__ import annotations

import subprocess
import sys

from docs.ops_page import PAGE, page
from tests import HOME


def test_the_page_of_ops_is_up_to_date() -> None:
    assert page() == PAGE.read_text(encoding="utf-8"), "write it anew: python -m docs.ops_page"


def test_the_page_of_ops_leaves_none_out() -> None:
    """Neither a public name nor an op of the table (of a fresh one: tests add ops of their own)."""
    code = """
from docs.ops_page import page
from shared import ops
from shared.op import TABLE
headings = {line.split()[1] for line in page().splitlines() if line.startswith("### ")}
within = {f"{space}.{name}" for space in ("linalg", "fft") for name in getattr(ops, space).__all__}
names = {*ops.__all__, *TABLE, *within} - {"linalg.matmul", "linalg.tensordot"}  # which are ops', as they are
headings |= {heading.rpartition(".")[2] for heading in headings}  # the op behind it
assert headings >= names, names - headings
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=HOME)
