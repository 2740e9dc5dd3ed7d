"""Where the values of a program live: what one run can know of memory before it begins.

`static.compile.layout` says, for all sizes at once, which values lie in an arena. `Plan` adds the sizes of
one set of feeds: each buffer gets its place in the arena. A `Frame` is an arena with its arrays
made, for one run at a time.

What leaves a run never lies in an arena: it is a fresh array, and belongs to the caller.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.dims import Dim, Symbol, evaluate
from shared.spec import Spec
from static.compile.arena import ALIGNMENT, place
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
    offsets  where in the arena the buffer of each head begins, and what lies within one
    bytes    the arena's size

    ValueError for sizes with which some value can not be.
    """

    def __init__(self, layout: Layout, sizes: Mapping[Symbol, int]) -> None:
        self.layout, self.sizes = layout, sizes
        heads = layout.heads
        if any(size < 0 for value in heads for size in self.shape_of(value)):
            raise ValueError("a size came out negative")
        lengths = [self.bytes_of(value) for value in heads]
        spans = [(start, layout.ends[value]) for value, start in heads.items()]
        places, self.bytes = place(lengths, spans)
        self.offsets = dict(zip(heads, places, strict=True))
        for value in layout.within:
            self.offsets[value] = self._offset(value)

    def memory(self) -> Memory:
        """What a run will hold. All sizes must be known."""
        layout, alive, most = self.layout, 0, 0
        ends: dict[int, int] = {}
        for at, step in enumerate(layout.block.steps):
            for value in step.outputs:
                if layout.owners.get(value) == (value,) and value not in layout.heads:
                    length, last = self.bytes_of(value), layout.ends[value]
                    alive += length
                    ends[last] = ends.get(last, 0) + length
            work = 0
            if step.op.workspace is not None:
                specs = [Spec(self.shape_of(x), x.dtype) if isinstance(x, Value) else x for x in step.inputs]
                work = step.op.workspace(*specs, **evaluated(step.settings, self.sizes))
            most = max(most, alive + work)
            alive -= ends.pop(at, 0)
        copied = [value for value in layout.block.leaving() if value not in layout.given]
        return Memory(self.bytes, max(most, alive + sum(map(self.bytes_of, copied))))

    def _offset(self, value: Value) -> int:
        if value in self.layout.heads:
            return self.offsets[value]
        host, before = self.layout.within[value]
        return self._offset(host) + sum(self.bytes_of(spec) for spec in before)

    def shape_of(self, value: Value | Spec) -> tuple[int, ...]:
        return tuple([evaluate(size, self.sizes) for size in value.shape])

    def bytes_of(self, value: Value | Spec) -> int:
        return math.prod(self.shape_of(value)) * value.dtype.itemsize

    def frame(self) -> tuple[Any, ...]:
        """An arena of its own, as the arrays that a program's seats are to hold."""
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
            value = self.layout.over[value]
        return arrays[value]


def evaluated(value: Any, sizes: Mapping[Symbol, int]) -> Any:
    """A setting with integers for all sizes in it."""
    if isinstance(value, Dim):
        return value.evaluate(sizes)
    if isinstance(value, (tuple, list)):
        return type(value)([evaluated(part, sizes) for part in value])
    if isinstance(value, slice):
        return slice(*[evaluated(part, sizes) for part in (value.start, value.stop, value.step)])
    if isinstance(value, dict):
        return {key: evaluated(part, sizes) for key, part in value.items()}
    return value
