"""Ops of real numbers alone. Complex numbers have no order, and where a function would need one, NumPy makes
it up: that of pairs. Here they are refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from shared.errors import DTypeError
from shared.op import Op
from shared.spec import is_weak


class RealOp(Op):
    """An op that raises DTypeError for complex arguments, for it compares them by size."""

    def __init__(
        self, name: str, compute: Callable[..., Any], infer: Callable[..., Any], *rules: Any, **more: Any
    ) -> None:
        @wraps(infer)
        def of_reals(*operands: Any, **settings: Any) -> Any:
            for x in operands:
                _refuse_complex(name, x)
            return infer(*operands, **settings)

        super().__init__(name, compute, of_reals, *rules, **more)
        self.examines = True

    def examine(self, args: Sequence[Any], settings: dict[str, Any]) -> None:
        for x in args:
            if type(x) is not np.ndarray or x.dtype.kind == "c":
                _refuse_complex(self.name, x)
        if self.check:
            super().examine(args, settings)


def _refuse_complex(call: str, x: Any) -> None:
    """DTypeError if x is complex."""
    if isinstance(x, complex) if is_weak(x) else x.dtype.kind == "c":
        raise DTypeError(
            f"{call}: takes real numbers, and complex ones have no order; pass abs(x), real(x) or imag(x)"
        )
