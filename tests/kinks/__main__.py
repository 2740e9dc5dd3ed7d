"""Asks systems what they give at every row, and keeps it: `python -m tests.kinks torch jax=/path/of/python`.

A system without an interpreter is asked by this one. What is kept stands in `tests/kinks/recorded`, with
version and date; `python -m docs.kinks_page` writes the page from it.
"""

from __future__ import annotations

import sys

from tests.kinks.recorded import ask, keep

if __name__ == "__main__":
    for argument in sys.argv[1:]:
        system, _, python = argument.partition("=")
        answers = ask(system, python or sys.executable)
        keep(system, answers)
        rows = sum("absent" not in found for found in answers["rows"].values())
        print(f"{system} {answers['version']}: {rows} rows")
