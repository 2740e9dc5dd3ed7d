"""The digits, and the order in which training meets them."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest

from shared.data import batches, load_digits
from shared.errors import SettingError

pytest.importorskip("sklearn")


def test_digits_are_float32_images_from_0_to_1_with_int64_labels():
    found = load_digits()
    assert found.train_x.shape == (1437, 1, 8, 8)
    assert found.test_x.shape == (360, 1, 8, 8)
    for x, y in ((found.train_x, found.train_y), (found.test_x, found.test_y)):
        assert x.dtype == np.float32
        assert y.dtype == np.int64
        assert x.flags.c_contiguous
        assert x.min() == 0
        assert x.max() == 1
        assert set(np.unique(y)) == set(range(10))


def test_the_split_is_always_the_same_and_shares_no_digit():
    first, second = load_digits(), load_digits()
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a, b)
    from sklearn.datasets import load_digits as bundled

    every = np.sort(bundled().images.reshape(1797, -1), axis=0)
    ours = np.concatenate([first.train_x, first.test_x]).reshape(1797, -1) * 16
    assert np.array_equal(np.sort(ours, axis=0), every)


def test_digits_without_scikit_learn_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"pip install 'diptych\[compare\]'"):
        load_digits()


def _rows(size, seed, count):
    x = np.arange(10)
    return [tuple(a) for a, b in itertools.islice(batches(x, -x, size, seed), count) if (a == -b).all()]


def test_batches_visit_every_row_once_in_an_epoch_and_keep_labels_beside_them():
    found = _rows(5, 0, 4)
    assert len(found) == 4
    assert sorted(found[0] + found[1]) == list(range(10))
    assert sorted(found[2] + found[3]) == list(range(10))


def test_batches_come_in_an_order_that_the_seed_alone_decides():
    assert _rows(5, 3, 6) == _rows(5, 3, 6)
    assert _rows(5, 3, 6) != _rows(5, 4, 6)


def test_batches_are_all_of_one_size():
    assert {len(rows) for rows in _rows(4, 0, 7)} == {4}


@pytest.mark.parametrize("size", [0, 11])
def test_a_batch_size_that_fits_no_batch_is_refused(size):
    with pytest.raises(SettingError, match=f"between 1 and the 10 rows, not {size}"):
        next(batches(np.arange(10), np.arange(10), size))
