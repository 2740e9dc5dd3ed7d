"""The picture that is shown where a link to the report is passed on: its title over its chart."""

from __future__ import annotations

import io
from collections.abc import Sequence

from comparisons.report.look.panels import Line

PAPER, INK, SOFT, GOLD = "#fbf8f1", "#231d17", "#5f5548", "#a67c1f"
SIDES = {"dynamic": "#a8352a", "static": "#27508f", None: "#6f6556"}
WASHES = ("#fbeee9", "#eaf0f8")


def preview(title: str, lines: Sequence[Line]) -> bytes:
    """As PNG, 1,200 by 630 pixels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 6.3), dpi=100, facecolor=PAPER)
    figure.text(0.05, 0.9, title, color=INK, fontsize=29, family="serif", va="center")
    axes = figure.add_axes((0.27, 0.06, 0.68, 0.74))
    for left, wash in zip((0, 50), WASHES, strict=True):
        axes.axvspan(left, left + 50, color=wash, linewidth=0)
    axes.axvline(50, color=GOLD, linewidth=2)
    for row, line in enumerate(lines):
        for dot in line.dots:
            edge = GOLD if dot.counts else "none"
            axes.plot(
                dot.x, row, "o", color=SIDES[dot.side], markersize=13 if dot.counts else 6,
                alpha=1 if dot.counts else 0.45, markeredgecolor=edge, markeredgewidth=1.5,
            )  # fmt: skip
    axes.set_xlim(0, 100)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_yticks(range(len(lines)), [line.title for line in lines], color=INK, fontsize=14, family="serif")
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.set_frame_on(False)
    for x, align, side in ((49, "right", "dynamic"), (51, "left", "static")):
        axes.text(x, -0.75, f"{side} ahead", color=SIDES[side], fontsize=13, ha=align, va="bottom")
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
