"""Writes docs/kinks.md from the table of kinks and what systems gave: `python -m docs.kinks_page`.

`python -m tests.kinks torch` asks a system anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.kinks.recorded import NAMES, agreeing, kept
from tests.kinks.row import Row, same_slopes, same_value
from tests.kinks.rows import ROWS, SUBJECTS

PAGE = Path(__file__).with_name("kinks.md")

INTRODUCTION = """\
# Kinks: corners where systems differ

What a function gives where its formula does not say: at ties, at bounds, at 0, at infinity, of nothing. A
model that moves from one system to another meets these corners without a word. Here are {rows} of them: what
{systems} systems give at each, what `dynamic` and `static` give, and why. Both engines give the same at every
corner, `static` at `optimize="exact"` and at `"fast"`: what stands under *here*. Each is a case of a law
(`tests/kinks/test_kinks.py`).

`→` leads from the value to the slopes, which are the gradients of each floating argument in turn, of the sum
of the values or, where a seed stands, of the sum of seed times value. *twice* has the first derivative as its
value, and slopes of that. `Error`! is an error. In the column of a system stands what it gives beside us:

| | |
| --- | --- |
| `=` | value and slopes as here |
| `v` | another value |
| `s` | the same value, other slopes |
| `!` | an error, where we have a value, or in the slopes alone: `s!` |
| `ok` | a value, where we have an error |
| | it has no such function |

Under each table stand the numbers of those that differ. Corners at which all agree are at the end of their
section. This page is written by `python -m docs.kinks_page`. `python -m tests.kinks torch` asks PyTorch anew,
and so do the tests, wherever a system is installed in the version that was asked.
"""


def page() -> str:
    """The text of docs/kinks.md."""
    systems = [system for system in NAMES if kept(system) is not None]
    introduction = INTRODUCTION.format(rows=len(ROWS), systems=len(systems)).rstrip()
    sections = (part for subject, rows in SUBJECTS.items() for part in _section(subject, rows, systems))
    return "\n\n".join([introduction, *_asked(systems), *_alone(), *sections]) + "\n"


def _asked(systems: list[str]) -> Iterator[str]:
    """Who was asked, and how often each gives what we do."""
    yield "Asked were, op by op, on CPUs, in float32 where nothing else stands:"

    def line(system: str) -> list[str]:
        head = (kept(system) or {})["head"]
        marks = [mark for row in ROWS.values() if (mark := _mark(row, system))]
        return [NAMES[system], head["version"], head["date"], f"{marks.count('=')} of {len(marks)}"]

    yield _table(["", "version", "on", "value and slopes as here"], map(line, systems))


def _alone() -> Iterator[str]:
    """The corners at which we stand against most, and why."""
    yield "## Where most give something else"
    rows = [(row, *agreeing(row)) for row in ROWS.values()]
    apart = [(row, with_us, others) for row, with_us, others in rows if len(with_us) < len(others)]
    yield f"At these {len(apart)} corners fewer than half of those that have the function give what we do."
    told = (
        [
            f"[{row.name}](#{row.name})",
            _outcome(row.chosen(), row),
            f"{len(with_us)} of {len(with_us + others)}",
            row.why,
        ]
        for row, with_us, others in apart
    )
    yield _table(["", "here", "as here", "why"], told)


def _section(subject: str, rows: tuple[Row, ...], systems: list[str]) -> Iterator[str]:
    yield f"## {subject}"
    agreed = [row for row in rows if not agreeing(row)[1]]
    apart = [row for row in rows if row not in agreed]
    if apart:
        marked = (
            [f"[{row.name}](#{row.name})", *(_mark(row, system) for system in systems)] for row in apart
        )
        yield _table(["", *(NAMES[system] for system in systems)], marked)
        for row in apart:
            yield _told(row, systems)
    if agreed:
        yield "All that have the function agree:"
        told = ([row.name, _at(row), _outcome(row.chosen(), row), row.why] for row in agreed)
        yield _table(["", "at", "here", "why"], told)


def _told(row: Row, systems: list[str]) -> str:
    """A row that systems disagree on: where it is, who gives what, and why we give what we do."""
    groups = dict[str, list[str]]()
    for system in systems:
        if (found := _found(row, system)) is not None and _mark(row, system) != "=":
            groups.setdefault(_outcome(found, row), []).append(NAMES[system])
    with_us = [NAMES[system] for system in agreeing(row)[0]]
    lines = [f"### {row.name}", "", f"{_at(row)}", ""]
    lines.append(
        f"- here{''.join(', ' + name for name in with_us)}: {_outcome(row.chosen(), row)}. {row.why}"
    )
    lines += [f"- {', '.join(names)}: {outcome}" for outcome, names in groups.items()]
    return "\n".join(lines)


def _found(row: Row, system: str) -> Any:
    record = kept(system)
    return None if record is None else record["rows"].get(row.name)


def _mark(row: Row, system: str) -> str:
    found, chosen = _found(row, system), row.chosen()
    if found is None:
        return ""
    if same_value(found, chosen, row):
        failed = isinstance(found.get("slopes"), dict)
        return "=" if same_slopes(found, chosen, row) else "s!" if failed else "s"
    return "!" if "raises" in found else "ok" if "raises" in chosen else "v"


# --- text ----------------------------------------------------------------------------------


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


def _at(row: Row) -> str:
    """The call, its arguments and what else there is to say of them."""
    parts = [f"`{row.says}` at {', '.join(f'`{_numbers(a)}`' for a in row.args)}"]
    parts += [row.dtype] if row.dtype != "float32" and row.dtype not in row.says else []
    parts += [f"seed `{_numbers(row.seed)}`"] if row.seed is not None else []
    return ", ".join(parts)


def _outcome(found: Any, row: Row) -> str:
    if "raises" in found:
        return f"`{found['raises']}`!"
    value = f"`{_numbers(found['value'], row.signed)}`"
    slopes = found["slopes"]
    if row.slopes is None or slopes is None:
        return value
    if isinstance(slopes, dict):
        return f"{value} → `{slopes['raises']}`!"
    told = [_numbers(slope) for slope, ours in zip(slopes, row.slopes, strict=True) if ours is not None]
    return f"{value} → {', '.join(f'`{slope}`' for slope in told)}"


def _numbers(values: Any, signed: bool = True) -> str:
    if isinstance(values, (list, tuple)):
        return f"[{', '.join(_numbers(value, signed) for value in values)}]"
    if isinstance(values, (bool, int)):
        return str(values)
    if values == 0:
        return "-0" if signed and math.copysign(1, values) < 0 else "0"
    return f"{values:.4g}".replace("e+", "e")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE} is up to date")
