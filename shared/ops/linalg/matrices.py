"""What the ops of this room take: matrices of floats, in the last two axes. And how they are computed: half
precision in single, with errors of ours for what the array module's linalg finds wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from shared.dims import Size
from shared.errors import MatrixError, ShapeError
from shared.numerics.half import HALF, SINGLE, rounded
from shared.ops.choosing import cast
from shared.ops.complexes import conj
from shared.ops.shapes import as_tensor_like, expand_dims, swapaxes
from shared.spec import Operand, Spec, float_dtype, promote, sizes_match, str_shape


def floats(x: Any) -> Any:
    """`x` if it is floating point or complex; integers and bools become floats as in exp."""
    x = as_tensor_like(x)
    return x if x.dtype.kind in "fc" else cast(x, float_dtype(Spec((), x.dtype)))


def matrices(call: str, x: Any) -> Any:
    """`x` as floats; ShapeError unless it has rows and columns."""
    x = floats(x)
    check_matrices(call, x)
    return x


def check_matrices(call: str, x: Operand) -> tuple[Size, Size]:
    """How many rows and columns; ShapeError for what has none."""
    if len(x.shape) < 2:
        raise ShapeError(f"{call}: {str_shape(x.shape)} has no rows and columns; it needs 2 axes")
    return x.shape[-2], x.shape[-1]


def check_square(call: str, x: Operand) -> Size:
    """How many rows; ShapeError unless there are as many columns."""
    rows, columns = check_matrices(call, x)
    if not sizes_match(rows, columns):
        raise ShapeError(
            f"{call}: {str_shape(x.shape)} is not square: it has {rows} rows and {columns} columns"
        )
    return rows


# --- computing -----------------------------------------------------------------------------

_WORDS = {
    "singular": "a matrix is singular, it has no inverse; linalg.pinv and linalg.lstsq take such, or add a "
    "little to its diagonal",
    "positive definite": "a matrix is not positive definite; add a little to its diagonal, x + 1e-6 * eye(n)",
    "converge": "no convergence; is there a NaN or an infinity in it?",
}
"""By what NumPy's message holds."""


def on_matrices(call: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A compute that takes arrays of half precision in single and rounds what comes out, gives C order, and
    raises MatrixError where the array module finds that a matrix is not what it must be."""

    def around(compute: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(compute)
        def computed(*arrays: Any, **settings: Any) -> Any:
            half = promote(*arrays) == HALF
            wide = [x.astype(SINGLE) if x.dtype == HALF else x for x in arrays]
            try:
                made = compute(*wide, **settings)
            except np.linalg.LinAlgError as error:
                said = str(error)
                words = next((text for key, text in _WORDS.items() if key in said.lower()), said)
                raise MatrixError(f"linalg.{call}: {words}") from None
            if isinstance(made, tuple):
                return tuple([_finished(y, half) for y in made])
            return _finished(made, half)

        return computed

    return around


def _finished(y: Any, half: bool) -> Any:
    if half and y.dtype == SINGLE:
        y = rounded(y, HALF)
    return y if y.flags.c_contiguous else y.copy(order="C")


# --- what rules are made of ----------------------------------------------------------------


def turned(x: Any) -> Any:
    """The transposed matrices."""
    return swapaxes(x, -1, -2)


def adjoint(x: Any) -> Any:
    """The transposed matrices, conjugate."""
    return conj(swapaxes(x, -1, -2))


def of_rows(values: Any) -> Any:
    """Values (..., n), one for each row of matrices (..., n, k), so that they broadcast."""
    return expand_dims(values, -1)


def of_columns(values: Any) -> Any:
    """Values (..., k), one for each column of matrices (..., n, k), so that they broadcast."""
    return expand_dims(values, -2)
