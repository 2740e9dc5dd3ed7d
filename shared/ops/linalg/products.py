"""What is made of products and of places: powers, chains, cross and inner products, diagonals."""

from __future__ import annotations

import operator
import string
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from shared.errors import SettingError, ShapeError
from shared.ops.choosing import cast
from shared.ops.complexes import conj
from shared.ops.contraction import einsum
from shared.ops.creation import eye
from shared.ops.diagonals import diagonal as plane_diagonal
from shared.ops.elementwise import mul, sub
from shared.ops.indexing import take
from shared.ops.linalg.matrices import check_matrices, check_square, matrices
from shared.ops.linalg.solving import inv
from shared.ops.matrices import matmul, outer as flat_outer
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like, broadcast_to, of_one_size, sized, swapaxes
from shared.spec import broadcast_shapes, sizes_match, spec_of, str_shape


def matrix_transpose(x: Any) -> Any:
    """`x` with its last two axes exchanged. A view."""
    x = as_tensor_like(x)
    check_matrices("linalg.matrix_transpose", x)
    return swapaxes(x, -1, -2)


def matrix_power(x: Any, n: int) -> Any:
    """Square matrices (..., m, m) to the power n, an integer: of a negative one the inverses', of 0 the
    identity. By repeated squaring. Raises MatrixError for a negative power of a singular matrix."""
    x = as_tensor_like(x) if isinstance(n, int) and n > 0 else matrices("linalg.matrix_power", x)
    size = check_square("linalg.matrix_power", x)
    try:
        power = operator.index(n)
    except TypeError:
        raise SettingError(f"linalg.matrix_power: n must be an integer, not {n!r}") from None
    if power == 0:
        return broadcast_to(eye(size, dtype=x.dtype, like=x), x.shape)
    square, found = inv(x) if power < 0 else x, None
    power = abs(power)
    while power:
        if power & 1:
            found = square if found is None else matmul(found, square)
        power >>= 1
        square = matmul(square, square) if power else square
    return found


def multi_dot(arrays: Sequence[Any]) -> Any:
    """The product of two or more matrices, multiplied in an order that costs little. The first may be a row
    (n,), the last a column (n,), as in NumPy."""
    xs = [as_tensor_like(x) for x in arrays]
    if len(xs) < 2:
        raise SettingError(f"linalg.multi_dot: {len(xs)} array(s); a product needs two")
    for i, x in enumerate(xs):
        if len(x.shape) != 2 and not (len(x.shape) == 1 and i in (0, len(xs) - 1)):
            raise ShapeError(
                f"linalg.multi_dot: array {i} is {str_shape(x.shape)}; each must have two axes, or, if it is "
                "the first or the last, one"
            )
    for i, (a, b) in enumerate(pairwise(tuple(xs))):
        if not sizes_match(a.shape[-1], b.shape[0]):
            raise ShapeError(
                f"linalg.multi_dot: array {i} is {str_shape(a.shape)}, array {i + 1} {str_shape(b.shape)}: "
                f"inner sizes {a.shape[-1]} and {b.shape[0]} differ"
            )
        xs[i], xs[i + 1] = of_one_size("linalg.multi_dot", xs[i], -1, b, 0)
    if len(xs) >= len(string.ascii_letters):
        half = len(xs) // 2
        return matmul(multi_dot(xs[:half]), multi_dot(xs[half:]))
    letters = string.ascii_letters[: len(xs) + 1]
    terms = [letters[i : i + 2] for i in range(len(xs))]
    terms[0] = terms[0][2 - len(xs[0].shape) :]
    terms[-1] = terms[-1][: len(xs[-1].shape)]
    ends = (letters[0] if len(xs[0].shape) == 2 else "") + (letters[-1] if len(xs[-1].shape) == 2 else "")
    return einsum(f"{','.join(terms)}->{ends}", *xs)


def vecdot(a: Any, b: Any, *, axis: int = -1) -> Any:
    """The inner products of vectors along `axis`, those of a conjugate; other axes broadcast."""
    a, b = as_tensor_like(a), as_tensor_like(b)
    a, b, _ = _along("vecdot", a, b, axis)
    products = mul(conj(a), b)
    return cast(sum(products, axis), products.dtype)  # a sum of small integers would be wider


def _along(call: str, a: Any, b: Any, axis: int) -> tuple[Any, Any, int]:
    """Both, of one size along the axis in which vectors lie, and that axis from the back; one from 0 up
    counts in what they broadcast to."""
    broadcast_shapes(f"linalg.{call}", spec_of(a), spec_of(b))
    ndim = max(len(a.shape), len(b.shape))
    if not isinstance(axis, int) or not -ndim <= axis < ndim:
        raise SettingError(f"linalg.{call}: axis {axis!r} is out of range for {ndim} dimension(s)")
    back = axis if axis < 0 else axis - ndim
    if -back > min(len(a.shape), len(b.shape)) or not sizes_match(a.shape[back], b.shape[back]):
        raise ShapeError(
            f"linalg.{call}: {str_shape(a.shape)} and {str_shape(b.shape)} must have the same size along "
            f"axis {axis}"
        )
    return *of_one_size(f"linalg.{call}", a, back, b, back), back


def cross(a: Any, b: Any, *, axis: int = -1) -> Any:
    """The cross products of vectors of 3 along `axis`; other axes broadcast."""
    a, b = as_tensor_like(a), as_tensor_like(b)
    a, b, back = _along("cross", a, b, axis)
    if not sizes_match(a.shape[back], 3):
        size = a.shape[back]
        raise ShapeError(f"linalg.cross: vectors along axis {axis} have {size} elements, and must have 3")
    a, b = (sized("linalg.cross", x, back, 3) for x in (a, b))
    next_, last = [1, 2, 0], [2, 0, 1]
    ab = mul(take(a, next_, back), take(b, last, back))
    return sub(ab, mul(take(a, last, back), take(b, next_, back)))


def outer(a: Any, b: Any) -> Any:
    """`y[i, j] = a[i] * b[j]` of two vectors. Raises ShapeError for more axes: `ops.outer` flattens them."""
    a, b = as_tensor_like(a), as_tensor_like(b)
    if len(a.shape) != 1 or len(b.shape) != 1:
        raise ShapeError(f"linalg.outer: {str_shape(a.shape)} and {str_shape(b.shape)} must both be 1-d")
    return flat_outer(a, b)


def diagonal(x: Any, *, offset: int = 0) -> Any:
    """The diagonals of matrices (..., m, n): the main ones, or for an offset above 0 those as far above."""
    x = as_tensor_like(x)
    check_matrices("linalg.diagonal", x)
    return plane_diagonal(x, offset, -2, -1)


def trace(x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sums of the diagonals of matrices (..., m, n), as `diagonal` has them. Integers are summed in 64
    bits, or all in `dtype`, if one is given."""
    found = diagonal(x, offset=offset)
    return sum(found if dtype is None else cast(found, dtype), -1)
