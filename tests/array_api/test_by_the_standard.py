"""Libraries that compute by the Array API standard alone take Tensors, and give them back."""

from __future__ import annotations

import importlib.util
import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

import dynamic
from dynamic import array_api as xp
from tests import HOME

rng = np.random.default_rng(0)
X = rng.standard_normal((20, 3))


def test_the_namespace_is_the_tensors_own() -> None:
    x = dynamic.tensor(X)
    assert x.__array_namespace__() is xp and x.__array_namespace__(api_version="2024.12") is xp
    with pytest.raises(ValueError, match=r"up to 2024\.12"):
        x.__array_namespace__(api_version="2030.12")
    assert xp.__array_namespace_info__().default_dtypes()["real floating"] == np.float32
    assert xp.isdtype(x.dtype, "real floating") and not xp.isdtype(x.dtype, ("integral", "bool"))
    assert xp.result_type(xp.float32, xp.int8) == np.float32 and xp.can_cast(xp.int8, xp.int16)
    assert xp.finfo(xp.float32).eps == float(np.finfo(np.float32).eps)


@pytest.mark.parametrize("name", ["std", "var", "sum", "prod", "concat", "clip", "where", "take"])
def test_what_means_another_thing_follows_numpy_here(name: str) -> None:
    """NumPy's own namespace is the standard's, too."""
    x, y = X[:4], X[4:8]
    calls = {
        "concat": lambda m, a, b: m.concat([a, b], axis=None), "clip": lambda m, a, b: m.clip(a, -0.5, b),
        "where": lambda m, a, b: m.where(a > 0, a, b),
        "take": lambda m, a, b: m.take(a, m.asarray([2, 0]), axis=1),
    }  # fmt: skip
    call = calls.get(name, lambda m, a, b: getattr(m, name)(a, axis=1, keepdims=True))
    got = call(xp, dynamic.tensor(x), dynamic.tensor(y))
    np.testing.assert_allclose(got.numpy(), call(np, x, y), rtol=1e-12)


def test_corrections_need_not_be_whole() -> None:
    got = xp.std(dynamic.tensor(X), axis=0, correction=0.5).numpy()
    np.testing.assert_allclose(got, np.std(X, axis=0, ddof=0.5), rtol=1e-12)


def test_arrays_are_shared_or_copied_as_asked() -> None:
    array = X.copy()
    shared, copied = xp.asarray(array), xp.asarray(array, copy=True)
    array[0, 0] = 7
    assert shared.numpy()[0, 0] == 7 and copied.numpy()[0, 0] != 7
    with pytest.raises(ValueError, match="copy=False"):
        xp.asarray([1.0], copy=False)
    assert xp.asarray([1.5]).dtype == np.float32 and xp.asarray([1, 2]).dtype == np.int64
    assert "copy" in inspect.signature(xp.asarray).parameters


PROGRAMS = {
    "scipy": """
        from scipy import special, stats
        z = stats.zscore(x)
        assert type(z) is dynamic.Tensor
        numpy.testing.assert_allclose(z.numpy(), stats.zscore(X), rtol=1e-6)
        total = special.logsumexp(x, axis=0)
        numpy.testing.assert_allclose(total.numpy(), special.logsumexp(X, axis=0), rtol=1e-6)
    """,
    "sklearn": """
        from sklearn import config_context
        from sklearn.decomposition import PCA
        from sklearn.preprocessing import MinMaxScaler
        with config_context(array_api_dispatch=True):
            scaled, found = MinMaxScaler().fit_transform(x), PCA(2, svd_solver="full").fit_transform(x)
        assert type(scaled) is type(found) is dynamic.Tensor
        numpy.testing.assert_allclose(scaled.numpy(), MinMaxScaler().fit_transform(X), rtol=1e-6)
        numpy.testing.assert_allclose(abs(found.numpy()), abs(PCA(2, svd_solver="full").fit_transform(X)),
        rtol=1e-4)
    """,
    "einops": """
        from einops import array_api as einops
        y = einops.rearrange(x, "(a b) c -> c a b", a=4)
        assert type(y) is dynamic.Tensor and y.shape == (3, 4, 5)
        numpy.testing.assert_array_equal(y.numpy(), X.reshape(4, 5, 3).transpose(2, 0, 1))
        numpy.testing.assert_allclose(einops.reduce(x, "a c -> c", "mean").numpy(), X.mean(0), rtol=1e-6)
    """,
}


@pytest.mark.parametrize("library", PROGRAMS)
def test_a_library_computes_with_tensors(library: str) -> None:
    """In a process of its own: SciPy reads its switch once."""
    for needed in {library, "array_api_compat"} if library == "sklearn" else {library}:
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
    head = (
        "import dynamic, numpy\nX = numpy.random.default_rng(0).standard_normal((20, 3))\n"
        "x = dynamic.tensor(X)\n"
    )
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONPATH": str(HOME)}
    source = head + inspect.cleandoc(PROGRAMS[library])
    done = subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
