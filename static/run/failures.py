"""What went wrong in a run, said with the node, its inputs and the user's line that built it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.errors import (
    DiptychError,
    MissingFeedError,
    SessionError,
    ShapeError,
    TooLargeError,
    UninitializedError,
)
from shared.spec import dtype_name, spec_of, str_shape
from static.compile.program import Program
from static.graph.graph import Tensor
from static.graph.variables import Variable


def check_ready(program: Program, values: Mapping[Variable, Any]) -> None:
    """An error for what a program lacks: a feed, or the value of a variable."""
    for node in program.missing:
        tensor = node.outputs[0]
        raise MissingFeedError(
            f"run: you must feed a value for placeholder {node.name!r} with dtype "
            f"{tensor.dtype.name} and shape {str_shape(tensor.shape)}: pass "
            f"feed_dict={{{node.name}: ...}}  (made at {node.line})"
        )
    for variable in program.reads:
        if variable not in values:
            raise UninitializedError(
                f"run: attempting to use uninitialized value {variable.name!r} "
                f"({variable.spec}); run static.global_variables_initializer() first, or "
                "session.load(model)"
            )


def explained(error: Exception, program: Program, fed: Sequence[Tensor], arrays: Sequence[Any]) -> Exception:
    """The error with the node, its inputs and the user's own line that built it."""
    found = getattr(error, "failed_at", None) or program.failed_at(error)
    if found is None:
        return error
    step, node, given = found.step, found.node, found.given
    if not step.symbols():
        error = step.op.explain(error, given, step.settings)
    text = error.message if isinstance(error, DiptychError) else f"{type(error).__name__}: {error}"
    inputs = ", ".join(str(spec_of(value)) for value in given)
    feeds = ", ".join(
        f"{t.node.name}: {dtype_name(a.dtype)}{list(a.shape)}" for t, a in zip(fed, arrays, strict=True)
    )
    kind = type(error) if isinstance(error, DiptychError) else _error_class(error)
    return kind(f"{text}  [while running node {node.name!r} on ({inputs}), fed {{{feeds}}}]", node.line)


def _error_class(error: Exception) -> type[DiptychError]:
    if isinstance(error, MemoryError):
        return TooLargeError
    return ShapeError if isinstance(error, ValueError) else SessionError
