"""Where the values of a program live: what one run can know of memory before it begins.

`static.compile.layout` says, for all sizes at once, which values lie in an arena. `Plan` adds the sizes of
one set of feeds: each buffer gets its offset in the arena. An activation record is an arena with its
arrays made, for one run at a time.

What leaves a run never lies in an arena: it is a fresh array, and belongs to the caller.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.dims import Dim, evaluate
from shared.sizes.atoms import Symbol
from shared.spec import Spec
from static.compile.arena import ALIGNMENT, assign_offsets
from static.compile.block import Value
from static.compile.layout import Layout


@dataclass(frozen=True)
class Memory:
    """What a run holds, in bytes, beside what it is fed and the variables' values before it.

    arena      buffers that stay from run to run
    allocated  the most that it holds beside the arena at one time: what leaves it, what has no place
               in the arena, and what ops allocate inside
    peak       the two together
    """

    arena: int
    allocated: int

    @property
    def peak(self) -> int:
        return self.arena + self.allocated


class Plan:
    """A layout for one set of sizes.

    sizes    the unknown sizes, as integers
    offsets  where in the arena each planned buffer begins, and what lies inside one
    bytes    the arena's size

    ValueError for sizes with which some value can not be.
    """

    def __init__(self, layout: Layout, sizes: Mapping[Symbol, int]) -> None:
        self.layout, self.sizes = layout, sizes
        planned = layout.planned
        if any(size < 0 for value in planned for size in self.shape_of(value)):
            raise ValueError("a size came out negative")
        lengths = [self.bytes_of(value) for value in planned]
        live = [(buffer.first, buffer.last) for buffer in planned.values()]
        offsets, self.bytes = assign_offsets(lengths, live)
        self.offsets = dict(zip(planned, offsets, strict=True))
        for value in layout.inside:
            self.offsets[value] = self._offset(value)

    def memory(self) -> Memory:
        """What a run will hold. All sizes must be known."""
        layout, alive, most = self.layout, 0, 0
        ends: dict[int, int] = {}
        for at, step in enumerate(layout.block.steps):
            for value in step.outputs:
                buffer = layout.buffers.fresh(value)
                if buffer is not None and value not in layout.planned:
                    length = self.bytes_of(value)
                    alive += length
                    ends[buffer.last] = ends.get(buffer.last, 0) + length
            work = 0
            if step.op.hints.workspace is not None:
                specs = [Spec(self.shape_of(x), x.dtype) if isinstance(x, Value) else x for x in step.inputs]
                work = step.op.hints.workspace(*specs, **evaluated(step.settings, self.sizes))
            most = max(most, alive + work)
            alive -= ends.pop(at, 0)
        copied = [value for value in layout.block.leaving() if value not in layout.escaping]
        return Memory(self.bytes, max(most, alive + sum(map(self.bytes_of, copied))))

    def _offset(self, value: Value) -> int:
        if value in self.layout.planned:
            return self.offsets[value]
        host, before = self.layout.inside[value]
        return self._offset(host) + sum(self.bytes_of(spec) for spec in before)

    def shape_of(self, value: Value | Spec) -> tuple[int, ...]:
        return tuple([evaluate(size, self.sizes) for size in value.shape])

    def bytes_of(self, value: Value | Spec) -> int:
        return math.prod(self.shape_of(value)) * value.dtype.itemsize

    def allocate(self) -> tuple[Any, ...]:
        """An activation record: an arena of its own, as the arrays that a program takes (`Layout.arrays`)."""
        memory = np.empty(self.bytes + ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % ALIGNMENT
        shared: dict[Any, Any] = {}
        arrays: dict[Value, Any] = {}
        for value, offset in self.offsets.items():
            key = offset, self.shape_of(value), value.dtype
            if key not in shared:
                shared[key] = np.ndarray(key[1], value.dtype, memory, start + offset)
            arrays[value] = shared[key]
        for step, base in self.layout.views.items():
            settings = evaluated(step.settings, self.sizes)
            made = step.op.compute(self._array(base, arrays), **settings)
            arrays.update(zip(step.outputs, (made,) if step.op.single else made, strict=True))
        return tuple(arrays.values())

    def _array(self, value: Value, arrays: Mapping[Value, Any]) -> Any:
        while value not in arrays:
            value = self.layout.in_place[value]
        return arrays[value]


def evaluated(value: Any, sizes: Mapping[Symbol, int], size: Callable[..., Any] = Dim.evaluate) -> Any:
    """A setting with integers for all sizes in it; with `Dim.replaced` for `size`, those that are not among
    `sizes` stay unknown."""
    if isinstance(value, Dim):
        return size(value, sizes)
    if isinstance(value, (tuple, list)):
        return type(value)([evaluated(part, sizes, size) for part in value])
    if isinstance(value, slice):
        return slice(*[evaluated(part, sizes, size) for part in (value.start, value.stop, value.step)])
    if isinstance(value, dict):
        return {key: evaluated(part, sizes, size) for key, part in value.items()}
    return value
