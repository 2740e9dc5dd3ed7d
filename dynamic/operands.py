"""What `compute` takes for an argument that is no Tensor or State of ours, or why it takes none."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import dispatch
from shared.device import cuda
from shared.device.cuda import owned, to_device
from shared.errors import DTypeError, EngineError, GradientError
from shared.op import Op, as_array
from shared.spec import NUMBERS, Spec, in_short, is_weak, number_or_array, plain


def operand(op: Op, value: Any) -> Any:
    """An array or a weak number for `value`; an error in our words if it is nothing of the kind."""
    if isinstance(value, np.ndarray):
        check_numbers(op, value)
        if cuda.in_use:
            value = to_device(value, cuda.default_device())
        return value if value.flags.c_contiguous else owned(value)
    if isinstance(value, np.generic):
        return number_or_array(value)
    if is_weak(value):
        return value if type(value) is float or type(value) is int else plain(value)
    if isinstance(value, Spec):
        raise GradientError(
            f"{op.name}: a gradient rule uses a value ({value}) that its `reads` does not name"
        )
    engine = dispatch.tensor_engine((value,))
    if engine is not None:
        raise EngineError(
            f"{op.name}: a dynamic Tensor and a Tensor of the {engine.name} engine in one call: one "
            "holds values now, the other gets them when a session runs; keep a call on one engine "
            "(session.run gives arrays that dynamic takes)"
        )
    if isinstance(value, (list, tuple)):
        return to_device(check_numbers(op, as_array(value)), cuda.default_device())
    if hasattr(value := cuda.adopted(value), "__array_namespace__"):
        return value
    of = type(value)
    shown = repr(value) if value is None or of is str else f"a {of.__module__}.{of.__qualname__}"
    raise EngineError(
        f"{op.name}: {shown} is neither a Tensor, an array nor a number (dynamic.from_dlpack makes a "
        "Tensor of another library's)"
    )


def check_numbers(op: Op, array: Any) -> Any:
    """The array; DTypeError for one of objects, of whose numbers no Tensor would know a gradient, of text or
    of times."""
    if array.dtype.kind not in NUMBERS:
        raise DTypeError(
            f"{op.name}: {in_short(array)} does not hold numbers of a dtype of their own; if they are "
            "numbers, array.astype('float32')"
        )
    return array
