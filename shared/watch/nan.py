"""Finding where NaN comes from, on either engine.

    with watching(NanFinder()):
        loss.backward()
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.errors import NotFiniteError
from shared.spec import str_shape
from shared.watch.hooks import Event, Hook


class NanFinder(Hook):
    """NotFiniteError at the first op out of which NaN (or infinity) comes though none went in.

    The error names the op, its inputs with their ranges, and the user's line that applied it.
    """

    def __init__(self, infinity: bool = True) -> None:
        self.infinity = infinity

    def after(self, event: Event) -> None:
        if self._bad(event.outputs) and not self._bad(event.inputs):
            told = "; ".join(_told(value) for value in event.inputs if hasattr(value, "shape"))
            name = f"{event.op.name} (node {event.name!r})" if event.name else event.op.name
            where = f"; applied at {event.line}" if event.line is not None else ""
            raise NotFiniteError(
                f"{name}, {event.phase}: NaN or infinity came out and none went in; its inputs: "
                f"{told or 'none'}{where}",
                event.line,
            )

    def _bad(self, values: Sequence[Any]) -> bool:
        return any(self._bad_one(value) for value in values if _is_float(value))

    def _bad_one(self, array: Any) -> bool:
        return bool(np.isnan(array).any() or (self.infinity and np.isinf(array).any()))


def _is_float(value: Any) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "shape") and value.dtype.kind in "fc"


def _told(value: Any) -> str:
    what = f"{value.dtype} {str_shape(value.shape)}"
    if not _is_float(value) or value.size == 0:
        return what
    size = abs(value) if value.dtype.kind == "c" else value
    return f"{what} from {size.min():.6g} to {size.max():.6g}"
