"""A fused op whose kernel runs on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared.device.cuda import XP, CudaArray
from shared.kernels import on_gpu
from static.compile.steps.fused import Fused, FusedOp, side_by_side


class GpuFusedOp(FusedOp):
    """Its kernel is compiled when it first runs, and takes arrays as they lie. Sizes that do not fit each
    other, or a number in the place of an array, go through the members one by one."""

    @staticmethod
    def computing(group: Fused) -> Callable[..., Any]:
        dtypes, widths = group.dtypes(), [len(out) for out in group.recipe.outputs]

        def compute(*arrays: Any) -> Any:
            try:
                shape = np.broadcast_shapes(*group.shapes(arrays))
            except (ValueError, AttributeError):
                found = group.one_by_one(arrays)
            else:
                if not all([isinstance(array, CudaArray) for array in arrays]):
                    found = group.one_by_one(arrays)
                else:
                    made = zip(widths, dtypes, strict=True)
                    found = [XP.empty(side_by_side(shape, width), dtype) for width, dtype in made]
                    on_gpu.run(group.recipe, arrays, group.numbers, found)
            return found[0] if group.single else tuple(found)

        return compute
