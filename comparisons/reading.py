"""Reading: what a page says of an experiment's evidence, as data that a template lays out.

`read(found)` makes one and formats every figure in it; nothing here measures or draws.
Sentences are plain text, in which `backquotes` mark code and [a link](page.html) leads to another page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from comparisons.quantities import ahead, number, seconds, size, smaller

Json = Any
"""Evidence, or a part of it, as it is read back from report.json."""


# --- verdicts: cells of the first page's table -----------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """One row of the first page's table.

    title     what was looked at, in a few words that stand alone
    dynamic   a short figure, or a few words
    static    the same
    ahead     "dynamic" or "static" if that side is ahead beyond the spread; else None
    times     how many times as large as the smaller figure the larger one is; None where that is not
              known, or where the smaller is within what is measured of nothing, so that a factor would
              say how near to zero it came
    together  one text for both, in the place of a figure for each
    """

    title: str
    dynamic: str
    static: str
    ahead: str | None = None
    times: float | None = field(default=None, kw_only=True)
    together: str = field(default="", kw_only=True)


NOISE = 4096
"""Bytes that Python itself takes and gives back between two readings of what is held."""


def timed(title: str, dynamic: Json, static: Json) -> Verdict:
    """Of two spreads of seconds; the shorter is ahead if the quartiles do not overlap."""
    d, s = dynamic["median"], static["median"]
    less = dynamic if d <= s else static
    noise = less["high"] - less["low"]
    return Verdict(title, seconds(d), seconds(s), ahead(dynamic, static), times=_times(d, s, noise))


def sized(title: str, dynamic: float, static: float) -> Verdict:
    """Of two numbers of bytes; the smaller is ahead unless they are close."""
    leader = smaller(dynamic, static)
    return Verdict(title, size(dynamic), size(static), leader, times=_times(dynamic, static, NOISE))


def counted(title: str, dynamic: int, static: int, unit: str = "", *, more: bool = False) -> Verdict:
    """Of two whole numbers (nodes, lines, kernels); the smaller is ahead, be it by one, or with
    `more` the larger."""
    leader = None if dynamic == static else "dynamic" if (dynamic < static) != more else "static"
    d, s = (f"{number(value)} {unit}".strip() for value in (dynamic, static))
    return Verdict(title, d, s, leader, times=_times(dynamic, static))


def _times(a: float, b: float, noise: float = 0) -> float | None:
    """How many times as large the larger is; of a smaller one that is as good as nothing, none."""
    low, high = sorted((a, b))
    return high / low if low > noise else None


# --- evidence: what a page shows -------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """Something to show, under a `title` and with a sentence or two that say what it shows."""

    kind: ClassVar[str]
    title: str
    says: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class Pair(Block):
    """Two codes next to each other, differing lines marked, each with how it ended.

    A side is what `attempt` gives; `{"code": source_of(f)}` alone, or with `out`, will do.
    """

    kind = "pair"
    dynamic: Json
    static: Json


@dataclass(frozen=True)
class Table(Block):
    """Rows of text; the first column heads its row. Columns called dynamic and static get the
    engines' colours. `ahead` names the column that is ahead in each row, or None."""

    kind = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    ahead: Sequence[str | None] = ()


@dataclass(frozen=True)
class Series:
    """One curve: its label, its points, the band around them if there is one, and the side whose
    colour it has ("dynamic", "static" or "")."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    side: str = ""
    dashed: bool = False
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


@dataclass(frozen=True)
class Curves(Block):
    """Curves over one axis. `unit` is what y counts: "seconds", "bytes" or "" for a number;
    `mark` a place on the x axis and what to call it."""

    kind = "curves"
    x_label: str
    y_label: str
    series: Sequence[Series]
    unit: str = ""
    log_x: bool = False
    log_y: bool = False
    mark: tuple[float, str] | None = None


@dataclass(frozen=True)
class Bars(Block):
    """Horizontal bars in groups: `values` has for each side, or another label, one figure for each
    of `labels`; `unit` as for Curves."""

    kind = "bars"
    labels: Sequence[str]
    values: Mapping[str, Sequence[float]]
    unit: str = ""


@dataclass(frozen=True)
class Drawing(Block):
    """Graphs as `Context.drawing` gives them, by engine; one may be missing."""

    kind = "drawing"
    svgs: Mapping[str, str]


@dataclass(frozen=True)
class Output(Block):
    """What was printed, or generated, as it stands, by engine; one may be missing."""

    kind = "output"
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Listing(Block):
    """One code: of one side, or with `side` "" of both."""

    kind = "listing"
    code: str
    side: str = ""


@dataclass(frozen=True)
class Figure(Block):
    """A figure of its own kind: `draw()` gives it as HTML when the page is drawn."""

    kind = "figure"
    draw: Callable[[], str]


@dataclass(frozen=True)
class Nodes(Block):
    """The nodes of both graphs: dynamic's for each step (None if unknown), and static's by what they are
    for."""

    kind = "nodes"
    dynamic: int | None
    static: Mapping[str, int]


@dataclass(frozen=True)
class Prose(Block):
    """Sentences, one paragraph."""

    kind = "prose"
    sentences: Sequence[str]


# --- the whole -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """What the page of an experiment says.

    answer     the answer to the question in one or two sentences, at the top of the page
    verdicts   rows of the first page's table, one to three
    evidence   what is shown, in order: at least one Pair
    happened   what happened, each a sentence or two
    means      what it means for who chooses a design
    otherwise  where the side that came off worse here is nevertheless right
    threats    what could make this misleading, beyond `EVERYWHERE` (report/on_experiment.py)
    """

    answer: str
    verdicts: Sequence[Verdict]
    evidence: Sequence[Block]
    happened: Sequence[str]
    means: Sequence[str]
    otherwise: Sequence[str]
    threats: Sequence[str]
