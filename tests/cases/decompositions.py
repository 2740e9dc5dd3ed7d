"""Linear algebra: equations, determinants, factors, spectra, norms; real and complex."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.op import TABLE
from shared.ops import linalg
from tests.cases.case import Case, complex_normal, integers, normal
from tests.cases.oracle import torch_op

N, B = [("n", "n")], [("b", "n", "n")]


def regular(*shape: int) -> Any:
    """Matrices near twice the identity: far from singular."""
    return 0.4 * normal(*shape) + 2 * np.eye(shape[-1])


def complex_regular(*shape: int) -> Any:
    return 0.4 * complex_normal(*shape) + 2 * np.eye(shape[-1])


def spread(*shape: int, kind: Any = normal) -> Any:
    """Matrices with the singular values 1, 2, 3, ..."""
    u, _, vh = np.linalg.svd(kind(*shape), full_matrices=False)
    return (u * np.arange(1.0, u.shape[-1] + 1)) @ vh


def symmetric(n: int) -> Any:
    """A matrix with the eigenvalues 1, 2, 3, ..."""
    q, _ = np.linalg.qr(normal(n, n))
    return (q * np.arange(1.0, n + 1)) @ q.T


def hermitian(x: Any) -> Any:
    """x made Hermitian, on either engine or in PyTorch: what eigh and cholesky take a matrix for."""
    if hasattr(x, "mH"):
        return (x + x.mH) / 2
    return (x + ops.conj(ops.swapaxes(x, -1, -2))) / 2


def positive_definite(x: Any) -> Any:
    """x x^H, and a little."""
    if hasattr(x, "mH"):
        return x @ x.mH
    return x @ ops.conj(ops.swapaxes(x, -1, -2))


def of(name: str, **settings: Any) -> dict[str, Any]:
    """The call on our side and on PyTorch's, where both have it under one name."""
    return {
        "call": lambda *a: getattr(linalg, name)(*a, **settings),
        "torch": torch_op(f"linalg.{name}", **settings),
    }


def invariants(values: Any) -> Any:
    """Of vectors that are known but for their phases what does not depend on these: squared sizes."""
    return ops.square(ops.abs(values))


def exponentials(factors: Any, exp: Any) -> Any:
    """The matrix of these singular vectors and the exponentials of their values."""
    return (factors.U * exp(factors.S)) @ factors.Vh


def over(a: Any, b: Any, x: Any) -> Any:
    """A solution of PyTorch's, and what it leaves over, squared."""
    return x, ((b - a @ x) ** 2).sum(-2)


def _lstsq(a: Any, b: Any) -> Any:
    found = linalg.lstsq(a, b)
    return found.solution, found.residuals


