"""Tables of text, and how the figures in them are said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from comparisons.statistics.quantities import at_most, no_further

ABSENT = "-"


class TextTable(NamedTuple):
    """A heading, columns and rows of text, and sentences below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def text(self) -> str:
        """As lines of plain text; the first column to the left, the others to the right."""
        lines = [list(self.columns), *[list(row) for row in self.rows]]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        told = [self.title]
        for line in lines:
            first, *rest = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
            told.append(("  " + "   ".join([first.strip().ljust(widths[0]), *rest])).rstrip())
        return "\n".join([*told, *("  " + note for note in self.notes)])

    def rich(self) -> Any:
        """As a picture for a terminal."""
        from rich.console import Group
        from rich.table import Table as Picture
        from rich.text import Text

        picture = Picture(title=Text(self.title, "bold"), title_justify="left")
        for i, column in enumerate(self.columns):
            picture.add_column(column, justify="right" if i else "left", no_wrap=not i)
        for row in self.rows:
            picture.add_row(*row, style="bold" if row[0].split(" ")[0] in ("dynamic", "static") else "")
        return Group(picture, *[Text(note, "dim") for note in self.notes])


def spread_of(spread: Mapping[str, float], scale: float, digits: int) -> str:
    """Median and quartiles: 1.50 (1.48 to 1.55)."""
    median, low, high = (spread[key] * scale for key in ("median", "low", "high"))
    return f"{median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def ratio_of(ratio: Mapping[str, float] | None) -> str:
    """How many times: 1.50 x (1.48 to 1.55)."""
    if ratio is None:
        return ABSENT
    return f"{ratio['median']:.2f} x ({ratio['low']:.2f} to {ratio['high']:.2f})"


def agreement_of(agrees: Mapping[str, Any] | None) -> str:
    """How many losses agree, and how far."""
    if agrees is None:
        return "the reference"
    steps = "first" if agrees["steps"] == 1 else f"{agrees['steps']}"
    if agrees["bitwise"]:
        return f"{steps}: equal bit for bit"
    if agrees["error"] is None:
        return f"{steps}: NOT FINITE"
    error = agrees["error"]
    return f"{steps}: {no_further(error) if agrees['agrees'] else f'OFF BY {at_most(error)}'}"
