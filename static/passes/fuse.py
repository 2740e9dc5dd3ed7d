"""Fusion: elementwise steps that stand together become one kernel, which visits each element once.

In one walk in program order. A step joins the groups whose values it is given, if they have its
shape and are still open: a group is closed once a step outside of it has used what it gives. So no
path leaves a group and comes back, and the group can stand in the place of its last step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim
from shared.kernels import machine
from shared.kernels.fused import MOST_ARRAYS, MOST_LEVELS, Element, Input, Recipe, levels
from shared.kernels.scalars import BOOL, LLVM_TYPES, Code, Unfit, literal, written
from shared.op import exact, settings_key
from static.block import Block, Step, Value
from static.fused import FusedOp, Member

if TYPE_CHECKING:
    from static.passes import Log

LONGEST = 64
"""Steps in a group at most, so that compiling stays linear in the size of the graph."""

ALONE = (
    "bce_with_logits", "clip", "elu", "gate", "huber", "leaky_relu", "log_sigmoid", "rsqrt", "sigmoid",
    "silu", "softplus", "where",
)  # fmt: skip
"""Ops that are worth a kernel of their own: NumPy makes several passes for them. Everything else
is fused from two steps on, at any size: a kernel's call costs less than one ufunc's."""


class _Group:
    """Steps that shall be one.

    shape  of what they give, and of the loop
    reads  the values from outside, with their axes as in Input
    """

    def __init__(self, shape: Any) -> None:
        self.shape = shape
        self.steps: list[Step] = []
        self.reads: dict[Value, tuple[bool, ...]] = {}
        self.open = True

    def take(self, other: _Group) -> None:
        """Become both; no step of either uses what the other gives."""
        self.steps.extend(other.steps)
        self.reads.update(other.reads)
        other.steps = []

    def add(self, step: Step) -> None:
        self.reads = _reads(self, step)
        self.steps.append(step)


def _reads(group: _Group, step: Step) -> dict[Value, tuple[bool, ...]]:
    """What a group reads from outside with one more step."""
    made = {s.outputs[0] for s in group.steps}
    return group.reads | {v: _axes(v, group.shape) for v in step.values() if v not in made}


class _Uses:
    """Who uses what, in a block."""

    def __init__(self, block: Block) -> None:
        self.users = block.users()
        self.elsewhere = {*block.leaving(), *(value for value, _ in block.sizes.values())}

    def outside(self, steps: list[Step]) -> list[Value]:
        """The values of these steps that something else uses."""
        inside = set(steps)
        values = [value for step in steps for value in step.outputs]
        return [
            v for v in values if v in self.elsewhere or any(u not in inside for u in self.users.get(v, ()))
        ]


def fuse_elementwise(block: Block, log: Log) -> Block:
    """The block with its groups of elementwise steps as fused steps."""
    uses = _Uses(block)
    chosen = [
        g for g in _grouped(block, uses) if len(g.steps) > 1 or (g.shape and g.steps[0].op.name in ALONE)
    ]
    if not chosen:
        return block
    if why := machine.available():
        log.note("nothing is fused", why)
        return block
    costs = replace(machine.COSTS)
    ops: dict[Any, FusedOp] = {}
    instead = {g.steps[-1]: _fused(g, uses, ops, log) for g in chosen}
    gone = {step for g in chosen for step in g.steps}
    log.note(f"{len(ops)} kernels for {len(chosen)} groups", f"{machine.COSTS.since(costs)}")
    return block.with_steps(
        instead.get(step, step) for step in block.steps if step in instead or step not in gone
    )


def _grouped(block: Block, uses: _Uses) -> list[_Group]:
    """All groups; a step that can be fused and finds no other is one by itself."""
    group_of: dict[Value, _Group] = {}
    found: list[_Group] = []
    for step in block.steps:
        home = None if form_of(step) is None else _Group(step.outputs[0].shape)
        for group in dict.fromkeys(group_of[v] for v in step.values() if v in group_of):
            if home is not None and group.open and _may_join(home, group, step, uses):
                home.take(group)
            else:
                group.open = False
        if home is not None:
            home.add(step)
            group_of.update((s.outputs[0], home) for s in home.steps)
            found.append(home)
    return [group for group in found if group.steps]


def _may_join(home: _Group, group: _Group, step: Step, uses: _Uses) -> bool:
    """Whether the step and both groups make a kernel that is worth having."""
    if home.shape != group.shape or len(home.steps) + len(group.steps) >= LONGEST:
        return False
    both = _Group(home.shape)
    both.steps, both.reads = [*home.steps, *group.steps], home.reads | group.reads
    both.add(step)
    written = uses.outside(both.steps)
    return len(both.reads) + len(written) <= MOST_ARRAYS and (
        len(levels(len(both.shape), list(both.reads.values()))) <= MOST_LEVELS
    )


# --- steps as elements ---------------------------------------------------------------------

_forms: dict[Any, str | None] = {}


def form_of(step: Step) -> str | None:
    """The step's scalar form with its settings filled in; None if no kernel can compute it."""
    op, y = step.op, step.outputs[0] if step.outputs else None
    if op.scalar is None or not op.single or not op.pure or y is None:
        return None
    if y.shape is UNKNOWN_RANK or y.dtype not in LLVM_TYPES:
        return None
    kinds: list[Any] = []
    for x in step.inputs:
        if isinstance(x, Value):
            if x.shape is UNKNOWN_RANK or x.dtype not in LLVM_TYPES or not _fits(x, y.shape):
                return None
            kinds.append(x.dtype)
        elif type(x) in (bool, int, float):
            kinds.append(exact(x))
        else:
            return None  # a size that is not known yet
    key = op.name, settings_key(step.settings), tuple(kinds), y.dtype
    if key not in _forms:
        _forms[key] = _tried(step, y.dtype)
    return _forms[key]


