"""What the boxes and lines of drawn graphs mean: those that are in the drawings, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.picture.label import BACK_EDGE, COLOURS, MEANING, TIMES

MARKS = (
    (r'fill="#\w+" stroke="#\w+" stroke-width="2.6"', "border: 2.6px solid", "the result"),
    (r'fill="#\w+"[^>]* stroke-dasharray', "border: 1px dashed", "drawn once more"),
    (r'fill="none"[^>]* stroke-dasharray', "border: dashed; border-width: 1px 0 0", "no gradient"),
    (f'stroke="{BACK_EDGE}"', f"border: solid {BACK_EDGE}; border-width: 2px 0 0", "back to an earlier box"),
)
"""Of a drawing's marks that are no fill: how the SVG shows them, and how a legend does."""


def legend(svgs: Iterable[str]) -> list[tuple[str, str]]:
    """For all that some of the drawings show, a swatch's style and its meaning."""
    drawn = "\n".join(svgs)
    fills = [
        (f"background: {COLOURS[kind].fill}; border: 1px solid {COLOURS[kind].border}", meaning)
        for kind, meaning in MEANING.items()
        if f'fill="{COLOURS[kind].fill}"' in drawn
    ]
    marks = [(style, meaning) for pattern, style, meaning in MARKS if re.search(pattern, drawn)]
    often = [("", f"{TIMES}2: two alike, drawn once")] if re.search(f"(?:{TIMES}|&#215;)\\d", drawn) else []
    return [*fills, *marks, *often]
