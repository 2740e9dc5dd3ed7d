"""The generic figures of an experiment's evidence, as SVG text: curves, bars and timelines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comparisons.lab.blocks import Bars, Curves, Lane, Timeline
from comparisons.report.look.figures import COLOUR, FAINT, GOLD, INK, canvas, round_time
from comparisons.statistics.quantities import number, seconds, size

OTHERS = (GOLD, INK, FAINT)
"""Colours for what belongs to neither engine, in turn."""


def _plain(value: float) -> str:
    return number(value) if value >= 1000 else f"{value:g}"


AXIS: dict[str, Callable[[float], str]] = {"seconds": round_time, "bytes": size, "": _plain}
FIGURE: dict[str, Callable[[float], str]] = {"seconds": seconds, "bytes": size, "": _plain}
"""How a unit is said on an axis, and beside a bar."""


def alternative(block: Curves | Bars | Timeline) -> str:
    """What a chart shows, for who does not see it: where each curve begins and ends, each bar's figure, or
    how each lane went."""
    if isinstance(block, Timeline):
        return f"{block.title}. {' '.join(map(_lane, block.lanes))}"
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


def _lane(lane: Lane) -> str:
    begun = [seconds(message[0]) for message in lane.messages]
    waited = sum(end - start for start, end in lane.waits)
    return (
        f"{lane.label}: {len(lane.ready)} gradients were ready from {seconds(min(lane.ready, default=0))} to "
        f"{seconds(max(lane.ready, default=0))}; messages were begun at {', '.join(begun)}; it waited "
        f"{seconds(waited)} of {seconds(lane.end)}."
    )


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


def timeline(block: Timeline) -> str:
    """Two rows for each lane: what is computed, with a stroke for each gradient that is ready and gaps where
    it waits; and the messages, each in a row of its own."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    height = 3.0  # of a lane: its name, what it computes, its messages
    with canvas(5.0, 1.05 * len(block.lanes) + 0.9, f"timeline {block.title}") as (_, axes, written):
        ticks: dict[float, str] = {}
        for which, lane in enumerate(block.lanes):
            top = which * height
            axes.annotate(lane.label, (0, top + 0.3), va="center", fontweight="bold")
            _computing(axes, lane, top + 0.6)
            _talking(axes, lane, top + 1.55)
            ticks |= {top + 0.95: "computes", top + 2.0: "talks"}
        axes.set_yticks([*ticks], [*ticks.values()])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_ylim(height * len(block.lanes), 0)
        axes.set_xlim(0, 1.02 * max(lane.end for lane in block.lanes))
        axes.xaxis.set_major_formatter(lambda value, _: round_time(value) if value else "0")
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel("since the step began")
        keys = [
            Patch(facecolor=FAINT, alpha=0.45, label="computing"),
            Line2D([], [], color=INK, linewidth=1, label="a gradient is ready"),
            Patch(facecolor=GOLD, label="a message under way"),
            Patch(facecolor="none", edgecolor=FAINT, hatch="////", linewidth=0.6, label="waiting for it"),
        ]
        axes.legend(handles=keys, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return str(written[0])


def _computing(axes: Any, lane: Lane, top: float) -> None:
    at = 0.0
    for start, end in [*lane.waits, [lane.end, lane.end]]:
        axes.broken_barh([(at, start - at)], (top, 0.7), facecolor=COLOUR[lane.side], alpha=0.45, linewidth=0)
        axes.broken_barh(
            [(start, end - start)], (top, 0.7), facecolor="none", edgecolor=FAINT, hatch="////", linewidth=0.6
        )
        at = end
    for ready in lane.ready:
        axes.plot([ready, ready], [top, top + 0.7], color=INK, linewidth=1)


def _talking(axes: Any, lane: Lane, top: float) -> None:
    each = 1.1 / max(len(lane.messages), 1)
    for row, (begun, over) in enumerate(lane.messages):
        place = top + row * each, 0.75 * each
        axes.broken_barh([(begun, over - begun)], place, facecolor=GOLD, linewidth=0)
