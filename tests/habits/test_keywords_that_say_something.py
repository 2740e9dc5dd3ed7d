"""PyTorch's keywords that ours do not have, and that would change what comes: refused, not dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import nn
from shared.errors import SettingError

X, Y = (dynamic.tensor(np.array(values, np.float32)) for values in ([1, 2], [3, 5]))


@pytest.mark.parametrize(
    ("call", "instead"),
    [
        (lambda: nn.functional.mse_loss(X, Y, size_average=False), "reduction='sum'"),
        (lambda: nn.MSELoss(reduce=False), "reduction='none'"),
        (lambda: nn.CrossEntropyLoss(size_average=True), "reduction='mean'"),
        (lambda: dynamic.add(X, Y, out=dynamic.zeros(2)), "out[...] ="),
    ],
)
def test_they_are_refused_with_what_to_write(call: Callable[[], Any], instead: str) -> None:
    with pytest.raises(SettingError) as error:
        call()
    assert instead in str(error.value)


def test_a_value_that_says_nothing_is_taken() -> None:
    assert nn.functional.mse_loss(X, Y, size_average=None, reduce=None).item() == 6.5
