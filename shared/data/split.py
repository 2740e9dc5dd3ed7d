"""What every data set with labels gives."""

from __future__ import annotations

from typing import Any, NamedTuple


class Split(NamedTuple):
    """Examples to train on and examples held back; row i of `x` belongs to row i of `y`."""

    train_x: Any
    train_y: Any
    test_x: Any
    test_y: Any
