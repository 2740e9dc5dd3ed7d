"""Ops of real numbers alone. Complex numbers have no order, and where a function would need one, NumPy makes
it up: that of pairs. Here they are refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

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
            refuse_complex(name, operands)
            return infer(*operands, **settings)

        super().__init__(name, compute, of_reals, *rules, **more)

    def on_arrays(self, args: Sequence[Any], settings: dict[str, Any]) -> Any:
        refuse_complex(self.name, args)
        return super().on_arrays(args, settings)


def refuse_complex(call: str, operands: Sequence[Any]) -> None:
    """DTypeError if one of the operands is complex."""
    for x in operands:
        if isinstance(x, complex) if is_weak(x) else x.dtype.kind == "c":
            raise DTypeError(
                f"{call}: takes real numbers, and complex ones have no order; pass abs(x), real(x) or imag(x)"
            )