def _tried(step: Step, dtype: np.dtype[Any]) -> str | None:
    """The form, if it can be written in terms of the step's dtypes."""
    op, code = step.op, Code()
    terms = [code.given(x.dtype, f"%x{i}") if isinstance(x, Value) else x for i, x in enumerate(step.inputs)]
    kinds = {x.dtype for x in step.values()} - {BOOL}
    promotes = len(kinds) > 1 or (dtype.kind == "f" and not kinds <= {dtype})
    if promotes and not op.ufunc and op.name != "cast":
        return None  # which parts it computes in which of the dtypes, its form does not say
    try:
        settings = {key: literal(value) for key, value in step.settings.items()}
        text = str(op.scalar).format(*(f"a{i}" for i in range(len(terms))), **settings)
        written(code, text, terms, dtype)
    except Unfit:
        return None
    return text


def _fits(x: Value, shape: Any) -> bool:
    """Whether each axis has the size of the loop's axis there, or 1."""
    own = x.shape
    return all(
        size == whole or (size == 1 and not isinstance(size, Dim))
        for size, whole in zip(own, shape[len(shape) - len(own) :], strict=True)
    )


def _axes(x: Value, shape: Any) -> tuple[bool, ...]:
    """Which of its axes go along with the loop. An axis that is 1 for all does as its neighbour
    does, so that one loop can run over both."""
    before = len(shape) - len(x.shape)
    follows: list[bool] = []
    for axis, size in enumerate(x.shape):
        if isinstance(shape[before + axis], Dim) or shape[before + axis] != 1:
            follows.append(size == shape[before + axis])
        elif follows or before:
            follows.append(follows[-1] if follows else False)
        else:
            follows.append(all(a == b for a, b in zip(x.shape[1:2], shape[1:2], strict=True)))
    return tuple(follows)


def _recipe(group: _Group, outputs: list[Value]) -> tuple[Recipe, list[Member]]:
    """What the kernel of a group is to do, given what the group reads; and the ops that it stands for."""
    place = {v: i for i, v in enumerate([*group.reads, *(step.outputs[0] for step in group.steps)])}
    elements, members = [], []
    for step in group.steps:
        parts = [place[x] if isinstance(x, Value) else exact(x) for x in step.inputs]
        elements.append(Element(str(form_of(step)), tuple(parts), step.outputs[0].dtype.name))
        given = [(True, place[x]) if isinstance(x, Value) else (False, x) for x in step.inputs]
        members.append(Member(step.op, tuple(given), step.settings))
    rank, axes = _flattened(len(group.shape), list(group.reads.values()))
    inputs = [Input(v.dtype.name, own) for v, own in zip(group.reads, axes, strict=True)]
    return Recipe(rank, tuple(inputs), tuple(elements), tuple(place[v] for v in outputs)), members


def _flattened(rank: int, axes: list[tuple[bool, ...]]) -> tuple[int | None, list[tuple[bool, ...]]]:
    """Rank and axes as a Recipe has them: one loop over whole arrays does for any rank."""
    flat = [(len(own) == rank and all(own)) or not any(own) for own in axes]
    if not all(flat):
        return rank, axes
    return None, [(True,) if (rank and any(own)) or not rank else () for own in axes]


def _fused(group: _Group, uses: _Uses, ops: dict[Any, FusedOp], log: Log) -> Step:
    """The step that stands for a group."""
    steps, outputs = group.steps, uses.outside(group.steps)
    recipe, members = _recipe(group, outputs)
    key = recipe, tuple(member.key() for member in members)
    if key not in ops:
        ops[key] = FusedOp(recipe, members)
    before = sum(len(list(step.values())) for step in steps), len(steps)
    log.note(
        f"{', '.join(step.op.name for step in steps)} of {steps[-1].node.name!r} become one kernel",
        f"it reads {len(group.reads)} and writes {len(outputs)} arrays, not {before[0]} and {before[1]}",
        steps[-1].node.line,
    )
    first = [step.node for step in steps]  # a member's node has the member's place: errors need it
    rest = [node for step in steps for node in step.nodes[1:]]
    return Step(ops[key], list(group.reads), {}, outputs, (*first, *rest))
