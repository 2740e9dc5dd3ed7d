"""Where the values of a program live: what one run can know of memory before it begins.

`lay_out` says, for all sizes at once, which values lie in an arena, which are written over an
input that dies there, and which are views that can be made beforehand. `Plan` adds the sizes of
one set of feeds: each buffer gets its place in the arena. A `Frame` is an arena with its arrays
made, for one run at a time.

What leaves a run never lies in an arena: it is a fresh array, and belongs to the caller.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim, Symbol, dims_in, evaluate
from shared.spec import Spec
from static.block import Block, Step, Value, last_uses
from static.options import EXACT, Options

ALIGNMENT = 64
"""Bytes, as a cache line and the widest vector registers have."""


@dataclass
class Layout:
    """What is known of a block's memory for all sizes.

    known    where the unknown sizes of planned values are read off: (position among the feeds, axis)
    owners   for each value those in whose memory it may lie: itself, if it was made afresh
    ends     for each owner the last step at which its memory is needed; the number of steps, if
             it outlives them
    over     values that are written over an input of their step, and that input
    heads    values for which a frame holds a buffer
    views    steps that a frame does beforehand, for they make views of its arrays, and of which value
    framed   values whose arrays are those of the frame: heads, what is written over them, views
    symbols  the unknown sizes that decide where things stand in a frame
    given    values that leave as they are; what else leaves is copied
    ordered  values that are sure to be in C order
    """

    block: Block
    known: dict[Symbol, tuple[int, int]]
    owners: dict[Value, tuple[Value, ...]] = field(default_factory=dict)
    ends: dict[Value, int] = field(default_factory=dict)
    over: dict[Value, Value] = field(default_factory=dict)
    heads: dict[Value, int] = field(default_factory=dict)
    views: dict[Step, Value] = field(default_factory=dict)
    framed: set[Value] = field(default_factory=set)
    symbols: list[Symbol] = field(default_factory=list)
    given: set[Value] = field(default_factory=set)
    ordered: set[Value] = field(default_factory=set)

    def determined(self, value: Any) -> bool:
        """Whether the feeds' sizes say all sizes in a shape or a setting."""
        return all([symbol in self.known for dim in dims_in(value) for symbol in dim.symbols()])

    def seats(self) -> list[Value]:
        """The values whose arrays a frame holds, in program order."""
        seats = list(self.heads)
        for step in self.views:
            seats.extend(step.outputs)
        return seats


def lay_out(block: Block, orderly: bool, options: Options = EXACT) -> Layout:
    """The layout of a block. orderly: whether what is fed is in C order."""
    known: dict[Symbol, tuple[int, int]] = {}
    for position, value in enumerate(block.fed):
        for axis, size in enumerate(value.sizes):
            symbol = size.symbol() if isinstance(size, Dim) else None
            if symbol is not None:
                known.setdefault(symbol, (position, axis))
    layout = Layout(block, known)
    layout.ordered.update(block.fed if orderly else (), block.reads.values())
    layout.ordered.update(v for v, array in block.constants.items() if array.flags.c_contiguous)
    _Walk(layout, options.plans).run()
    return layout


