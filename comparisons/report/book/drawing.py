"""What a program drew, as SVG: curves over one axis, or shades in a square."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from comparisons.statistics.quantities import listed

_WIDTH, _HEIGHT = 300, 120
_INKS = ("var(--ink)", "var(--nabla)", "var(--dynamic)", "var(--static)")
_STROKES = ("", "5 3", "1 3", "8 3 1 3")  # told apart without colour, too


def picture(found: Mapping[str, Any]) -> str:
    """A `<figure>`'s inside: an SVG element with its description."""
    return _images(found["images"]) if "images" in found else _curves(found["x"], found["curves"])


def _curves(xs: Sequence[float], curves: Mapping[str, Sequence[float]]) -> str:
    every = [y for ys in curves.values() for y in ys]
    low, high = min(every), max(every)
    wide, tall = (max(xs) - min(xs)) or 1, (high - low) or 1
    parts = []
    for number, (name, ys) in enumerate(curves.items()):
        across = (_WIDTH * (x - min(xs)) / wide for x in xs)
        down = (_HEIGHT * (high - y) / tall for y in ys)
        points = " ".join(f"{x:.4g},{y:.4g}" for x, y in zip(across, down, strict=True))
        ink, dash = _INKS[number % 4], _STROKES[number % 4]
        parts.append(f'<polyline points="{points}" stroke="{ink}" stroke-dasharray="{dash}"/>')
        parts.append(f'<text x="{_WIDTH + 6}" y="{12 + 15 * number}" fill="{ink}">{escape(name)}</text>')
    parts.append(f'<text x="{_WIDTH + 6}" y="{_HEIGHT}" class="range">{low:.3g} to {high:.3g}</text>')
    said = f"{listed([*curves])}, from {low:.3g} to {high:.3g}, over {min(xs):.3g} to {max(xs):.3g}"
    return (
        f'<svg class="curves" viewBox="-3 -4 {_WIDTH + 92} {_HEIGHT + 9}" role="img" '
        f'aria-label="{escape(said)}">{"".join(parts)}</svg>'
    )


def _images(images: Sequence[Sequence[Sequence[int]]]) -> str:
    parts, left = [], 0
    for image in images:
        shades: dict[int, str] = {}
        for y, row in enumerate(image):
            start = 0
            for x in range(1, len(row) + 1):
                if x == len(row) or _shade(row[x]) != _shade(row[start]):
                    if shade := _shade(row[start]):
                        stripe = f"M{left + start} {y}h{x - start}v1h{start - x}z"
                        shades[shade] = shades.get(shade, "") + stripe
                    start = x
        parts += [f'<path d="{path}" fill-opacity="{shade / 10}"/>' for shade, path in sorted(shades.items())]
        left += len(image[0]) + 1
    tall = max(map(len, images))
    said = f"{len(images)} images of {len(images[0][0])} by {len(images[0])} shades"
    return (
        f'<svg class="shades" viewBox="0 0 {left - 1} {tall}" style="width: {min(left * 12, 340)}px" '
        f'role="img" aria-label="{said}">{"".join(parts)}</svg>'
    )


def _shade(number: int) -> int:
    """Of 0 to 99 one of ten."""
    return round(number / 10)
