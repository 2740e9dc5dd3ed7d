"""Blocks: what a page shows, as data that a template lays out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

Json = Any
"""Evidence, or a part of it, as it is read back from report.json."""


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
class Lane:
    """One step of a rank that computes and talks, in seconds since its beginning: when each gradient was
    ready, from when to when each message was under way, and from when to when the rank waited for one."""

    label: str
    side: str
    end: float
    ready: Sequence[float]
    messages: Sequence[Sequence[float]]
    waits: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Timeline(Block):
    """For each lane two rows over one axis of time: what it computes, and its messages."""

    kind = "timeline"
    lanes: Sequence[Lane]


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
    """One code: of one side, or with `side` "" of both; `out`, what was said of it, or by it. A long one may
    be `folded` until it is asked for."""

    kind = "listing"
    code: str
    side: str = ""
    out: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Cell:
    """What came of a row in one column: a `kind` of few, that has a colour, and `note`, a figure by it."""

    kind: str
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a Matrix, and what is folded below it: codes, each with who ran it and what each said."""

    title: str
    says: str
    cells: Sequence[Cell]
    codes: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]


@dataclass(frozen=True)
class Matrix(Block):
    """Rows in groups, a cell of some kind in each column. `kinds` has for each the sign and the words; `old`
    are the columns that were not run now."""

    kind = "matrix"
    columns: Sequence[str]
    old: Sequence[str]
    kinds: Mapping[str, tuple[str, str]]
    groups: Sequence[tuple[str, Sequence[Row]]]


@dataclass(frozen=True)
class Panels(Block):
    """Lines of dots (`report/look/panels.py`) on two panels, which `heads` name; `alt` is what they show, for
    who does not see them."""

    kind = "panels"
    lines: Sequence[Any]
    heads: tuple[str, str]
    alt: str


@dataclass(frozen=True)
class Figure(Block):
    """A figure of its own kind: `draw()` gives it as HTML when the page is drawn; `alt` is what it shows, for
    who does not see it."""

    kind = "figure"
    draw: Callable[[], str]
    alt: str = ""


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
