"""The kernel of products with a weight in tiles: the numbers of a product, for every number of rows and
columns, and no touch of what is not as it needs it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shared.kernels import machine
from shared.kernels.products import multiplier, packed, width

pytestmark = pytest.mark.skipif(bool(machine.available()), reason=f"no kernels here: {machine.available()}")
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
rng = np.random.default_rng(4)


def operands(m: int, k: int, n: int, dtype: str) -> tuple[Any, Any, Any, Any]:
    x, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    return x, b, rng.standard_normal(n).astype(dtype), np.full((m, n), np.nan, dtype)


@each_dtype
@pytest.mark.parametrize("m", [0, 1, 2, 5, 8, 23])
@pytest.mark.parametrize(("k", "n"), [(0, 5), (1, 1), (7, 31), (130, 32), (3, 99)])
def test_a_product_from_tiles_is_the_product(m: int, k: int, n: int, dtype: str) -> None:
    x, b, bias, out = operands(m, k, n, dtype)
    tolerance = 30 * np.finfo(dtype).eps * max(k, 1)
    for weight in (b, b.T.copy().T):  # in either order
        tiles = packed(weight)
        assert multiplier(x.dtype, False)(out, x, tiles)
        np.testing.assert_allclose(out, x @ b, rtol=0, atol=tolerance)
        assert multiplier(x.dtype, True)(out, x, packed(weight, np.full_like(tiles, np.nan)), bias)
        np.testing.assert_allclose(out, x @ b + bias, rtol=0, atol=tolerance)


@each_dtype
@pytest.mark.parametrize("size", [16, 32, 64])
def test_a_product_is_the_same_for_every_size_of_vectors(
    size: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, b, bias, out = operands(21, 37, 75, dtype)
    monkeypatch.setattr(machine, "vector_bytes", lambda: size)
    multiply = multiplier.__wrapped__(x.dtype, True)
    assert multiply(out, x, packed(b), bias)
    np.testing.assert_allclose(out, x @ b + bias, rtol=0, atol=1000 * np.finfo(dtype).eps)


def test_the_bits_of_a_row_do_not_depend_on_the_rows_beside_it() -> None:
    x, b, _, out = operands(13, 40, 50, "float32")
    tiles = packed(b)
    multiplier(x.dtype, False)(out, x, tiles)
    for i in range(len(x)):
        one = np.empty((1, 50), np.float32)
        assert multiplier(x.dtype, False)(one, x[i : i + 1], tiles)
        assert one.tobytes() == out[i].tobytes()


def test_what_is_not_as_the_kernel_needs_it_is_refused_untouched() -> None:
    x, b, bias, out = operands(4, 6, width("float32") + 3, "float32")
    tiles, multiply, with_bias = packed(b), multiplier(x.dtype, False), multiplier(x.dtype, True)
    before = out.copy()
    fixed = out.copy()
    fixed.flags.writeable = False
    for wrong in [
        (out, x), (out, x, tiles, bias), (out, x.astype(np.float64), tiles), (out, x[:, :5].copy(), tiles),
        (out, x[:3], tiles), (out, np.repeat(x, 2, axis=1)[:, ::2], tiles), (out, x[0], tiles),
        (out, x, tiles[:1]), (out, x, tiles[:, :5].copy()), (out[:, ::2], x, tiles), (fixed, x, tiles),
        (out, x, [tiles]), (out.tolist(), x, tiles),
    ]:  # fmt: skip
        assert not multiply(*wrong)
    for wrong in [(out, x, tiles), (out, x, tiles, bias[:-1]), (out, x, tiles, bias[None])]:
        assert not with_bias(*wrong)
    np.testing.assert_array_equal(out, before)
    assert multiply(out, x, tiles) and not np.isnan(out).any()
