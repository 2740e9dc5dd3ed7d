"""What a trained model can do, drawn: the kinds of `Task.show`."""

from __future__ import annotations

from html import escape

from comparisons.report.look.figures import COLOUR, FAINT, GOLD, INK, Json, canvas
from comparisons.statistics.quantities import count


def shown(name: str, found: Json) -> str:
    """A figure or a text as HTML, by its kind."""
    kinds = {"regions": _regions, "curve": _curve, "digits": _digits, "path": _path, "texts": _texts}
    return kinds[found["kind"]](name, found)


def _regions(name: str, found: Json) -> str:
    """{edge, plane, points, classes}: a square that is divided by class, and points on it."""
    import numpy as np

    plane, points, classes = (np.array(found[part]) for part in ("plane", "points", "classes"))
    at = np.linspace(-found["edge"], found["edge"], len(plane))
    with canvas(3.6, 3.6, f"regions {name}") as (_, axes, written):
        for number, colour in enumerate((*COLOUR.values(), GOLD)):
            inside = (plane == number).astype(float)
            axes.contourf(at, at, inside, levels=[0.5, 1.5], colors=[colour], alpha=0.3)
            axes.plot(*points[classes == number].T, "o", color=colour, markersize=3)
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])
        for side in axes.spines.values():
            side.set_visible(False)
    return str(written[0])


def _curve(name: str, found: Json) -> str:
    """{truth, answers}: two curves over the same points."""
    with canvas(5.2, 2.7, f"curve {name}") as (_, axes, written):
        axes.plot(found["truth"], color=FAINT, linewidth=5, alpha=0.4, label="what came")
        axes.plot(found["answers"], color=INK, linewidth=1.1, label="what was foretold")
        axes.set_xlabel("point")
        axes.legend(loc="lower right")
    return str(written[0])


def _digits(name: str, found: Json) -> str:
    """{rows: [{label, images}]}: rows of images of ink from 0 to 1, row by row."""
    parts, top, widest = [], 0.0, 0
    for row in found["rows"]:
        label = escape(row["label"])
        parts.append(f'<text x="0" y="{top + 4:g}" font-size="3.4" fill="var(--ink)">{label}</text>')
        top += 6
        for number, image in enumerate(row["images"]):
            left = 10 * number
            widest = max(widest, left + len(image[0]))
            parts.append(
                f'<rect x="{left}" y="{top:g}" width="{len(image[0])}" height="{len(image)}" fill="none" '
                'stroke="var(--faint)" stroke-width="0.15"/>'
            )
            parts += [
                f'<rect x="{left + x}" y="{top + y:g}" width="1.02" height="1.02" fill="var(--ink)" '
                f'fill-opacity="{ink:.2f}"/>'
                for y, line in enumerate(image)
                for x, ink in enumerate(line)
                if ink > 0.03
            ]
        top += len(row["images"][0]) + 2
    return f'<svg viewBox="-0.5 0 {widest + 1} {top:g}" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'


def _path(name: str, found: Json) -> str:
    """{x, y, heights, path}: places one after the other in a map of heights."""
    import numpy as np

    with canvas(4.4, 3.6, f"path {name}") as (_, axes, written):
        levels = np.logspace(-1, 3, 5)
        axes.contour(found["x"], found["y"], found["heights"], levels=levels, colors=[FAINT], linewidths=0.8)
        x, y = zip(*found["path"], strict=True)
        axes.plot(x, y, color=GOLD, linewidth=1.2, marker=".")
        axes.plot(x[0], y[0], "o", color=GOLD, fillstyle="none", markersize=9)
        axes.plot(x[-1], y[-1], "o", color=GOLD, markersize=7)
        axes.set_xlim(found["x"][0], found["x"][-1])
        axes.set_ylim(found["y"][0], found["y"][-1])
    return str(written[0])


def _texts(name: str, found: Json) -> str:
    """{given, texts: [{steps, text}]}: what was written after so many steps of training, behind what
    was given."""
    given = f'<span class="given">{escape(found["given"])}</span>'
    return "".join(
        f'<p class="moment">after {count(text["steps"], "step")}</p>'
        f'<pre class="sample" tabindex="0">{given}{escape(text["text"])}</pre>'
        for text in found["texts"]
    )
