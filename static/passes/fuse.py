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
from shared.op import TABLE, exact, settings_key
from static.block import Block, Step, Value
from static.fused import FusedOp, Member
from static.passes.cells import open_cells
from static.passes.prune import without_unused

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
        self.users, self.makers = block.users(), block.makers()
        self.elsewhere = {*block.leaving(), *(value for value, _ in block.sizes.values())}

    def cuts(self, group: _Group) -> dict[Value, tuple[Value, int, int]]:
        """Of what a group reads, the values that are equal parts of another along its last axis: of
        which, the number of the part, and of how many."""
        found = {}
        for v in group.reads:
            maker = self.makers.get(v)
            if v.shape != group.shape or maker is None or maker.op is not TABLE["split"]:
                continue
            sizes, axis = maker.settings["sizes"], maker.settings["axis"]
            if axis == len(group.shape) - 1 and all(size == sizes[0] for size in sizes):
                found[v] = maker.inputs[0], maker.outputs.index(v), len(sizes)
        return found

    def joined(self, group: _Group, values: list[Value]) -> list[Step]:
        """The steps that put some of these values of a group side by side along the last axis, and are
        all that uses them outside of it."""
        inside, found = set(group.steps), dict[Step, None]()
        for step in (user for v in values for user in self.users.get(v, ())):
            parts = step.inputs
            if step.op is not TABLE["concatenate"] or step.settings["axis"] != len(group.shape) - 1:
                continue
            if len(set(parts)) == len(parts) and all(
                v in values and v.shape == group.shape and v not in self.elsewhere
                and [user for user in self.users[v] if user not in inside] == [step]
                for v in parts
            ):
                found[step] = None
        return list(found)

    def outside(self, steps: list[Step]) -> list[Value]:
        """The values of these steps that something else uses."""
        inside = set(steps)
        values = [value for step in steps for value in step.outputs]
        return [
            v for v in values if v in self.elsewhere or any(u not in inside for u in self.users.get(v, ()))
        ]


def fuse_elementwise(block: Block, log: Log) -> Block:
    """The block with its groups of elementwise steps as fused steps."""
    whole, block = block, open_cells(block)
    uses = _Uses(block)
    chosen = [
        g for g in _grouped(block, uses) if len(g.steps) > 1 or (g.shape and g.steps[0].op.name in ALONE)
    ]
    if not chosen:
        return whole
    if why := machine.available():
        log.note("nothing is fused", why)
        return whole
    costs = replace(machine.COSTS)
    ops: dict[Any, FusedOp] = {}
    made = {g.steps[-1]: _fused(g, uses, ops, log) for g in chosen}
    instead = {last: step for last, (step, _) in made.items()}
    gone = {step for g in chosen for step in g.steps}.union(*(joins for _, joins in made.values()))
    log.note(f"{len(ops)} kernels for {len(chosen)} groups", f"{machine.COSTS.since(costs)}")
    steps = [instead.get(step, step) for step in block.steps if step in instead or step not in gone]
    return without_unused(block.with_steps(steps))


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
    key = op.scalar, op.ufunc, settings_key(step.settings), tuple(kinds), y.dtype
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


def _recipe(
    group: _Group, outputs: list[list[Value]], cuts: dict[Value, tuple[Value, int, int]]
) -> tuple[Recipe, list[Value], list[Member]]:
    """What the kernel of a group is to do, the arrays that it reads, and the ops that it stands for.

    outputs  the values that it writes, those of each array side by side
    cuts     of values that stand side by side in another: that one, which of them, of how many
    """
    whole = (True,) * len(group.shape)
    arrays: dict[Value, tuple[int, tuple[bool, ...]]] = {}
    for v, own in group.reads.items():
        base, _, blocks = cuts.get(v, (v, 0, 1))
        arrays[base] = blocks, own if blocks == 1 else whole
    first: dict[Value, int] = {}
    count = 0
    for base, (blocks, _) in arrays.items():
        first[base], count = count, count + blocks
    place = {v: first[cuts[v][0]] + cuts[v][1] if v in cuts else first[v] for v in group.reads}
    place |= {step.outputs[0]: count + i for i, step in enumerate(group.steps)}
    elements, members = [], []
    for step in group.steps:
        parts = [place[x] if isinstance(x, Value) else exact(x) for x in step.inputs]
        elements.append(Element(str(form_of(step)), tuple(parts), step.outputs[0].dtype.name))
        given = [(True, place[x]) if isinstance(x, Value) else (False, x) for x in step.inputs]
        members.append(Member(step.op, tuple(given), step.settings))
    axes = [own for _, own in arrays.values()]
    rank: int | None = len(group.shape)
    if all(blocks == 1 for blocks, _ in arrays.values()) and all(len(values) == 1 for values in outputs):
        rank, axes = _flattened(len(group.shape), axes)
    inputs = [
        Input(v.dtype.name, own, blocks)
        for (v, (blocks, _)), own in zip(arrays.items(), axes, strict=True)
    ]
    written = tuple(tuple(place[v] for v in values) for values in outputs)
    return Recipe(rank, tuple(inputs), tuple(elements), written), list(arrays), members


def _flattened(rank: int, axes: list[tuple[bool, ...]]) -> tuple[int | None, list[tuple[bool, ...]]]:
    """Rank and axes as a Recipe has them: one loop over whole arrays does for any rank."""
    flat = [(len(own) == rank and all(own)) or not any(own) for own in axes]
    if not all(flat):
        return rank, axes
    return None, [(True,) if (rank and any(own)) or not rank else () for own in axes]


def _fused(group: _Group, uses: _Uses, ops: dict[Any, FusedOp], log: Log) -> tuple[Step, list[Step]]:
    """The step that stands for a group, and what more of the program it does: joins of its values."""
    steps, single = group.steps, uses.outside(group.steps)
    joins = uses.joined(group, single)
    inside = {v for step in joins for v in step.values()}
    outputs = [[v] for v in single if v not in inside] + [list(step.values()) for step in joins]
    given = [*(v for v in single if v not in inside), *(step.outputs[0] for step in joins)]
    recipe, reads, members = _recipe(group, outputs, uses.cuts(group))
    key = recipe, tuple(member.key() for member in members)
    if key not in ops:
        ops[key] = FusedOp(recipe, members)
    before = sum(len(list(step.values())) for step in steps), len(steps)
    log.note(
        f"{', '.join(step.op.name for step in steps)} of {steps[-1].node.name!r} become one kernel",
        f"it reads {len(reads)} and writes {len(outputs)} arrays, not {before[0]} and {before[1]}",
        steps[-1].node.line,
    )
    first = [step.node for step in steps]  # a member's node has the member's place: errors need it
    rest = [node for step in steps for node in step.nodes[1:]]
    return Step(ops[key], reads, {}, given, (*first, *rest)), joins