class _Walk:
    """One walk over a block's steps, in their order."""

    def __init__(self, layout: Layout, plans: bool) -> None:
        self.layout, self.block, self.plans = layout, layout.block, plans
        self.count = len(self.block.steps)
        place: dict[Step | None, int] = {step: at for at, step in enumerate(self.block.steps)}
        place[None] = self.count
        self.until = {value: place[step] for value, step in last_uses(self.block).items()}
        self.whole: set[Value] = set()  # values that fill the memory of their owner, in C order
        self.made: dict[Value, int] = {}  # owners that a step makes, and the step's place

    def run(self) -> None:
        layout = self.layout
        for at, step in enumerate(self.block.steps):
            if step.op.alias:
                self._look(at, step)
            else:
                self._make(at, step)
        self._leave()
        if self.plans:
            layout.heads.update((value, at) for value, at in self.made.items() if self._planned(value))
        layout.framed.update(layout.heads)
        for step in self.block.steps:
            if step.op.view is not None and self._beforehand(step):
                layout.views[step] = step.inputs[0]
                layout.framed.update(step.outputs)
            elif len(step.outputs) == 1 and layout.over.get(step.outputs[0]) in layout.framed:
                layout.framed.add(step.outputs[0])
        shapes = [value.shape for value in layout.heads]
        dims = dims_in((shapes, [(step.inputs, step.settings) for step in layout.views]))
        layout.symbols.extend(dict.fromkeys(symbol for dim in dims for symbol in dim.symbols()))

    def _look(self, at: int, step: Step) -> None:
        """A step whose results may share the memory of what they are made from."""
        layout, op = self.layout, step.op
        bases = [step.inputs[i] for i in op.alias if i < len(step.inputs)]
        owners = tuple(
            dict.fromkeys(o for b in bases if isinstance(b, Value) for o in layout.owners.get(b, (b,)))
        )
        surely = op.view is not None and bases[0] in layout.ordered and op.view(**step.settings)
        for value in step.outputs:
            layout.owners[value] = owners
            for owner in owners:
                layout.ends[owner] = max(layout.ends.get(owner, at), self.until.get(value, at))
            if surely:
                layout.ordered.add(value)
                if op.single and bases[0] in self.whole and value.spec.size == bases[0].spec.size:
                    self.whole.add(value)

    def _make(self, at: int, step: Step) -> None:
        """A step that makes new arrays, if not over one that it is the last to need."""
        layout, op = self.layout, step.op
        arrays = list(step.values())
        for value in step.outputs:
            if value.shape is UNKNOWN_RANK or (op.selective and value not in self.until):
                layout.owners[value] = ()  # nobody knows how much, or nothing at all
                continue
            flat = len(value.shape) < 2
            if flat or not op.ufunc or all([v in layout.ordered for v in arrays]):
                layout.ordered.add(value)
                self.whole.add(value)
            below = self._below(at, step, value)
            owner = value
            if below is None:
                self.made[value] = at
            else:
                layout.over[value] = below
                (owner,) = layout.owners[below]
            layout.owners[value] = (owner,)
            layout.ends[owner] = self.until.get(value, at)

    def _below(self, at: int, step: Step, value: Value) -> Value | None:
        """The input that a step can write its result over, if there is one."""
        op, layout = step.op, self.layout
        if not self.plans or not op.single or value not in layout.ordered or value not in self.until:
            return None
        for position in range(len(step.inputs)) if op.ufunc else op.inplace:
            x = step.inputs[position] if position < len(step.inputs) else None
            if not isinstance(x, Value) or x not in self.whole or x.spec != value.spec:
                continue
            owners = layout.owners.get(x, ())
            if len(owners) != 1 or owners[0] not in self.made or layout.ends[owners[0]] != at:
                continue
            others = [v for i, v in enumerate(step.inputs) if isinstance(v, Value) and i != position]
            if op.ufunc or not any([owners[0] in layout.owners.get(v, ()) for v in others]):
                return x
        return None

    def _leave(self) -> None:
        """What leaves as it is: the first value of each array that the run made itself."""
        makers = self.block.makers()
        gone: set[Value] = set()
        for value in self.block.leaving():
            maker, owners = makers.get(value), self.layout.owners.get(value, ())
            if maker is not None and not maker.op.alias and gone.isdisjoint(owners):
                self.layout.given.add(value)
                gone.update(owners or (value,))
        self.gone = gone

    def _planned(self, value: Value) -> bool:
        """Whether a frame holds a buffer for a value."""
        step = self.block.steps[self.made[value]]
        return (
            step.op.out and value not in self.gone and value in self.until
            and value in self.layout.ordered and self.layout.determined(value.shape)
        )  # fmt: skip

    def _beforehand(self, step: Step) -> bool:
        """Whether a frame can make a step's views: of an array of its own, by sizes that are known."""
        arrays = list(step.values())
        return (
            len(arrays) == 1 and arrays[0] in self.layout.framed and arrays[0] in self.layout.ordered
            and () not in [value.shape for value in step.outputs]  # NumPy gives a number, not a view
            and self.layout.determined((step.inputs, step.settings, [v.shape for v in step.outputs]))
        )  # fmt: skip


