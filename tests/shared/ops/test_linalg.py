"""Linear algebra and Fourier transforms where they are not smooth: singular matrices, equal eigenvalues,
vectors that nothing determines; and what is refused, in which words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import DiptychError, GradientError, MatrixError
from shared.ops import fft, linalg

rng = np.random.default_rng(3)
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
TALL = rng.standard_normal((3, 2))


def gradient(call: Any, x: Any) -> Any:
    """The gradient of a number by an array."""
    leaf = dynamic.tensor(x, requires_grad=True)
    return dynamic.grad(call(leaf), leaf).numpy()


def test_the_gradient_of_cholesky_is_that_of_a_symmetric_matrix() -> None:
    """Symmetric, though one triangle alone is read; the slope along symmetric directions."""
    a = rng.standard_normal((3, 3))
    a, weights = a @ a.T + np.eye(3), rng.standard_normal((3, 3))
    g = gradient(lambda x: ops.sum(linalg.cholesky(x) * weights), a)
    np.testing.assert_allclose(g, g.T, rtol=1e-12)
    along = rng.standard_normal((3, 3))
    along = 1e-5 * (along + along.T)
    high, low = ((np.linalg.cholesky(a + step) * weights).sum() for step in (along, -along))
    np.testing.assert_allclose((g * along).sum(), (high - low) / 2, rtol=1e-7)


# --- what is there -------------------------------------------------------------------------


def test_the_array_api_s_extensions_are_whole() -> None:
    """2024.12."""
    names = """cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm matrix_power matrix_rank
        matrix_transpose outer pinv qr slogdet solve svd svdvals tensordot trace vecdot vector_norm"""
    assert set(names.split()) <= set(linalg.__all__)
    names = "fft ifft fftn ifftn rfft irfft rfftn irfftn hfft ihfft fftfreq rfftfreq fftshift ifftshift"
    assert set(names.split()) <= set(fft.__all__)


def test_factors_have_names_on_both_engines() -> None:
    x = dynamic.tensor(np.eye(2))
    assert linalg.slogdet(x)._fields == ("sign", "logabsdet")
    assert linalg.eigh(x)._fields == ("eigenvalues", "eigenvectors")
    assert linalg.svd(x)._fields == ("U", "S", "Vh")
    with static.Graph().as_default(), static.Session() as session:
        made = linalg.qr(static.constant(TALL))
        assert made._fields == ("Q", "R")
        q, r = session.run([made.Q, made.R])
        np.testing.assert_allclose(q @ r, TALL)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (3, 3)])
def test_complete_factors_are_numpy_s(shape: tuple[int, int]) -> None:
    x = rng.standard_normal(shape)
    for got, wanted in (
        (linalg.qr(x, mode="complete"), np.linalg.qr(x, "complete")), (linalg.svd(x), np.linalg.svd(x)),
    ):  # fmt: skip
        for mine, theirs in zip(got, wanted, strict=True):
            np.testing.assert_allclose(mine, theirs)


@pytest.mark.parametrize("upper", [True, False])
def test_triangles_of_several_blocks_are_solved_from_one_end(upper: bool) -> None:
    """Whose other half is never looked at."""
    n = 150
    a = rng.standard_normal((n, n)) + 3 * np.sqrt(n) * np.eye(n)
    triangle, b = np.triu(a) if upper else np.tril(a), rng.standard_normal((n, 2))
    other = np.where(triangle == 0, np.nan, triangle)
    np.testing.assert_allclose(linalg.solve_triangular(other, b, upper=upper), np.linalg.solve(triangle, b))


def test_integers_become_floats_and_half_precision_stays() -> None:
    assert linalg.inv(np.array([[2, 0], [0, 4]])).dtype == np.float64
    assert linalg.det(np.eye(2, dtype=np.float16)).dtype == np.float16
    assert fft.fft(np.ones(4, np.float16)).dtype == np.complex64
    assert fft.rfft(np.arange(4)).dtype == np.complex128


@pytest.mark.parametrize("n", [1, 4, 5])
def test_frequencies_are_numpy_s(n: int) -> None:
    for name in ("fftfreq", "rfftfreq"):
        got = getattr(fft, name)(n, 0.1, dtype="float64", like=np.zeros(1))
        np.testing.assert_allclose(got, getattr(np.fft, name)(n, 0.1), rtol=1e-15)


def test_convolution_by_transforms_is_the_sum_of_products() -> None:
    x, w = rng.standard_normal(7), rng.standard_normal(4)
    n = len(x) + len(w) - 1
    np.testing.assert_allclose(fft.irfft(fft.rfft(x, n) * fft.rfft(w, n), n), np.convolve(x, w))


# --- where matrices are singular -----------------------------------------------------------


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_the_gradient_of_a_determinant_is_the_adjugate_of_any_rank(rank: int) -> None:
    """Held against determinants of what is left when a row and a column go."""
    x = rng.standard_normal((4, rank)) @ rng.standard_normal((rank, 4))
    wanted = [
        [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x, i, 0), j, 1)) for j in range(4)]
        for i in range(4)
    ]
    np.testing.assert_allclose(gradient(linalg.det, x), wanted, atol=1e-12)


def test_a_third_derivative_of_a_singular_determinant_is_an_error() -> None:
    x = dynamic.tensor(SINGULAR, requires_grad=True)
    slope = dynamic.grad(linalg.det(x), x, create_graph=True)
    curve = dynamic.grad(ops.sum(slope * slope), x, create_graph=True)
    with pytest.raises(MatrixError, match="a matrix is singular"):
        dynamic.grad(ops.sum(curve), x)


def test_slogdet_of_a_singular_matrix_has_values_and_no_gradient() -> None:
    found = linalg.slogdet(SINGULAR)
    assert (found.sign, found.logabsdet) == (0, -np.inf)
    with pytest.raises(MatrixError, match=r"linalg\.inv: a matrix is singular"):
        gradient(lambda x: linalg.slogdet(x).logabsdet, SINGULAR)


def test_qr_of_dependent_columns_has_factors_and_no_gradient() -> None:
    q, r = linalg.qr(SINGULAR)
    np.testing.assert_allclose(q @ r, SINGULAR)
    with pytest.raises(MatrixError, match=r"linalg\.solve_triangular: a matrix is singular"):
        gradient(lambda x: ops.sum(linalg.qr(x).R), np.zeros((2, 2)))


def test_least_squares_of_a_singular_matrix_is_the_shortest() -> None:
    b = np.array([1.0, 1.0])
    found = linalg.lstsq(SINGULAR, b)
    np.testing.assert_allclose(found.solution, np.linalg.lstsq(SINGULAR, b, rcond=None)[0])
    assert found.rank == 1
    np.testing.assert_allclose(found.residuals, np.sum((SINGULAR @ found.solution - b) ** 2))


# --- where values are equal ----------------------------------------------------------------


def test_equal_eigenvalues_have_the_gradient_of_their_sum() -> None:
    wanted = 3 * np.eye(3)
    np.testing.assert_allclose(gradient(lambda x: ops.sum(linalg.eigvalsh(x)) * 3, 2 * np.eye(3)), wanted)
    np.testing.assert_allclose(gradient(lambda x: ops.sum(linalg.eigh(x)[0]) * 3, 2 * np.eye(3)), wanted)
    np.testing.assert_allclose(gradient(lambda x: linalg.matrix_norm(x, ord="nuc"), 2 * np.eye(3)), np.eye(3))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: ops.sum(linalg.eigh(x).eigenvectors * SINGULAR),
        lambda x: ops.sum(linalg.svd(x).U * SINGULAR),
        lambda x: ops.sum(linalg.svd(x).Vh * SINGULAR),
    ],
)
def test_vectors_of_equal_values_have_no_gradient_and_pretend_to_none(call: Any) -> None:
    with np.errstate(all="ignore"):
        assert not np.isfinite(gradient(call, np.eye(2))).all()


def test_a_small_singular_value_of_a_square_matrix_does_not_blow_up_the_gradient() -> None:
    """What completes a square matrix's vectors is nothing, and noise in it is not divided by the value."""
    u, _, vh = np.linalg.svd(rng.standard_normal((3, 3)))
    x = (u * [2.0, 1.0, 1e-18]) @ vh
    assert np.abs(gradient(lambda x: ops.sum(ops.square(linalg.svd(x).U[:, :2])[0]), x)).max() < 10


