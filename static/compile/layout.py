"""Which values live in whose memory, said for all sizes at once.

A value lies in a buffer of its own, over an input that dies where it is made, or within the value
that it becomes a part of: what `concatenate` and `stack` put under each other is made in its place,
if it can be, and they have nothing left to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.dims import UNKNOWN_RANK, Dim, Symbol, dims_in
from shared.op import TABLE
from shared.spec import Spec
from static.compile.block import Block, Step, Value, last_uses
from static.compile.options import EXACT, Options

Piece = tuple[Step, int]
"""A part of a value: what cuts it or puts it together, and the number of the part. Different parts
of one step have no element in common."""


@dataclass
class Layout:
    """What is known of a block's memory for all sizes.

    known    where the unknown sizes of planned values are read off: (position among the feeds, axis)
    owners   for each value those in whose memory it may lie: itself, if it was made afresh
    ends     for each owner the last step at which its memory is needed; the number of steps, if
             it outlives them
    over     values that are written over an input of their step, and that input
    within   values that lie within the memory of another, and that, and what stands before them there
    joins    steps whose inputs are made where they shall be put, with the positions of the others
    heads    values for which a frame holds a buffer, and the first step at which it is needed
    views    steps that a frame does beforehand, for they make views of its arrays, and of which value
    framed   values whose arrays are those of the frame: heads, what lies in or over them, views
    symbols  the unknown sizes that decide where things stand in a frame
    given    values that leave as they are; what else leaves is copied
    ordered  values that are sure to be in C order
    """

    block: Block
    known: dict[Symbol, tuple[int, int]]
    owners: dict[Value, tuple[Value, ...]] = field(default_factory=dict)
    ends: dict[Value, int] = field(default_factory=dict)
    over: dict[Value, Value] = field(default_factory=dict)
    within: dict[Value, tuple[Value, Sequence[Spec]]] = field(default_factory=dict)
    joins: dict[Step, tuple[int, ...]] = field(default_factory=dict)
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
        """The values whose arrays a frame holds: buffers, what lies within them, views."""
        seats = [*self.heads, *self.within]
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
    """One walk over a block's steps, in their order.

    until   the last step that needs each value
    whole   values that fill the memory of their owner, in C order
    made    owners that a step makes, and the step's place
    starts  the first step at which the memory of an owner is needed, where that is before it is made
    held    the values that lie in the memory of an owner
    pieces  of which part of its owner a value is
    needs   for each owner the last step that needs any of the parts that one step cuts; what is no
            such part is under None
    parts   the last step that needs each part
    firm    owners in whose memory others lie for good: what leaves a run may not be written over them
    """

    def __init__(self, layout: Layout, plans: bool) -> None:
        self.layout, self.block, self.plans = layout, layout.block, plans
        self.count = len(self.block.steps)
        place: dict[Step | None, int] = {step: at for at, step in enumerate(self.block.steps)}
        place[None] = self.count
        self.until = {value: place[step] for value, step in last_uses(self.block).items()}
        self.whole: set[Value] = set()
        self.made: dict[Value, int] = {}
        self.starts: dict[Value, int] = {}
        self.held: dict[Value, list[Value]] = {}
        self.pieces: dict[Value, Piece] = {}
        self.needs: dict[Value, dict[Step | None, int]] = {}
        self.parts: dict[Piece, int] = {}
        self.firm: set[Value] = set()

    def run(self) -> None:
        layout = self.layout
        for at, step in enumerate(self.block.steps):
            if step.op.alias and not _sums(step):
                self._look(at, step)
            elif not self._join(at, step):
                self._make(at, step)
        self._leave()
        if self.plans:
            layout.heads.update(
                (value, self.starts.get(value, at))
                for value, at in self.made.items()
                if value not in layout.within and self._planned(value)
            )
        layout.framed.update(layout.heads, layout.within)
        for step in self.block.steps:
            if step.op.view is not None and self._beforehand(step):
                layout.views[step] = step.inputs[0]
                layout.framed.update(step.outputs)
            else:
                layout.framed.update(v for v in step.outputs if layout.over.get(v) in layout.framed)
        shapes = [value.shape for value in (*layout.heads, *layout.within)]
        dims = dims_in((shapes, [(step.inputs, step.settings) for step in layout.views]))
        layout.symbols.extend(dict.fromkeys(symbol for dim in dims for symbol in dim.symbols()))

    # what a step does with memory

    def _look(self, at: int, step: Step) -> None:
        """A step whose results may share the memory of what they are made from."""
        layout, op = self.layout, step.op
        bases = [step.inputs[i] for i in op.alias if i < len(step.inputs)]
        owners = tuple(
            dict.fromkeys(o for b in bases if isinstance(b, Value) for o in layout.owners.get(b, (b,)))
        )
        surely = op.view is not None and bases[0] in layout.ordered and op.view(**step.settings)
        cuts = surely and _cuts(step) and bases[0] in self.whole
        for number, value in enumerate(step.outputs):
            piece = self.pieces.get(bases[0]) if len(bases) == len(owners) == 1 else None
            self._put(at, value, owners, (step, number) if cuts and piece is None else piece)
            if surely:
                layout.ordered.add(value)
                if op.single and bases[0] in self.whole and value.spec.size == bases[0].spec.size:
                    self.whole.add(value)

    def _make(self, at: int, step: Step) -> None:
        """A step that makes new arrays, if not over one that it is the last to need."""
        layout, op = self.layout, step.op
        arrays = list(step.values())
        for number, value in enumerate(step.outputs):
            if value.shape is UNKNOWN_RANK or (op.selective and value not in self.until):
                layout.owners[value] = ()  # nobody knows how much, or nothing at all
                continue
            flat = len(value.shape) < 2
            if flat or not op.ufunc or all([v in layout.ordered for v in arrays]):
                layout.ordered.add(value)
            below = self._below(at, step, number)
            if below is None:
                self.made[value] = at
                self._put(at, value, (value,), None)
                if value in layout.ordered:
                    self.whole.add(value)
            else:
                layout.over[value] = below
                self._put(at, value, layout.owners[below], self.pieces.get(below))
                if below in self.whole:
                    self.whole.add(value)

    def _put(self, at: int, value: Value, owners: tuple[Value, ...], piece: Piece | None) -> None:
        """A value lies in the memory of its owners: if `piece` says so, in a part of it alone."""
        self.layout.owners[value] = owners
        if piece is not None:
            self.pieces[value] = piece
        for owner in owners:
            self.held.setdefault(owner, []).append(value)
            self._keep(owner, piece, self.until.get(value, at))

    def _keep(self, owner: Value, piece: Piece | None, until: int) -> None:
        """The memory of an owner, or a part of it, is needed up to a step."""
        ends, needs = self.layout.ends, self.needs.setdefault(owner, {})
        ends[owner] = max(ends.get(owner, until), until)
        cutter = None if piece is None else piece[0]
        needs[cutter] = max(needs.get(cutter, until), until)
        if piece is not None:
            self.parts[piece] = max(self.parts.get(piece, until), until)

    # over an input

    def _below(self, at: int, step: Step, number: int) -> Value | None:
        """The input that a step can write one of its results over, if there is one."""
        op, layout, value = step.op, self.layout, step.outputs[number]
        if not self.plans or value not in layout.ordered or value not in self.until:
            return None
        found: list[Value] = []
        lies = Counter([owner for v in step.values() for owner in layout.owners.get(v, ())])
        for position in range(len(step.inputs)) if op.ufunc else op.may_be(number):
            x = step.inputs[position] if position < len(step.inputs) else None
            if not isinstance(x, Value) or x not in layout.ordered or x.spec != value.spec:
                continue
            if not self._ends_with(x, at) or not self._stays(x, value):
                continue
            if op.ufunc or lies[layout.owners[x][0]] == 1 or not self._meets_others(x, position, step):
                found.append(x)
        return max(found, key=self._choice, default=None)

    def _choice(self, x: Value) -> tuple[bool, int]:
        """Which input to write over, of several. A part: what takes the places of all parts lies
        together without being joined. Of two, that of the younger value, so that all parts' turns
        come out alike."""
        return x in self.pieces, self.made[self.layout.owners[x][0]] if x in self.pieces else 0

    def _ends_with(self, x: Value, at: int) -> bool:
        """Whether no memory of a value that this run made is needed after a step."""
        owners, piece = self.layout.owners.get(x, ()), self.pieces.get(x)
        if len(owners) != 1 or owners[0] not in self.made or (piece is None and x not in self.whole):
            return False
        if piece is None:
            return self.layout.ends[owners[0]] == at
        needs = self.needs[owners[0]].items()
        return self.parts[piece] == at and all([end <= at for cutter, end in needs if cutter is not piece[0]])

    def _stays(self, x: Value, value: Value) -> bool:
        """Whether a value may lie where `x` does: what leaves a run needs memory for itself alone."""
        leaves = self.until[value] == self.count
        return not leaves or (x in self.whole and self.layout.owners[x][0] not in self.firm)

    def _meets_others(self, x: Value, position: int, step: Step) -> bool:
        """Whether an input may have memory in common with another one."""
        others = [v for i, v in enumerate(step.inputs) if isinstance(v, Value) and i != position]
        return any([self._meet(x, v) for v in others])

    def _meet(self, x: Value, other: Value) -> bool:
        """Whether two values may have memory in common; `x` has one owner."""
        if self.layout.owners[x][0] not in self.layout.owners.get(other, ()):
            return False
        a, b = self.pieces.get(x), self.pieces.get(other)
        return a is None or b is None or a[0] is not b[0] or a == b

    # within another value

    def _join(self, at: int, step: Step) -> bool:
        """Let what a step puts under each other lie there from the start; gives whether it does."""
        if not self.plans or not _joins(step) or not self._framed(step.outputs[0], at):
            return False
        if len(list(step.values())) < len(step.inputs):
            return False
        return self._as_they_lie(at, step) or self._in_place(at, step)

    def _framed(self, value: Value, at: int) -> bool:
        """Whether a value can lie in an arena, as far as its size and where it goes say."""
        return at < self.until.get(value, at) < self.count and self.layout.determined(value.shape)

    def _as_they_lie(self, at: int, step: Step) -> bool:
        """Parts that lie under each other already: their join is a view of them."""
        layout, (y,) = self.layout, step.outputs
        pieces = [self.pieces.get(x) for x in step.values()]
        if any(piece is None for piece in pieces):
            return False
        (cutter, first), *_ = found = [piece for piece in pieces if piece is not None]
        specs = [v.spec for v in (cutter.outputs if cutter.op.alias else cutter.values())]
        (owner, *others) = layout.owners[step.inputs[0]]
        last = first + len(found)
        if found != [(cutter, i) for i in range(first, last)] or others or not self._frames(owner, step):
            return False
        for x, spec in zip(step.inputs, specs[first:last], strict=True):
            if layout.owners[x] != (owner,) or x.dtype != y.dtype or x.spec.size != spec.size:
                return False
            if x not in layout.ordered or not _fits(x, step):
                return False
        layout.within[y] = owner, specs[:first]
        layout.joins[step] = ()
        layout.ordered.add(y)
        self.firm.add(owner)
        self._put(at, y, (owner,), None)
        return True

    def _in_place(self, at: int, step: Step) -> bool:
        """Parts that can be made within their join, which then begins with the first of them."""
        layout, (y,) = self.layout, step.outputs
        inside: dict[Value, int] = {}
        for number, x in enumerate(step.inputs):
            owner = layout.owners.get(x, ())[:1] if x in self.whole else ()
            if owner and owner[0] not in inside and x.dtype == y.dtype and self._frames(owner[0], step):
                inside[owner[0]] = number
        kept = set(inside.values())
        others = tuple(i for i in range(len(step.inputs)) if i not in kept)
        known = _stacks(step) or all(isinstance(x.shape[0], int) for x in step.inputs)
        if not inside or (others and not known) or not all(_fits(x, step) for x in step.inputs):
            return False
        layout.ordered.add(y)
        self.whole.add(y)
        self.firm.add(y)
        self.made[y] = at
        self._put(at, y, (y,), None)
        layout.joins[step] = others
        specs = [x.spec for x in step.inputs]
        for part, number in inside.items():
            self._move(part, y, (step, number))
            layout.within[part] = y, specs[:number]
        return True

    def _frames(self, owner: Value, join: Step) -> bool:
        """Whether the memory of an owner is sure to be a frame's, and can be another's."""
        at = self.made.get(owner)
        if at is None or self.layout.ends[owner] >= self.count:
            return False
        maker = self.block.steps[at]
        return maker.op.out and owner in self.layout.ordered and self.layout.determined(owner.shape)

    def _move(self, owner: Value, host: Value, piece: Piece) -> None:
        """All that lies in the memory of an owner lies in a part of another from now on."""
        layout = self.layout
        for value in self.held.pop(owner):
            self.whole.discard(value)
            layout.owners[value] = tuple(host if o is owner else o for o in layout.owners[value])
            alone = len(layout.owners[value]) == 1
            if alone:
                self.pieces[value] = piece
            self.held[host].append(value)
            if not alone:
                self._keep(host, None, self.until.get(value, self.made[host]))
        self._keep(host, piece, layout.ends[owner])
        first = min(self.starts.get(v, self.made[v]) for v in (owner, host))
        self.starts[host] = first

    # what leaves, and what a frame holds

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


def _sums(step: Step) -> bool:
    """Whether a step that gives its input on where there is nothing to add up has something to."""
    if step.op is not TABLE["sum_to"]:
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
    return (x.shape if _stacks(join) else x.shape[1:]) == join.outputs[0].shape[1:]
