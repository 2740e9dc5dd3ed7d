"""Recomputation: values that are cheap to compute are computed again where they are needed later, and
not kept meanwhile, until a run is foretold to hold no more than it may.

One value after another, each time one that is held at the step at which most is held, and that this
step does not need: the one that gives most bytes for the time it takes. What a value is computed from
is taken as it is, if it is there anyway, and else computed again as well. So of a chain of layers, in
which each value keeps the next one within reach, the ones between some are forgotten, as one would
write checkpoints by hand. A step that is done again gives the same bits, so it may be done at `exact`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from shared.dims import Dim, dims_in
from shared.errors import MemoryLimitError, UnknownSizeError
from shared.nn.overview import FLOPS
from shared.op import TABLE
from shared.spec import spec_of
from static.compile.block import Block, Step, Value
from static.compile.layout import Layout, lay_out
from static.compile.log import Log
from static.compile.options import Options
from static.compile.plan import Memory, Plan
from static.compile.steps.fused import FusedOp

CALL, BYTES, FLOP = 2e-6, 1e-10, 2.5e-11
"""Seconds that a call takes, a byte that is read or written, and an operation of a product: those of one
thread of a common machine. Only what is cheaper than what hangs on them."""
ROUNDS = 500
"""How many values are tried at most: each takes a new plan."""
CHAIN = 32
"""How many steps are done again for one value at most."""


def keep_within(block: Block, log: Log, orderly: bool, options: Options) -> Block:
    """The block, changed so that a run of it is foretold to hold no more than `options.memory_limit`.

    orderly: as `lay_out` has it. UnknownSizeError if a size is not known; MemoryLimitError, which names
    the least that was reached and what holds it, if that is more.
    """
    limit = options.memory_limit
    assert limit is not None
    _check_sizes(block)
    state = _State(block, orderly, options)
    first = least = state
    work = sum(map(seconds, block.steps))
    refused: set[Value] = set()
    more = 0.0
    for _ in range(ROUNDS):
        if state.memory.peak <= limit:
            break
        at, choices = state.choices(refused)
        if not choices:
            break
        choice = max(choices, key=lambda c: c.bytes / c.seconds)
        changed = _State(choice.applied(state.block, at), orderly, options)
        if changed.over(limit) < state.over(limit):
            state, more = changed, more + choice.seconds
            least = min(least, state, key=lambda s: s.memory.peak)
            log.note(
                f"{choice.step.op.name} of {choice.step.node.name!r} is computed again",
                f"{choice.bytes:,} bytes are not kept for it", choice.step.node.line,
            )  # fmt: skip
        else:
            refused.update(choice.owners)
    if state.memory.peak > limit:
        raise _too_much(least, limit)
    if state is first:
        log.note(f"a run holds {first.memory.peak:,} bytes as it is", f"the limit is {limit:,}")
        return block
    log.note(
        f"a run holds {state.memory.peak:,} bytes, not {first.memory.peak:,}",
        f"the limit is {limit:,}; what is computed again adds about {more / work:.0%} to the time of a run",
    )  # fmt: skip
    return state.block


def seconds(step: Step) -> float:
    """About how long a step takes: for comparing."""
    if step.op.alias:
        return 0.0
    made = [v.spec for v in step.outputs]
    work = FLOPS.get(step.op.name)
    given = [spec_of(x) for x in step.inputs]
    flops = work(given, made, dict(step.settings)) if work is not None else 0
    moved = sum(_bytes(v) for v in (*step.values(), *step.outputs))
    return CALL + BYTES * moved + FLOP * (flops if isinstance(flops, int) else 0)


def _bytes(value: Value) -> int:
    return math.prod(size for size in value.shape if isinstance(size, int)) * value.dtype.itemsize


def _check_sizes(block: Block) -> None:
    for value in (*block.fed, *block.missing.values(), *(v for step in block.steps for v in step.outputs)):
        for size in value.sizes:
            if isinstance(size, Dim):
                (name, *_) = [symbol.name for dim in dims_in(size) for symbol in dim.symbols()]
                raise UnknownSizeError(
                    f"Session: memory_limit takes sizes that are known before a run, and the size {name} of "
                    f"{value.name!r} is not; give the placeholder a number there"
                )


class _Choice:
    """Values that share memory and could be computed again.

    owners   in whose memory they lie
    bytes    that need not be held meanwhile
    again    the steps to do again, in order; `step` the first that makes one of them
    """

    def __init__(self, owner: Value, size: int, values: set[Value], again: list[Step]) -> None:
        self.owners, self.bytes, self.values, self.again = (owner,), size, values, again
        self.seconds = max(sum(map(seconds, again)), CALL)
        makers = [step for step in again if not values.isdisjoint(step.outputs)]
        self.step = next((step for step in makers if not step.op.alias), makers[0])

    def applied(self, block: Block, at: int) -> Block:
        """The block in which what comes after a step is given the values anew."""
        steps = list(block.steps)
        first = next(i for i in range(at + 1, len(steps)) if not self.values.isdisjoint(steps[i].values()))
        anew: dict[Value, Value] = {}
        made: list[Step] = []
        for step in self.again:
            outputs = [Value(v.spec, v.name) for v in step.outputs]
            given = [anew.get(x, x) if isinstance(x, Value) else x for x in step.inputs]
            made.append(Step(step.op, given, step.settings, outputs, step.nodes))
            anew.update(zip(step.outputs, outputs, strict=True))
        later = {v: new for v, new in anew.items() if v in self.values}
        return block.with_steps([*steps[:first], *made, *(step.instead(later) for step in steps[first:])])


class _State:
    """A block, and what a run of it holds at each step."""

    def __init__(self, block: Block, orderly: bool, options: Options) -> None:
        self.block = block
        self.layout: Layout = lay_out(block, orderly, options)
        self.plan = Plan(self.layout, {})
        self.memory: Memory = self.plan.memory()
        self.makers = block.makers()
        self.place: dict[Step, int] = {step: at for at, step in enumerate(block.steps)}
        self.until: dict[Value, int] = {}
        for at, step in enumerate(block.steps):
            self.until.update(dict.fromkeys(step.values(), at))
        self.until.update(dict.fromkeys(block.leaving(), len(block.steps)))
        self.spans = self._spans()
        held = [0] * (len(block.steps) + 1)
        for start, end, size in self.spans.values():
            held[start] += size
            if end + 1 < len(held):
                held[end + 1] -= size
        for at in range(1, len(held)):
            held[at] += held[at - 1]
        self.held = held[: len(block.steps)]

    def _spans(self) -> dict[Value, tuple[int, int, int]]:
        """For each owner that a run makes: from which step to which it is held, and its bytes."""
        layout, spans = self.layout, {}
        for step, at in self.place.items():
            for value in step.outputs:
                buffer = layout.buffers.fresh(value)
                if buffer is not None:
                    start = buffer.first if value in layout.planned else at
                    spans[value] = start, buffer.last, self.plan.bytes_of(value)
        return spans

    def over(self, limit: int) -> tuple[int, int]:
        """How much a run holds too much, over all its steps; and at its highest point."""
        room = limit - max(self.memory.peak - max(self.held, default=0), 0)
        return sum(max(held - room, 0) for held in self.held), self.memory.peak

    def choices(self, refused: set[Value]) -> tuple[int, list[_Choice]]:
        """What could be computed again, of that which is held at the step that holds most."""
        at = max(range(len(self.held)), key=self.held.__getitem__, default=0)
        buffers = self.layout.buffers
        needed = {buffer.value for v in self.block.steps[at].values() for buffer in buffers.behind(v)}
        found = []
        for owner, (start, end, size) in self.spans.items():
            if start < at < end < len(self.held) and owner not in needed and owner not in refused and size:
                choice = self._choice(owner, size, buffers.own[owner].values, at)
                if choice is not None:
                    found.append(choice)
        return at, found

    def _choice(self, owner: Value, size: int, inside: list[Value], at: int) -> _Choice | None:
        """How to do without the memory of an owner at a step; None if that can not be."""
        values = {v for v in inside if self.until.get(v, -1) > at and self.place[self.makers[v]] < at}
        again: dict[Step, None] = {}
        wanted = list(values)
        while wanted:
            step = self.makers[wanted.pop()]
            if step in again:
                continue
            if not _repeatable(step) or len(again) == CHAIN:
                return None
            again[step] = None
            for x in step.values():
                there = x not in self.makers or (x not in values and self.until.get(x, -1) >= at)
                if not there:
                    wanted.append(x)
        if not again:
            return None  # all that lies there is made later: it only has to wait for its neighbours
        return _Choice(owner, size, values, sorted(again, key=self.place.__getitem__))


def _repeatable(step: Step) -> bool:
    """Whether a step gives the same whenever it is done, and what it takes can be said."""
    return step.op.pure and (isinstance(step.op, FusedOp) or TABLE.get(step.op.name) is step.op)


def _too_much(state: _State, limit: int) -> MemoryLimitError:
    """The error that says what holds the bytes."""
    at = max(range(len(state.held)), key=state.held.__getitem__, default=0)
    spans: Mapping[Value, Any] = state.spans
    alive = sorted((v for v, (a, b, _) in spans.items() if a <= at <= b), key=lambda v: -spans[v][2])
    most = ", ".join(
        f"{v.name} {v.spec} of {state.makers[v].node.name!r} with {spans[v][2]:,}" for v in alive[:3]
    )
    leaves = sum(state.plan.bytes_of(v) for v in state.block.leaving())
    return MemoryLimitError(
        f"Session: memory_limit={limit:,} can not be kept: the least that was found is "
        f"{state.memory.peak:,} bytes. Most is held at {state.block.steps[at].node.name!r}; the largest are "
        f"{most}; what leaves the run (fetches, new values of variables) has {leaves:,}. Raise the limit, or "
        "feed smaller batches"
    )
