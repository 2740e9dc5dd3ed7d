"""Singular matrices, equal eigenvalues, and half a matrix."""

from math import inf, nan

from tests.kinks.row import Raises, Row

ROWS = (
    Row("det-singular", "det(x)", [[[1.0, 2.0], [2.0, 4.0]]], 0.0, [[[4.0, -2.0], [-2.0, 1.0]]],
        "The cofactors, which need no inverse."),
    Row("det-zeros", "det(x)", [[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]], 0.0,
        [[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]],
        "The cofactors, which are all 0."),
    Row("slogdet-singular", "log |det(x)|", [[[1.0, 2.0], [2.0, 4.0]]], -inf, None, "The logarithm of 0."),
    Row("inv-singular", "inv(x)", [[[1.0, 2.0], [2.0, 4.0]]], Raises("MatrixError"), None,
        "There is none, as NumPy says."),
    Row("solve-singular", "solve(x, y)", [[[1.0, 2.0], [2.0, 4.0]], [[1.0], [2.0]]], Raises("MatrixError"),
        None,
        "There is no one solution; `lstsq` chooses."),
    Row("pinv-zeros", "pinv(x)", [[[0.0, 0.0], [0.0, 0.0]]], [[0.0, 0.0], [0.0, 0.0]],
        [[[0.0, 0.0], [0.0, 0.0]]],
        "The pseudo-inverse of nothing is nothing."),
    Row("eigh-values-equal", "eigenvalues of eigh(x)", [[[1.0, 0.0], [0.0, 1.0]]], [1.0, 1.0],
        [[[1.0, 0.0], [0.0, 2.0]]],
        "V diag(g) V^T, with the vectors that it found.", seed=[1.0, 2.0]),
    Row("eigh-vectors-equal", "vectors of eigh(x)", [[[1.0, 0.0], [0.0, 1.0]]], [[1.0, 0.0], [0.0, 1.0]],
        [[[nan, nan], [nan, nan]]],
        "Any basis would do, so the one that was found has no slope: 0 / 0."),
    Row("eigh-lower-only", "eigenvalues of eigh(x), not symmetric", [[[2.0, 5.0], [1.0, 2.0]]], [1.0, 3.0],
        None,
        "The lower triangle is read, as in NumPy and LAPACK."),
    Row("svdvals-equal", "svdvals(x)", [[[1.0, 0.0], [0.0, 1.0]]], [1.0, 1.0], [[[1.0, 0.0], [0.0, 1.0]]],
        "U V^T, which is the same for all bases."),
    Row("cholesky-slope", "cholesky(x)", [[[4.0, 2.0], [2.0, 5.0]]], [[2.0, 0.0], [1.0, 2.0]],
        [[[0.1875, 0.125], [0.125, 0.25]]],
        "Symmetric: x is, and a step along the gradient leaves it so.", seed=[[1.0, 0.0], [1.0, 1.0]]),
    Row("cholesky-not-positive", "cholesky(x)", [[[1.0, 2.0], [2.0, 1.0]]], Raises("MatrixError"), None,
        "There is none, as NumPy says."),
)  # fmt: skip
