"""Figures as SVG text, by matplotlib; the page's own colours and letters fill them.

matplotlib writes stand-in colours, which are replaced by CSS variables, so one figure serves
light and dark pages and print. The same numbers give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from comparisons.statistics.effect import break_even
from comparisons.statistics.quantities import count, seconds, size

Json = Mapping[str, Any]

INK, FAINT, DYNAMIC, STATIC, GOLD = "#010101", "#020202", "#030303", "#040404", "#050505"
_VARIABLES = {INK: "--ink", FAINT: "--faint", DYNAMIC: "--dynamic", STATIC: "--static", GOLD: "--gold"}
COLOUR = {"dynamic": DYNAMIC, "static": STATIC}
SMALLEST = 1.05
"""Points of a figure for each pixel below which its letters, of 10.5 points on a phone, are too small."""
PHASES = {"build": "build", "compile": "compile", "first_step": "first step", "step": "later steps"}


@contextmanager
def canvas(width: float, height: float, name: str, **grid: Any) -> Iterator[tuple[Any, Any, list[str]]]:
    """A figure of `width` by `height` inches and its axes; the SVG is left in the list."""
    import matplotlib
    from matplotlib.figure import Figure

    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "font.size": 9,
        "text.color": INK,
        "axes.edgecolor": FAINT,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "legend.frameon": False,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(**grid)
        written: list[str] = []
        yield figure, axes, written
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        written.append(_themed(file.getvalue()))


def _themed(svg: str) -> str:
    """The `<svg>` element alone, as wide as its place, in the page's colours and letters."""
    svg = svg[svg.index("<svg") :]
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    svg = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", svg)
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    if width := re.search(r'<svg[^>]*? width="([\d.]+)pt"', svg):
        svg = f'<svg style="--least: {float(width[1]) / SMALLEST:.0f}px"{svg[4:]}'
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    return re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)


def losses(name: str, engines: Json) -> str:
    """The loss curves laid over each other, and below them the difference at every step."""
    found = {engine: entry["losses"] for engine, entry in engines.items()}
    rows = {"nrows": 2, "sharex": True, "height_ratios": (4, 1)} if len(found) == 2 else {"nrows": 1}
    with canvas(5.2, 3.1, f"losses {name}", **rows) as (_, axes, written):
        top = axes[0] if len(found) == 2 else axes
        for engine, values in found.items():
            wide = engine == "dynamic" and len(found) == 2
            top.plot(
                range(1, len(values) + 1), _numbers(values), color=COLOUR[engine], label=engine,
                linewidth=5 if wide else 1.3, alpha=0.35 if wide else 1, solid_capstyle="round",
            )  # fmt: skip
        top.set_ylabel("loss")
        _loss_axis(top, [loss for values in found.values() for loss in values if loss is not None])
        top.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        last = top
        if len(found) == 2:
            last = axes[1]
            _difference(last, *(found[engine] for engine in ("dynamic", "static")))
        last.set_xlabel("step")
    return written[0]


def _loss_axis(axes: Any, seen: Sequence[float]) -> None:
    """From zero; logarithmic where losses span powers of ten; free where some are below zero."""
    least = min((loss for loss in seen if loss > 0), default=0.0)
    if min(seen, default=0.0) < 0:
        return
    if least > 0 and max(seen) > 1e4 * least:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]


def _difference(axes: Any, dynamic: Sequence[float | None], static: Sequence[float | None]) -> None:
    pairs = zip(_numbers(dynamic), _numbers(static), strict=False)
    gaps = [0.0 if a == b else b - a for a, b in pairs]
    axes.plot(range(1, len(gaps) + 1), gaps, color=INK, linewidth=1.3)
    largest = max((abs(gap) for gap in gaps), default=0.0)
    axes.set_ylabel("static \N{MINUS SIGN}\ndynamic")
    if largest == 0:
        axes.set_ylim(-1, 1)
        axes.set_yticks([0])


