"""Distances between vectors: of two of a pair, of all pairs of two sets, of all pairs within one.

All are norms of differences, of any order (`linalg.vector_norm`), which are formed: the digits of small
distances are kept, and the gradient of a distance of 0 is 0, not NaN. The way by |a|^2 - 2 a b + |b|^2, which
needs less memory, loses both.
"""

from __future__ import annotations

import builtins
from typing import Any

from shared.dims import divide
from shared.errors import ShapeError
from shared.ops.choosing import all_floating, cast
from shared.ops.creation import ones
from shared.ops.elementwise import sub
from shared.ops.indexing import getitem
from shared.ops.linalg.norms import vector_norm
from shared.ops.matrices import triu
from shared.ops.shapes import as_tensor_like, expand_dims, of_one_size, reshape
from shared.spec import as_number, sizes_match, str_shape


def difference(x1: Any, x2: Any) -> Any:
    """x1 - x2 in floating point. That of integers alone is made in double precision, so that it does not
    leave their dtype, and rounded to single, as integers beside a Python float are."""
    given = as_tensor_like(x1), as_tensor_like(x2)
    y = sub(*all_floating(*given))
    return y if any(x.dtype.kind in "fc" for x in given) else cast(y, "float32")


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False
) -> Any:
    """The p-norm of x1 - x2 + eps along the last axis, as `torch.nn.functional.pairwise_distance`.

    x1 and x2 (..., D) broadcast; gives (...), or (..., 1) with `keepdims`. eps is added to each difference.
    Of integers alone the distances are float32.
    """
    eps = as_number("pairwise_distance", "eps", eps)
    return vector_norm(difference(x1, x2) + eps, ord=p, axis=-1, keepdims=keepdims)


def cdist(x1: Any, x2: Any, p: float = 2.0) -> Any:
    """The p-norm of the difference of each row of x1 and each row of x2, as `torch.cdist`.

    x1 (..., P, D) and x2 (..., R, D), whose leading axes broadcast; gives (..., P, R). A p of 0 counts the
    places in which two rows differ. Integers become floats as in exp. All P R D differences are held.
    ShapeError for rows of other lengths.
    """
    x1, x2 = all_floating(x1, x2, short=True)
    if builtins.min(len(x1.shape), len(x2.shape)) < 2 or not sizes_match(x1.shape[-1], x2.shape[-1]):
        raise ShapeError(
            f"cdist: x1 {str_shape(tuple(x1.shape))} and x2 {str_shape(tuple(x2.shape))} must be "
            "(..., P, D) and (..., R, D), with rows of one length"
        )
    x1, x2 = of_one_size("cdist", x1, -1, x2, -1)
    return vector_norm(sub(expand_dims(x1, -2), expand_dims(x2, -3)), ord=p, axis=-1)


def pdist(x: Any, p: float = 2.0) -> Any:
    """The p-norm of the difference of each two rows of x (N, D): (0, 1), (0, 2), ..., (1, 2), and so on.

    As `torch.nn.functional.pdist` and SciPy's: the part of `cdist(x, x, p)` above the diagonal, flat, of
    N (N - 1) / 2 elements. ShapeError for an x of other than 2 axes.
    """
    x = as_tensor_like(x)
    if len(x.shape) != 2:
        raise ShapeError(f"pdist: x {str_shape(tuple(x.shape))} must have 2 axes, rows and their elements")
    n = x.shape[0]
    above = triu(ones((n, n), bool, like=x), 1)
    return reshape(getitem(cdist(x, x, p), above), (divide(n * (n - 1), 2),))
