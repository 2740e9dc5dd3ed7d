"""scikit-learn's handwritten digits: real images that come inside a wheel."""

from __future__ import annotations

import numpy as np

from shared.data.split import Split

_TEST = 360  # a fifth of the 1,797


def load_digits() -> Split:
    """1,437 digits to train on and 360 to test with, always the same ones in the same order.

    x is float32 (N, 1, 8, 8), ink from 0 to 1; y is int64 (N,), the digit from 0 to 9. The
    order is shuffled once, because the file is sorted by writer and its end is harder than
    its beginning. Source: UCI, Optical Recognition of Handwritten Digits (Alpaydin and
    Kaynak 1998), as bundled with scikit-learn. Raises ImportError without scikit-learn.
    """
    try:
        from sklearn.datasets import load_digits as bundled
    except ImportError as error:
        raise ImportError(
            "load_digits: the digits come inside scikit-learn, which is not installed; "
            "pip install 'diptych[compare]' brings it"
        ) from error
    found = bundled()
    # RandomState, whose stream NumPy has frozen: the split is the same under every version
    order = np.random.RandomState(0).permutation(len(found.target))
    x = np.ascontiguousarray(found.images[order, None] / 16, dtype=np.float32)
    y = found.target[order].astype(np.int64)
    return Split(x[:-_TEST], y[:-_TEST], x[-_TEST:], y[-_TEST:])