CASES = [
    # equations
    Case("inv", **of("inv"), args=[regular(2, 3, 3)], unknown=B),
    Case("inv", **of("inv"), args=[complex_regular(3, 3)], unknown=N, name="complex"),
    Case("inv", **of("inv"), args=[normal(2, 0, 0)], unknown=B, name="of nothing"),
    Case("solve", **of("solve"), args=[regular(2, 3, 3), normal(2, 3, 2)],
         unknown=[("b", "n", "n"), ("b", "n", 2)]),
    Case("solve", **of("solve"), args=[regular(3, 3), normal(3)], unknown=[("n", "n"), ("n",)],
         name="one right side"),
    Case("solve", **of("solve"), args=[regular(2, 1, 3, 3), normal(4, 3, 2)], name="batches that broadcast",
         unknown=[("a", 1, "n", "n"), ("b", "n", 2)]),
    Case("solve", **of("solve"), args=[complex_regular(3, 3), complex_normal(3, 2)],
         unknown=[("n", "n"), ("n", 2)], name="complex"),
    Case("solve", lambda a, b: linalg.solve(a, b), [complex_regular(3, 3), normal(3, 2)],
         unknown=[("n", "n"), ("n", 2)], name="complex by real"),
    Case("solve", lambda a, b: linalg.solve(a, b), [regular(3, 3), integers(0, 5, 3)],
         unknown=[("n", "n"), ("n",)], name="integers beside floats"),
    *(
        Case("solve_triangular", **of("solve_triangular", upper=upper, left=left, unitriangular=unit),
             args=[regular(2, 3, 3), normal(2, 3, 2) if left else normal(2, 2, 3)],
             unknown=[("b", "n", "n"), ("b", "n", "k") if left else ("b", "k", "n")],
             name=f"{upper=}, {left=}, {unit=}")
        for upper, left, unit in (
            (True, True, False), (False, True, False), (False, False, True), (True, False, False)
        )
    ),
    Case("solve_triangular", **of("solve_triangular", upper=True),
         args=[complex_regular(3, 3), complex_normal(3, 2)],
         unknown=[("n", "n"), ("n", 2)], name="complex"),
    # determinants
    Case("det", **of("det"), args=[regular(2, 3, 3)], unknown=B),
    Case("det", **of("det"), args=[complex_regular(3, 3)], unknown=N, name="complex"),
    Case("det", **of("det"), args=[normal(3, 1) @ normal(1, 3)], unknown=N, name="of rank 1"),
    Case("det", **of("det"), args=[normal(4, 3) @ normal(3, 4)], unknown=N, name="of rank 3 of 4"),
    Case("det", **of("det"), args=[normal(2, 1, 1)], unknown=B, name="of one number"),
    Case("cofactor", lambda x: TABLE["cofactor"](x), [regular(3, 3)], unknown=N,
         torch=lambda x: torch_op("linalg.det")(x) * torch_op("linalg.inv")(x).mT),
    Case("cofactor_slope", lambda x, v: TABLE["cofactor_slope"](x, v), [regular(2, 3, 3), normal(2, 3, 3)],
         unknown=[("b", "n", "n")] * 2),
    Case("cofactor_slope", lambda x, v: TABLE["cofactor_slope"](x, v),
         [complex_regular(4, 4), complex_normal(4, 4)],
         unknown=[("n", "n")] * 2, name="complex"),
    Case("slogdet", **of("slogdet"), args=[regular(2, 3, 3)], unknown=B),
    Case("slogdet", **of("slogdet"), args=[complex_regular(2, 3, 3)], unknown=B, name="complex"),
    # factors
    Case("cholesky", lambda x: linalg.cholesky(positive_definite(x)), [regular(2, 3, 3)], unknown=B,
         torch=lambda x: torch_op("linalg.cholesky")(positive_definite(x))),
    Case("cholesky", lambda x: linalg.cholesky(positive_definite(x), upper=True), [complex_regular(3, 3)],
         unknown=N,
         torch=lambda x: torch_op("linalg.cholesky", upper=True)(positive_definite(x)),
         name="complex, upper"),
    Case("cholesky", **of("cholesky"), args=[symmetric(3)], unknown=N, smooth=False, name="of one triangle"),
    *(
        Case("qr", **of("qr"), args=[made], unknown=[("b", "m", "n") if made.ndim == 3 else ("m", "n")],
             name=name)
        for name, made in (("", spread(2, 3, 3)), ("tall", spread(4, 2)), ("wide", spread(2, 2, 3)),
                           ("complex", spread(3, 2, kind=complex_normal)))
    ),
    Case("qr", lambda x: linalg.qr(x).R, [spread(2, 3)], torch=lambda x: torch_op("linalg.qr")(x).R,
         unknown=[("m", "n")], name="R alone"),
    Case("qr", lambda x: linalg.qr(x).Q, [spread(2, 3)], torch=lambda x: torch_op("linalg.qr")(x).Q,
         unknown=[("m", "n")], name="Q alone"),
    # spectra
    Case("eigh", lambda x: linalg.eigh(hermitian(x)), [symmetric(3)], unknown=N),
    Case("eigh", lambda x: linalg.eigh(hermitian(x)).eigenvalues, [symmetric(3)], unknown=N,
         torch=lambda x: torch_op("linalg.eigh")(hermitian(x)).eigenvalues, name="values alone"),
    Case("eigh", lambda x: invariants(linalg.eigh(hermitian(x)).eigenvectors), [symmetric(3)], unknown=N,
         torch=lambda x: torch_op("linalg.eigh")(hermitian(x)).eigenvectors.abs() ** 2, name="vectors alone"),
    Case("eigh", lambda x: invariants(linalg.eigh(hermitian(x)).eigenvectors),
         [symmetric(3) + 1j * (lambda a: a - a.T)(0.3 * normal(3, 3))], unknown=N,
         torch=lambda x: torch_op("linalg.eigh")(hermitian(x)).eigenvectors.abs() ** 2, name="complex"),
    Case("eigvalsh", lambda x: linalg.eigvalsh(hermitian(x)), [symmetric(3)], unknown=N,
         torch=lambda x: torch_op("linalg.eigvalsh")(hermitian(x))),
    Case("eigvalsh", lambda x: linalg.eigvalsh(hermitian(x)), [complex_regular(2, 3, 3)], unknown=B,
         torch=lambda x: torch_op("linalg.eigvalsh")(hermitian(x)), name="complex"),
    Case("eig", lambda x: ops.sum(linalg.eigvals(x) ** 3, -1), [regular(2, 3, 3)], unknown=B,
         torch=lambda x: (torch_op("linalg.eigvals")(x) ** 3).sum(-1)),
    Case("eig", lambda x: ops.sum(invariants(linalg.eig(x).eigenvectors), -1), [regular(3, 3)], unknown=N,
         torch=lambda x: (torch_op("linalg.eig")(x).eigenvectors.abs() ** 2).sum(-1), name="vectors"),
    Case("eig", lambda x: ops.sum(invariants(linalg.eig(x).eigenvectors) * linalg.eig(x).eigenvalues, -1),
         [complex_regular(3, 3)], unknown=N, name="complex"),
    *(
        Case("svd", lambda x: linalg.svd(x, full_matrices=False), [made], name=name,
             unknown=[("b", "m", "n") if made.ndim == 3 else ("m", "n")])
        for name, made in (("", spread(2, 3, 3)), ("tall", spread(4, 2)), ("wide", spread(2, 2, 3)))
    ),
    Case("svd", lambda x: invariants(linalg.svd(x, full_matrices=False).U),
         [spread(4, 2, kind=complex_normal)],
         torch=lambda x: torch_op("linalg.svd", full_matrices=False)(x).U.abs() ** 2, unknown=[("m", "n")],
         name="complex vectors"),
    Case("svd", lambda x: exponentials(linalg.svd(x, full_matrices=False), ops.exp),
         [spread(3, 2, kind=complex_normal)], unknown=[("m", "n")], name="complex",
         torch=lambda x: exponentials(torch_op("linalg.svd", full_matrices=False)(x), torch_op("exp"))),
    Case("svd", lambda x: linalg.svd(x).S, [spread(2, 3)], torch=lambda x: torch_op("linalg.svd")(x).S,
         unknown=[("m", "n")], name="values, beside all vectors"),
    Case("svdvals", **of("svdvals"), args=[spread(2, 3, 2)], unknown=[("b", "m", "n")]),
    Case("svdvals", **of("svdvals"), args=[spread(2, 3, kind=complex_normal)], unknown=[("m", "n")],
         name="complex"),
    # of any rank
    *(
        Case("pinv", **of("pinv"), args=[made], unknown=[("b", "m", "n") if made.ndim == 3 else ("m", "n")],
             name=name)
        for name, made in (("", spread(2, 3, 2)), ("wide", spread(2, 4)),
                           ("complex", spread(3, 2, kind=complex_normal)))
    ),
    Case("pinv", lambda a, b: linalg.pinv(a @ b, rtol=1e-3), [spread(4, 2), spread(2, 3)], name="of rank 2",
         torch=lambda a, b: torch_op("linalg.pinv", rtol=1e-3)(a @ b), unknown=[("m", 2), (2, "n")]),
    Case("pinv", _lstsq, [spread(4, 2), normal(4, 3)], unknown=[("m", "n"), ("m", "k")], name="least squares",
         torch=lambda a, b: over(a, b, torch_op("linalg.lstsq")(a, b).solution)),
    Case("matrix_rank", **of("matrix_rank"), args=[normal(2, 4, 1) @ normal(2, 1, 3)],
         unknown=[("b", "m", "n")],
         smooth=False),
    # norms
    *(
        Case(op, lambda x, p=p: linalg.vector_norm(x, axis=1, ord=p), [normal(3, 4)], unknown=[("n", "m")],
             torch=torch_op("linalg.vector_norm", dim=1, ord=p), name=f"vector_norm of {p}")
        for op, p in (
            ("norm", 3.5), ("norm", 0.5), ("norm", -2), ("max", np.inf), ("min", -np.inf), ("sum", 1)
        )
    ),
    Case("sum", lambda x: linalg.vector_norm(x, ord=0), [np.array([[1.5, 0, 2], [0, 0, 1]])], smooth=False,
         unknown=[("n", "m")], torch=torch_op("linalg.vector_norm", ord=0), name="vector_norm of 0"),
    *(
        Case(op, lambda x, p=p: linalg.matrix_norm(x, ord=p), [spread(2, 3, 2)], unknown=[("b", "m", "n")],
             torch=torch_op("linalg.matrix_norm", ord=p), name=f"matrix_norm of {p}")
        for op, p in (
            ("norm", "fro"), ("svdvals", "nuc"), ("svdvals", 2), ("svdvals", -2), ("max", 1), ("min", -np.inf)
        )
    ),
    Case("norm", lambda x: linalg.norm(x, axis=(2, 0), keepdims=True), [normal(2, 3, 4)],
         torch=torch_op("linalg.norm", dim=(2, 0), keepdim=True), unknown=[("a", "b", "c")],
         name="norm of two axes"),
    Case("svdvals", lambda x: linalg.norm(x, "nuc", axis=(2, 0)), [spread(3, 2, 2)],
         torch=torch_op("linalg.norm", ord="nuc", dim=(2, 0)), unknown=[("a", "b", "c")],
         name="norm of turned matrices"),
    # products and places
    Case("matmul", call=lambda x: linalg.matrix_power(x, 5),
         torch=lambda x: torch_op("linalg.matrix_power")(x, 5),
         args=[0.5 * normal(2, 3, 3)], unknown=B, name="matrix_power"),
    Case("inv", lambda x: linalg.matrix_power(x, -2) + linalg.matrix_power(x, 0), [regular(3, 3)], unknown=N,
         torch=lambda x: torch_op("linalg.matrix_power")(x, -2) + torch_op("linalg.matrix_power")(x, 0),
         name="matrix_power below 0"),
    Case("einsum", lambda *xs: linalg.multi_dot(xs), [normal(4), normal(4, 2), normal(2, 3), normal(3)],
         torch=lambda *xs: torch_op("linalg.multi_dot")(xs), unknown=[("a",), ("a", "b"), ("b", "c"), ("c",)],
         name="multi_dot"),
    Case("mul", lambda a, b: linalg.vecdot(a, b, axis=0), [complex_normal(3, 2), complex_normal(3, 1)],
         torch=torch_op("linalg.vecdot", dim=0), unknown=[("n", "m"), ("n", 1)], name="vecdot"),
    Case("sub", lambda a, b: linalg.cross(a, b), [normal(1, 2, 3), normal(4, 1, 3)],
         torch=torch_op("linalg.cross"), unknown=[(1, "a", 3), ("b", 1, 3)], name="cross"),
    Case("sub", lambda a, b: linalg.cross(a, b, axis=0), [normal(3, 2), normal(3, 2)],
         torch=torch_op("linalg.cross", dim=0), unknown=[(3, "a"), (3, "a")], name="cross of the first axis"),
    *(
        Case("getitem", lambda x, k=k: linalg.diagonal(x, offset=k), [normal(2, 3, 4)],
             unknown=[("b", "m", "n")],
             torch=torch_op("linalg.diagonal", offset=k), name=f"diagonal {k}")
        for k in (0, 2, -1, 7)
    ),
    Case("sum", lambda x: linalg.trace(x, offset=-1), [normal(2, 4, 3)], unknown=[("b", "m", "n")],
         name="trace",
         torch=lambda x: torch_op("linalg.diagonal", offset=-1)(x).sum(-1)),
    Case("sum", lambda x: linalg.trace(x), [integers(0, 9, 3, 3).astype(np.int8)], smooth=False,
         name="trace of bytes",
         unknown=N),
    Case("mul", lambda a, b: linalg.outer(a, b), [normal(2), complex_normal(3)], torch=torch_op("outer"),
         unknown=[("n",), ("m",)], name="outer, in linalg"),
]  # fmt: skip