def phases(name: str, engines: Json) -> str:
    """What each phase takes: medians with their quartiles, on a logarithmic axis."""
    named = [p for p in PHASES if any(p in entry["warm"] for entry in engines.values())]
    with canvas(5.2, 0.52 * len(named) + 0.8, f"phases {name}") as (_, axes, written):
        shift = 0.17 if len(engines) == 2 else 0.0
        for engine, entry in engines.items():
            up = -shift if engine == "dynamic" else shift
            for row, phase in enumerate(named):
                if phase not in entry["warm"]:
                    continue
                _dot(axes, entry["warm"][phase], row + up, COLOUR[engine], engine if row == 0 else None)
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        axes.set_xlim(low, high * 3)  # room for the figures beside the dots
        axes.set_yticks(range(len(named)), [PHASES[p] for p in named])
        axes.set_ylim(len(named) - 0.5, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_formatter(lambda value, _: round_time(value))
        axes.minorticks_off()
        axes.grid(axis="x", color=FAINT, alpha=0.25, linewidth=0.6)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return written[0]


def round_time(value: float) -> str:
    """A power of ten of seconds, as on an axis: 10 µs, 1 ms, 100 ms."""
    unit, factor = ("s", 1.0) if value >= 1 else ("ms", 1e3) if value >= 1e-3 else ("µs", 1e6)
    return f"{value * factor:g} {unit}"


def _dot(axes: Any, found: Json, row: float, colour: str, label: str | None) -> None:
    axes.plot([found["low"], found["high"]], [row, row], color=colour, linewidth=4, alpha=0.35)
    axes.plot(found["median"], row, "o", color=colour, markersize=6, label=label)
    axes.annotate(
        seconds(found["median"]), (found["high"], row), (8, 0), textcoords="offset points", va="center"
    )


def catching_up(name: str, engines: Json) -> str:
    """Time that has gone by after so many steps, from nothing; where the lines cross, marked."""
    warm = {engine: entry["warm"] for engine, entry in engines.items()}
    even = break_even(warm["dynamic"], warm["static"]) if len(warm) == 2 else None
    steps = 40.0 if even is None else 2.5 * even.crossing
    with canvas(5.2, 2.7, f"catching up {name}") as (_, axes, written):
        ends = []
        for engine, found in warm.items():
            start, each = found["start"]["median"], found["step"]["median"]
            ends.append(start + (steps - 1) * each)
            axes.plot([0, 1, steps], [0, start, ends[-1]], color=COLOUR[engine], linewidth=2, label=engine)
        unit, factor = ("s", 1.0) if max(ends) >= 1 else ("ms", 1e3)
        if even is not None:
            at = warm["dynamic"]["start"]["median"] + (even.crossing - 1) * warm["dynamic"]["step"]["median"]
            axes.plot(even.crossing, at, "o", color=GOLD, markersize=8, zorder=5)
            said = f"made up for after {count(even.step, 'step')}"
            axes.annotate(said, (even.crossing, at), (-10, 12), textcoords="offset points", ha="right")
        axes.set_xlim(0, steps)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value * factor:,.4g}")
        axes.set_xlabel("steps")
        axes.set_ylabel(f"time so far, {unit}")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return written[0]


def memory(name: str, engines: Json) -> str:
    """Bytes held between steps, and at the highest point of a step."""
    with canvas(5.2, 0.5 * len(engines) + 0.7, f"memory {name}") as (_, axes, written):
        for row, (engine, entry) in enumerate(engines.items()):
            peak, between = (entry["memory"][part]["bytes"] for part in ("peak", "between"))
            axes.barh(row, peak, 0.62, color=COLOUR[engine], alpha=0.35)
            axes.barh(row, between, 0.62, color=COLOUR[engine])
            axes.annotate(size(peak), (peak, row), (6, 0), textcoords="offset points", va="center")
        axes.set_yticks(range(len(engines)), list(engines))
        axes.set_ylim(len(engines) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlim(0, 1.25 * max(entry["memory"]["peak"]["bytes"] for entry in engines.values()))
        axes.xaxis.set_major_formatter(lambda value, _: size(value) if value else "0")
        axes.locator_params(axis="x", nbins=5)
    return written[0]
