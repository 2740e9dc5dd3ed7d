"""Linear algebra, as `ops.linalg`: the Array API's extension of that name (2024.12), and names of PyTorch's
and NumPy's beside it.

Matrices stand in the last two axes, those before them are batches. Half precision is computed in single;
integers and bools become floats as in exp. What has no gradient where is said by each: equal eigenvalues,
singular matrices, vectors that only complete a basis.
"""

from shared.ops.linalg.approximate import lstsq, matrix_rank, pinv
from shared.ops.linalg.determinants import det, slogdet
from shared.ops.linalg.factorizations import cholesky, qr
from shared.ops.linalg.norms import matrix_norm, norm, vector_norm
from shared.ops.linalg.products import (
    cross,
    diagonal,
    matrix_power,
    matrix_transpose,
    multi_dot,
    outer,
    trace,
    vecdot,
)
from shared.ops.linalg.solving import inv, solve, solve_triangular
from shared.ops.linalg.spectra import eig, eigh, eigvals, eigvalsh, svd, svdvals
from shared.ops.matrices import matmul, tensordot
from shared.usage.door import public

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq",
    "matmul", "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "multi_dot", "norm",
    "outer", "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd", "svdvals", "tensordot",
    "trace", "vecdot", "vector_norm",
]  # fmt: skip

public(globals(), __all__)
