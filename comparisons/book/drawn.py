"""What a program draws, as JSON."""

from __future__ import annotations

from typing import Any

import numpy as np


def plot(*images: Any, x: Any = None, **curves: Any) -> None:
    """What a program calls to draw: curves by name, or arrays of two dimensions as shades. The recorder
    has its own, which keeps what `drawn` gives."""


def drawn(*images: Any, x: Any = None, **curves: Any) -> dict[str, Any]:
    """Of arrays of two dimensions {images}, in shades from 0 to 99; of sequences by name {x, curves}."""
    if images:
        return {"images": [_shades(np.asarray(image, "float64")) for image in images]}
    found = {name: _rounded(y) for name, y in curves.items()}
    many = max(map(len, found.values()))
    return {"x": _rounded(range(many) if x is None else x), "curves": found}


def _shades(image: Any) -> list[list[int]]:
    low, high = image.min(), image.max()
    shades = np.rint(99 * (image - low) / ((high - low) or 1)).astype(int)
    return [[int(shade) for shade in row] for row in shades]


def _rounded(numbers: Any) -> list[float]:
    return [float(f"{float(number):.4g}") for number in numbers]
