"""All Parameters as one vector, and back: for optimisers and searches that know vectors alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from shared import ops
from shared.dispatch import tensor_engine
from shared.errors import ShapeError
from shared.spec import sizes_match, str_shape


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """All elements, one Parameter after the other, as one axis; gradients flow back into each."""
    return ops.concatenate([ops.reshape(parameter, -1) for parameter in parameters])


def vector_to_parameters(vector: Any, parameters: Iterable[Any]) -> Any:
    """Give each Parameter its part of a vector: now or, where it is a static Tensor, by the operation that
    is given back. ShapeError unless there are as many elements."""
    targets = list(parameters)
    sizes = [math.prod(parameter.shape) for parameter in targets]
    if len(vector.shape) != 1 or not sizes_match(vector.shape[0], sum(sizes)):
        raise ShapeError(
            f"vector_to_parameters: the vector is {str_shape(tuple(vector.shape))}, the parameters have "
            f"{sum(sizes)} elements"
        )
    parts = ops.split(vector, sizes)
    done = [p.assign(ops.reshape(part, p.shape)) for p, part in zip(targets, parts, strict=True)]
    engine = tensor_engine((vector,))
    return None if engine is None else engine.train(None, done)
