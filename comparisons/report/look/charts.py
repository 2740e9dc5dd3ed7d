"""The generic figures of an experiment's evidence, as SVG text: curves and bars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comparisons.lab.blocks import Bars, Curves
from comparisons.report.look.figures import COLOUR, FAINT, GOLD, INK, canvas, round_time
from comparisons.statistics.quantities import number, seconds, size

OTHERS = (GOLD, INK, FAINT)
"""Colours for what belongs to neither engine, in turn."""


def _plain(value: float) -> str:
    return number(value) if value >= 1000 else f"{value:g}"


AXIS: dict[str, Callable[[float], str]] = {"seconds": round_time, "bytes": size, "": _plain}
FIGURE: dict[str, Callable[[float], str]] = {"seconds": seconds, "bytes": size, "": _plain}
"""How a unit is said on an axis, and beside a bar."""


def alternative(block: Curves | Bars) -> str:
    """What a chart shows, for who does not see it: where each curve begins and ends, or each bar's figure."""
    said = FIGURE[block.unit]
    if isinstance(block, Bars):
        parts = [
            f"{label}: {', '.join(f'{said(values[i])} on {side}' for side, values in block.values.items())}"
            for i, label in enumerate(block.labels)
        ]
        return f"{block.title}. {'; '.join(parts)}."
    ends = [
        f"{one.label} goes from {' to '.join(f'{said(one.y[i])} at {_plain(one.x[i])}' for i in (0, -1))}"
        for one in block.series
        if len(one.y)
    ]
    return f"{block.title}: {block.y_label} over {block.x_label}. {'; '.join(ends)}."


def curves(block: Curves) -> str:
    """One axis, a line for each series, and the band around it where one is known."""
    with canvas(6.4, 3.4, f"curves {block.title}") as (_, axes, written):
        others = 0
        for series in block.series:
            colour = COLOUR.get(series.side) or OTHERS[others % len(OTHERS)]
            others += series.side not in COLOUR
            if series.low is not None and series.high is not None:
                axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(
                series.x, series.y, color=colour, label=series.label, linewidth=1.6,
                linestyle="--" if series.dashed else "-", marker="o" if len(series.x) <= 12 else None,
                markersize=3.5,
            )  # fmt: skip
        _scales(axes, block)
        if block.mark is not None:
            axes.axvline(block.mark[0], color=GOLD, linewidth=1, linestyle=":")
            axes.annotate(
                block.mark[1], (block.mark[0], 1), (0, 3), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha="center", va="bottom",
            )  # fmt: skip
        axes.set_xlabel(block.x_label)
        axes.set_ylabel(block.y_label)
        if len(block.series) > 1:
            above = 1.0 if block.mark is None else 1.07  # what the mark is called stands between
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, above), ncols=2)
    return str(written[0])


def _scales(axes: Any, block: Curves) -> None:
    if block.log_x:
        axes.set_xscale("log")
    if block.log_y:
        axes.set_yscale("log")
    elif all(value >= 0 for series in block.series for value in series.y):
        axes.set_ylim(bottom=0)
    axes.minorticks_off()
    axes.grid(axis="y", color=FAINT, alpha=0.25, linewidth=0.6)
    axes.xaxis.set_major_formatter(lambda value, _: _plain(value))
    axes.yaxis.set_major_formatter(lambda value, _: AXIS[block.unit](value) if value else "0")


def bars(block: Bars) -> str:
    """A group of horizontal bars for each label, the figure at the end of each."""
    count = len(block.values)
    height, largest = 0.8 / count, max((v for values in block.values.values() for v in values), default=1)
    with canvas(6.4, 0.28 * count * len(block.labels) + 0.9, f"bars {block.title}") as (_, axes, written):
        others = 0
        for place, (side, values) in enumerate(block.values.items()):
            colour = COLOUR.get(side) or OTHERS[others % len(OTHERS)]
            others += side not in COLOUR
            rows = [row + (place - (count - 1) / 2) * height for row in range(len(values))]
            axes.barh(rows, values, 0.9 * height, color=colour, label=side)
            for row, value in zip(rows, values, strict=True):
                axes.annotate(
                    FIGURE[block.unit](value), (value, row), (4, 0), textcoords="offset points", va="center"
                )
        axes.set_yticks(range(len(block.labels)), list(block.labels))
        axes.set_ylim(len(block.labels) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlim(0, 1.2 * (largest or 1))
        axes.xaxis.set_major_formatter(lambda value, _: AXIS[block.unit](value) if value else "0")
        axes.locator_params(axis="x", nbins=5)
        if count > 1:
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=count)
    return str(written[0])
