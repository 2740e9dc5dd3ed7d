"""Which values lie in whose memory, decided for all sizes at once.

A value lies in a buffer of its own, in place of an input that dies where it is made, or inside the
buffer of the value that it becomes a part of: what `concatenate` and `stack` put under each other is
made where it shall be, if it can be, and they have nothing left to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.dims import UNKNOWN_RANK, Dim, dims_in, same_shape, same_size
from shared.op import TABLE
from shared.sizes.atoms import Symbol
from shared.spec import Spec
from static.compile.block import Block, Step, Value, last_uses
from static.compile.buffers import Buffer, Buffers, Location
from static.compile.c_order import is_made_in_c_order, stays_in_c_order
from static.compile.in_place import input_to_overwrite
from static.compile.options import EXACT, Options


@dataclass
class Layout:
    """What is known of a block's memory for all sizes.

    feed_axes   where the unknown sizes of planned values are read off: (position among the feeds, axis)
    buffers     which buffers the values lie in, and their live ranges
    in_place    values that are written over an input of their step, and that input
    inside      values that lie inside the buffer of another; that value, and what stands before them there
    elided      steps whose inputs are made where they shall be put, with the positions of the others
    planned     values whose buffers are in the arena
    views       steps that are done with the arena, for they make views of its arrays, and of which value
    resident    values whose arrays stay from run to run: planned, inside or in place of those, views
    symbols     the unknown sizes that decide where things stand in the arena
    escaping    values that leave as they are; what else leaves is copied
    contiguous  values that are sure to be in C order
    """

    block: Block
    feed_axes: dict[Symbol, tuple[int, int]]
    buffers: Buffers
    in_place: dict[Value, Value] = field(default_factory=dict)
    inside: dict[Value, tuple[Value, Sequence[Spec]]] = field(default_factory=dict)
    elided: dict[Step, tuple[int, ...]] = field(default_factory=dict)
    planned: dict[Value, Buffer] = field(default_factory=dict)
    views: dict[Step, Value] = field(default_factory=dict)
    resident: set[Value] = field(default_factory=set)
    symbols: list[Symbol] = field(default_factory=list)
    escaping: set[Value] = field(default_factory=set)
    contiguous: set[Value] = field(default_factory=set)

    def determined(self, value: Any) -> bool:
        """Whether the feeds' sizes say all sizes in a shape or a setting."""
        return all([symbol in self.feed_axes for dim in dims_in(value) for symbol in dim.symbols()])

    def arrays(self) -> list[Value]:
        """The values whose arrays are made with the arena, in the order in which a program takes them."""
        arrays = [*self.planned, *self.inside]
        for step in self.views:
            arrays.extend(step.outputs)
        return arrays


def lay_out(block: Block, orderly: bool, options: Options = EXACT) -> Layout:
    """The layout of a block. orderly: whether what is fed is in C order."""
    feed_axes: dict[Symbol, tuple[int, int]] = {}
    for position, value in enumerate(block.fed):
        for axis, size in enumerate(value.sizes):
            symbol = size.symbol() if isinstance(size, Dim) else None
            if symbol is not None:
                feed_axes.setdefault(symbol, (position, axis))
    index: dict[Step | None, int] = {step: at for at, step in enumerate(block.steps)}
    index[None] = len(block.steps)
    until = {value: index[step] for value, step in last_uses(block).items()}
    layout = Layout(block, feed_axes, Buffers(until))
    layout.contiguous.update(block.fed if orderly else (), block.reads.values())
    layout.contiguous.update(v for v, array in block.constants.items() if array.flags.c_contiguous)
    _Decisions(layout, options.plans).run()
    return layout