# --- for one set of sizes ------------------------------------------------------------------


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
    offsets  where in the arena the buffer of each head begins
    bytes    the arena's size

    ValueError for sizes with which some value can not be.
    """

    def __init__(self, layout: Layout, sizes: Mapping[Symbol, int]) -> None:
        self.layout, self.sizes = layout, sizes
        heads = layout.heads
        if any(size < 0 for value in heads for size in self.shape_of(value)):
            raise ValueError("a size came out negative")
        lengths = [self.bytes_of(value) for value in heads]
        spans = [(at, layout.ends[value]) for value, at in heads.items()]
        places, self.bytes = place(lengths, spans)
        self.offsets = dict(zip(heads, places, strict=True))

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

    def shape_of(self, value: Value) -> tuple[int, ...]:
        return tuple([evaluate(size, self.sizes) for size in value.shape])

    def bytes_of(self, value: Value) -> int:
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


# --- places in an arena --------------------------------------------------------------------

FEW = 512
"""Up to how many buffers are placed by size as well, which takes time by the square of them."""
Span = tuple[int, int]


def place(lengths: Sequence[int], spans: Sequence[Span]) -> tuple[list[int], int]:
    """Offsets for buffers of `lengths` bytes, and the bytes of all.

    spans: the first and the last step at which each is needed; where they meet, buffers do not overlap.
    """
    lengths = [-(-length // ALIGNMENT) * ALIGNMENT for length in lengths]
    found = _in_order(lengths, spans)
    if len(lengths) <= FEW:
        found = min(found, _by_size(lengths, spans), key=lambda each: each[1])
    return found


def _by_size(lengths: Sequence[int], spans: Sequence[Span]) -> tuple[list[int], int]:
    """The largest first, each into the smallest gap between those that it meets."""
    offsets, top = [0] * len(lengths), 0
    placed: list[tuple[int, int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: (-lengths[i], spans[i])):
        first, last = spans[i]
        end, gap, at = 0, None, 0
        for offset, other in placed:
            if spans[other][0] <= last and first <= spans[other][1]:
                room = offset - end
                if room >= lengths[i] and (gap is None or room < gap):
                    gap, at = room, end
                end = max(end, offset + lengths[other])
        offsets[i] = end if gap is None else at
        insort(placed, (offsets[i], i))
        top = max(top, offsets[i] + lengths[i])
    return offsets, top


def _in_order(lengths: Sequence[int], spans: Sequence[Span]) -> tuple[list[int], int]:
    """Step by step, each into the smallest hole that what ended before has left."""
    offsets, top = [0] * len(lengths), 0
    holes = _Holes()
    alive: list[tuple[int, int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: (spans[i][0], -lengths[i])):
        while alive and alive[0][0] < spans[i][0]:
            _, gone = heappop(alive)
            holes.add(offsets[gone], lengths[gone])
        if lengths[i]:
            offsets[i] = holes.take(lengths[i])
            heappush(alive, (spans[i][1], i))
            top = max(top, offsets[i] + lengths[i])
    return offsets, top


class _Holes:
    """What is free, as (length, offset) in order, and everything from `end` on."""

    def __init__(self) -> None:
        self.free: list[tuple[int, int]] = []
        self.begins: dict[int, int] = {}  # the length of the hole that begins at an offset
        self.stops: dict[int, int] = {}  # where the hole begins that stops at an offset
        self.end = 0

    def take(self, length: int) -> int:
        """Where there is room for `length` bytes, taken from the smallest hole."""
        at = bisect_left(self.free, (length, 0))
        if at == len(self.free):
            self.end += length
            return self.end - length
        room, offset = self.free[at]
        self._remove(offset)
        if room > length:
            self.add(offset + length, room - length)
        return offset

    def add(self, offset: int, length: int) -> None:
        """A hole, joined with those beside it."""
        if offset in self.stops:
            before = self.stops[offset]
            self._remove(before)
            offset, length = before, offset + length - before
        if offset + length in self.begins:
            length += self._remove(offset + length)
        if offset + length == self.end:
            self.end = offset
            return
        insort(self.free, (length, offset))
        self.begins[offset], self.stops[offset + length] = length, offset

    def _remove(self, offset: int) -> int:
        length = self.begins.pop(offset)
        del self.stops[offset + length]
        del self.free[bisect_left(self.free, (length, offset))]
        return length