# --- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: ops.sum(linalg.svd(x).U), r"linalg\.svd: of \(3, 2\) the vectors .* full_matrices=False"),
        (lambda x: ops.sum(linalg.qr(x, mode="complete").Q), r'linalg\.qr: of \(3, 2\) .*mode="reduced"'),
    ],
)
def test_gradients_of_what_only_completes_a_basis_are_refused(call: Any, words: str) -> None:
    with pytest.raises(GradientError, match=words):
        gradient(call, TALL)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: linalg.inv(TALL), r"linalg\.inv: \(3, 2\) is not square: it has 3 rows and 2 columns"),
        (lambda: linalg.inv(SINGULAR), r"linalg\.inv: a matrix is singular.* linalg\.pinv"),
        (lambda: linalg.solve(SINGULAR, TALL[:2]), r"linalg\.solve: a matrix is singular"),
        (lambda: linalg.solve(np.eye(3), np.ones(2)), r"linalg\.solve: a \(3, 3\) with b \(2, 1\): b must"),
        (lambda: linalg.cholesky(-np.eye(2)), r"linalg\.cholesky: a matrix is not positive definite"),
        (lambda: linalg.det(np.ones(3)), r"linalg\.det: \(3,\) has no rows and columns"),
        (lambda: linalg.svd(np.full((2, 2), np.nan)), r"linalg\.svd: no convergence; is there a NaN"),
        (lambda: linalg.eigh(np.eye(2), "upper"), r'linalg\.eigh: UPLO must be "L" or "U"'),
        (lambda: linalg.qr(TALL, mode="r"), r'linalg\.qr: mode must be "reduced" or "complete"'),
        (lambda: linalg.pinv(TALL, rtol=-1), r"linalg\.pinv: rtol must be a number from 0 up"),
        (lambda: linalg.matrix_norm(TALL, ord=3), r"linalg\.matrix_norm: ord must be one of"),
        (lambda: linalg.norm(np.ones((2, 2, 2)), 2), r"linalg\.norm: \(2, 2, 2\) is neither a vector nor"),
        (lambda: linalg.cross(np.ones(2), np.ones(2)), r"linalg\.cross: vectors along axis -1 have 2"),
        (lambda: linalg.multi_dot([TALL, TALL]), r"linalg\.multi_dot: array 0 .*inner sizes 2 and 3 differ"),
        (lambda: linalg.matrix_power(TALL, 2), r"linalg\.matrix_power: \(3, 2\) is not square"),
        (lambda: fft.fft(np.ones(3), norm="unit"), r"fft\.fft: norm must be one of"),
        (lambda: fft.fft(np.ones(3), n=0), r"fft\.fft: n must be an integer from 1 up, not 0"),
        (lambda: fft.fft(np.ones((2, 0))), r"fft\.fft: axis 1 of \(2, 0\) has nothing to transform"),
        (lambda: fft.rfft(np.ones(3) * 1j), r"fft\.rfft: complex128 is not real"),
        (lambda: fft.irfft(np.ones(1)), r"fft\.irfft: one value along axis 0 .*n=1"),
        (lambda: fft.fftn(np.ones((2, 2)), s=(2,), axes=(0, 1)), r"fft\.fftn: s \(2,\) must have a length"),
        (lambda: fft.fft2(np.ones((2, 2)), axes=(0, 0)), r"fft\.fft2: axes \(0, 0\) must name"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_the_call_and_the_way_out(call: Any, words: str) -> None:
    with pytest.raises(DiptychError, match=words):
        call()


def test_a_singular_matrix_in_a_run_is_told_with_its_node() -> None:
    with static.Graph().as_default(), static.Session() as session:
        x = static.placeholder("float64", (2, 2), name="matrix")
        with pytest.raises(MatrixError, match=r"linalg\.inv: a matrix is singular.*while running node 'inv'"):
            session.run(linalg.inv(x), {x: SINGULAR})