class _Decisions:
    """What `lay_out` decides, step by step in the order of the block. plans: whether anything may be
    planned; if not, each step makes a new array."""

    def __init__(self, layout: Layout, plans: bool) -> None:
        self.layout, self.block, self.plans = layout, layout.block, plans
        self.buffers, self.until = layout.buffers, layout.buffers.until
        self.count = len(self.block.steps)
        self.leaving: set[Buffer] = set()

    def run(self) -> None:
        for at, step in enumerate(self.block.steps):
            if step.op.alias and not _sums(step):
                self._alias(at, step)
            elif not self._elide(at, step):
                self._make(at, step)
        self._escape()
        self._plan()

    # what a step does with memory

    def _alias(self, at: int, step: Step) -> None:
        """A step whose results may share the memory of what they are made from."""
        layout, op, buffers = self.layout, step.op, self.buffers
        bases = [step.inputs[i] for i in op.alias if i < len(step.inputs)]
        values = [base for base in bases if isinstance(base, Value)]
        behind = tuple(dict.fromkeys(buffer for base in values for buffer in buffers.behind(base)))
        base = buffers[bases[0]]
        surely = stays_in_c_order(step, layout.contiguous)
        cuts = surely and _cuts(step) and base.fills
        for number, value in enumerate(step.outputs):
            part = base.part if len(bases) == len(behind) == 1 else None
            location = Location(behind, (step, number) if cuts and part is None else part)
            if surely:
                layout.contiguous.add(value)
                location.fills = op.single and base.fills and same_size(value.spec.size, bases[0].spec.size)
            buffers.put(at, value, location)

    def _make(self, at: int, step: Step) -> None:
        """A step that makes new arrays, if not in place of one that it is the last to need."""
        layout, op = self.layout, step.op
        for number, value in enumerate(step.outputs):
            if value.shape is UNKNOWN_RANK or (op.hints.selective and value not in self.until):
                self.buffers.put(at, value, Location())  # nobody knows how much, or nothing at all
                continue
            if is_made_in_c_order(step, value, layout.contiguous):
                layout.contiguous.add(value)
            over = None
            if self.plans:
                over = input_to_overwrite(at, step, number, self.buffers, layout.contiguous, self.count)
            if over is None:
                self.buffers.make(at, value, fills=value in layout.contiguous)
            else:
                layout.in_place[value] = over
                there = self.buffers[over]
                self.buffers.put(at, value, Location(there.buffers, there.part, there.fills))

    # inside another value

    def _elide(self, at: int, step: Step) -> bool:
        """Let what a step puts under each other lie there from the start; gives whether it does."""
        if not self.plans or not _joins(step) or len(list(step.values())) < len(step.inputs):
            return False
        (y,) = step.outputs
        if not at < self.until.get(y, at) < self.count or not self.layout.determined(y.shape):
            return False
        return self._joined_already(at, step) or self._made_inside(at, step)

    def _joined_already(self, at: int, step: Step) -> bool:
        """Parts that lie under each other already: their join is a view of them."""
        layout, (y,) = self.layout, step.outputs
        places = [self.buffers[x] for x in step.values()]
        parts = [place.part for place in places if place.part is not None]
        if len(parts) < len(places):
            return False
        cutter, first = parts[0]
        specs = [v.spec for v in (cutter.outputs if cutter.op.alias else cutter.values())]
        (buffer, *others) = places[0].buffers
        last = first + len(parts)
        if parts != [(cutter, i) for i in range(first, last)] or others or not self._can_host(buffer):
            return False
        for x, place, spec in zip(step.inputs, places, specs[first:last], strict=True):
            if place.buffers != (buffer,) or x.dtype != y.dtype or not same_size(x.spec.size, spec.size):
                return False
            if x not in layout.contiguous or not _fits(x, step):
                return False
        layout.inside[y] = buffer.value, specs[:first]
        layout.elided[step] = ()
        layout.contiguous.add(y)
        buffer.fixed = True
        self.buffers.put(at, y, Location((buffer,)))
        return True

    def _made_inside(self, at: int, step: Step) -> bool:
        """Parts that can be made inside their join, which then begins with the first of them."""
        layout, (y,) = self.layout, step.outputs
        parts: dict[Buffer, int] = {}
        for number, x in enumerate(step.inputs):
            place = self.buffers[x]
            if place.fills and place.buffers[0] not in parts and x.dtype == y.dtype:
                if self._can_host(place.buffers[0]):
                    parts[place.buffers[0]] = number
        kept = set(parts.values())
        others = tuple(i for i in range(len(step.inputs)) if i not in kept)
        known = _stacks(step) or all(isinstance(x.shape[0], int) for x in step.inputs)
        if not parts or (others and not known) or not all(_fits(x, step) for x in step.inputs):
            return False
        layout.contiguous.add(y)
        host = self.buffers.make(at, y, fills=True)
        host.fixed = True
        layout.elided[step] = others
        specs = [x.spec for x in step.inputs]
        for buffer, number in parts.items():
            self.buffers.embed(buffer, host, (step, number))
            layout.inside[buffer.value] = y, specs[:number]
        return True

    def _can_host(self, buffer: Buffer) -> bool:
        """Whether a buffer is sure to be in the arena, and can be a part of another or have parts."""
        if buffer.made is None or buffer.last >= self.count:
            return False
        makes, value = self.block.steps[buffer.made].op.out, buffer.value
        return makes and value in self.layout.contiguous and self.layout.determined(value.shape)

    # what leaves, and what the arena holds

    def _escape(self) -> None:
        """What leaves as it is: the first value of each array that the run made itself."""
        makers = self.block.makers()
        for value in self.block.leaving():
            maker, buffers = makers.get(value), self.buffers[value].buffers
            if maker is not None and not maker.op.alias and self.leaving.isdisjoint(buffers):
                self.layout.escaping.add(value)
                self.leaving.update(buffers)

    def _plan(self) -> None:
        """What lies in the arena, and what is made with it."""
        layout = self.layout
        if self.plans:
            layout.planned.update(
                (value, buffer) for value, buffer in self.buffers.own.items()
                if value not in layout.inside and self._is_planned(buffer)
            )  # fmt: skip
        layout.resident.update(layout.planned, layout.inside)
        for step in self.block.steps:
            if step.op.hints.view is not None and self._is_beforehand(step):
                layout.views[step] = step.inputs[0]
                layout.resident.update(step.outputs)
            else:
                layout.resident.update(v for v in step.outputs if layout.in_place.get(v) in layout.resident)
        shapes = [value.shape for value in (*layout.planned, *layout.inside)]
        dims = dims_in((shapes, [(step.inputs, step.settings) for step in layout.views]))
        layout.symbols.extend(dict.fromkeys(symbol for dim in dims for symbol in dim.symbols()))

    def _is_planned(self, buffer: Buffer) -> bool:
        value = buffer.value
        return (
            buffer.made is not None and self.block.steps[buffer.made].op.out
            and buffer not in self.leaving and value in self.until
            and value in self.layout.contiguous and self.layout.determined(value.shape)
        )  # fmt: skip

    def _is_beforehand(self, step: Step) -> bool:
        """Whether a step's views can be made with the arena: of one array of it, by known sizes."""
        arrays, layout = list(step.values()), self.layout
        return (
            len(arrays) == 1 and arrays[0] in layout.resident and arrays[0] in layout.contiguous
            and () not in [value.shape for value in step.outputs]  # NumPy gives a number, not a view
            and layout.determined((step.inputs, step.settings, [v.shape for v in step.outputs]))
        )  # fmt: skip


def _sums(step: Step) -> bool:
    """Whether a step that gives its input on where there is nothing to add up has something to."""
    if step.op is not TABLE["sum_to"] or step.inputs[0].shape is UNKNOWN_RANK:
        return False
    before, after = step.inputs[0].spec.size, step.outputs[0].spec.size
    return isinstance(before, int) and isinstance(after, int) and before != after


def _cuts(step: Step) -> bool:
    """Whether a step's results are parts of its input that have no element in common."""
    return step.op in (TABLE["split"], TABLE["unbind"])


def _joins(step: Step) -> bool:
    """Whether a step puts its inputs under each other, in C order."""
    return step.op in (TABLE["concatenate"], TABLE["stack"]) and step.settings["axis"] == 0


def _stacks(step: Step) -> bool:
    return step.op is TABLE["stack"]


def _fits(x: Value, join: Step) -> bool:
    """Whether a part is sure to have the sizes that what it is part of has there."""
    return same_shape(x.shape if _stacks(join) else x.shape[1:], join.outputs[0].shape[1:])
