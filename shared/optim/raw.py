"""The raw arrays of a step, beside the parameter that it changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.device.cuda import device_of, to_device
from shared.op import array_module
from shared.state import State


def filled(parameter: Any, value: float) -> Any:
    """An array like a parameter's, and beside it, that holds one number."""
    xp = array_module(parameter.value()) if isinstance(parameter, State) else np
    return xp.full(parameter.shape, value, parameter.dtype)


def beside(p: Any, rates: tuple[Any, ...]) -> tuple[Any, ...]:
    """The numbers of a step on the device of a parameter: they are kept on the host."""
    return rates if isinstance(p, np.ndarray) else tuple([to_device(rate, device_of(p)) for rate in rates])


def as_array(value: Any) -> Any:
    """An array again of what NumPy made a scalar of: the sum of two 0-d arrays is none."""
    return np.asarray(value) if isinstance(value, np.generic) else value


def raw(value: Any) -> Any:
    """The array in a value that is here already: a gradient, a learning rate."""
    return value if isinstance(value, (np.ndarray, np.generic, float)) else value.data
