"""Python source as HTML: highlighted, and two versions laid side by side."""

from __future__ import annotations

import io
import keyword
import token
import tokenize
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import escape

_STRINGS = {token.STRING} | {getattr(token, name) for name in dir(token) if name.startswith("FSTRING")}


@dataclass(frozen=True)
class Line:
    """One line of a listing.

    html   the highlighted text; None where the other side has a line and this one has not
    mark   "same" if the other side has the same line, else "own"
    """

    html: str | None
    mark: str


def highlighted(source: str) -> list[str]:
    """Each line of `source` as HTML, with spans of class k (keyword), s (string), c (comment)
    and n (number). What is not whole Python is only escaped."""
    lines = source.rstrip("\n").split("\n")
    spans: list[list[tuple[int, int, str]]] = [[] for _ in lines]
    try:
        for part in tokenize.generate_tokens(io.StringIO(source).readline):
            kind = _kind(part)
            for row in range(part.start[0], part.end[0] + 1) if kind else ():
                if row <= len(lines):
                    start = part.start[1] if row == part.start[0] else 0
                    end = part.end[1] if row == part.end[0] else len(lines[row - 1])
                    spans[row - 1].append((start, end, kind))
    except (tokenize.TokenError, SyntaxError):
        return [escape(line) for line in lines]
    return [_with_spans(line, found) for line, found in zip(lines, spans, strict=True)]


def _kind(part: tokenize.TokenInfo) -> str:
    if part.type == token.COMMENT:
        return "c"
    if part.type in _STRINGS:
        return "s"
    if part.type == token.NUMBER:
        return "n"
    return "k" if part.type == token.NAME and keyword.iskeyword(part.string) else ""


def _with_spans(line: str, spans: list[tuple[int, int, str]]) -> str:
    done, at = [], 0
    for start, end, kind in spans:
        done.append(escape(line[at:start]))
        done.append(f'<span class="{kind}">{escape(line[start:end])}</span>')
        at = end
    return "".join(done) + escape(line[at:])


def side_by_side(left: str, right: str) -> tuple[list[Line], list[Line]]:
    """Two sources as rows of equal number: equal lines face each other (indentation apart), and
    where one side has more lines the other has rows without text."""
    sources = [text.rstrip("\n").split("\n") for text in (left, right)]
    shown = [highlighted(left), highlighted(right)]
    bare = [[line.strip() for line in lines] for lines in sources]
    rows: tuple[list[Line], list[Line]] = ([], [])
    for tag, *ends in SequenceMatcher(None, bare[0], bare[1], autojunk=False).get_opcodes():
        ranges = (range(*ends[:2]), range(*ends[2:]))
        for side in (0, 1):
            mark = "same" if tag == "equal" else "own"
            rows[side].extend(
                Line(shown[side][i], mark if bare[side][i] or tag == "equal" else "same")
                for i in ranges[side]
            )
            missing = max(map(len, ranges)) - len(ranges[side])
            rows[side].extend([Line(None, "same")] * missing)
    return rows


def shared_lines(left: str, right: str) -> tuple[int, int, int]:
    """How many lines with text both sources have, only the left has, only the right has."""
    rows = side_by_side(left, right)
    same = sum(row.mark == "same" and bool(row.html) for row in rows[0])
    own = [sum(row.mark == "own" for row in side) for side in rows]
    return same, own[0], own[1]
