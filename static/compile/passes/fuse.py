"""Fusion: elementwise steps that stand together become one kernel, which visits each element once.

Which ones stand together, `groups` says, and what each of them is to one element, `forms`. At `exact` these
are steps of plain arithmetic alone, of which a kernel gives NumPy's bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.kernels import machine
from shared.kernels.expressions import is_plain
from shared.kernels.fused import FLOAT, Element, Input, Recipe
from shared.op import exact, settings_key
from shared.slices import Slices
from static.compile.block import Block, Step, Value
from static.compile.c_order import values_in_c_order
from static.compile.log import Log
from static.compile.passes.cells import open_cells
from static.compile.passes.forms import Form, form_of
from static.compile.passes.groups import Axes, FusionGroup, Uses, grouped
from static.compile.passes.prune import without_unused
from static.compile.steps.fused import FusedOp, Member
from static.compile.steps.fused_on_gpu import GpuFusedOp

ALONE = (
    "bce_with_logits", "clip", "elu", "gate", "huber", "leaky_relu", "log_sigmoid", "rsqrt", "sigmoid",
    "silu", "softplus", "where",
)  # fmt: skip
"""Ops that are worth a kernel of their own: NumPy makes several passes for them. Everything else
is fused from two steps on, at any size: a kernel's call costs less than one ufunc's."""


_Loops = tuple[int | None, tuple[Input, ...]]
"""The rank and the inputs of a Recipe."""
_Written = tuple[tuple[int, ...], ...]
"""The outputs of a Recipe."""


@dataclass(frozen=True)
class Maker:
    """What makes kernels.

    op       the kind of op that a group becomes
    missing  why there can be no kernels; "" if there can
    told     what making some has cost, given what it had cost before
    """

    op: type[FusedOp]
    missing: Callable[[], str]
    told: Callable[[machine.Costs], str]


ON_CPU = Maker(FusedOp, lambda: machine.available(), lambda before: f"{machine.COSTS.since(before)}")
ON_GPU = Maker(GpuFusedOp, lambda: "", lambda before: "CUDA compiles them when they first run")


def fuse_elementwise(block: Block, log: Log, maker: Maker = ON_CPU) -> Slices[Block]:
    """The block with its groups of elementwise steps as fused steps."""
    opened = yield from open_cells(block)
    fused = yield from _with_kernels(opened, log, maker, form_of)
    return block if fused is opened else fused


def fuse_plain(block: Block, log: Log, orderly: bool) -> Slices[Block]:
    """The block with its groups of plain arithmetic as fused steps. orderly: whether what is fed is in C
    order. Of what may be in another one a ufunc's result is too, and a kernel's is not."""
    ordered = values_in_c_order(block, orderly)

    def plain_form_of(step: Step) -> Form | None:
        form = form_of(step)
        if form is None or not is_plain(form.text):
            return None
        return form if step.outputs[0] in ordered else None

    return _with_kernels(block, log, ON_CPU, plain_form_of)


def _with_kernels(
    block: Block, log: Log, maker: Maker, form: Callable[[Step], Form | None]
) -> Slices[Block]:
    """The block with kernels for the steps that have a form."""
    uses = Uses(block)
    groups = yield from grouped(block, uses, form)
    chosen = [g for g in groups if len(g.steps) > 1 or (g.shape and g.steps[0].op.name in ALONE)]
    if not chosen:
        return block
    if why := maker.missing():
        log.note("nothing is fused", why)
        return block
    costs = replace(machine.COSTS)
    ops: dict[Any, FusedOp] = {}
    made: dict[Step, tuple[Step, list[Step]]] = {}
    for group in chosen:
        made[group.steps[-1]] = _fused(group, uses, ops, log, maker)
        yield
    instead = {last: step for last, (step, _) in made.items()}
    gone = {step for g in chosen for step in g.steps}.union(*(joins for _, joins in made.values()))
    kernels = len({op.recipe for op in ops.values()})
    log.note(f"{kernels} kernels for {len(chosen)} groups", maker.told(costs))
    steps = [instead.get(step, step) for step in block.steps if step in instead or step not in gone]
    return without_unused(block.with_steps(steps))


def fuse_on_gpu(block: Block, log: Log) -> Slices[Block]:
    """The same with kernels for a GPU."""
    return fuse_elementwise(block, log, ON_GPU)


def _fused(
    group: FusionGroup, uses: Uses, ops: dict[Any, FusedOp], log: Log, maker: Maker
) -> tuple[Step, list[Step]]:
    """The step that stands for a group, and what more of the program it does: joins of its values."""
    steps, single = group.steps, group.outputs()
    joins = uses.joined(group, single)
    inside = {v for step in joins for v in step.values()}
    outputs = [[v] for v in single if v not in inside] + [list(step.values()) for step in joins]
    given = [*(v for v in single if v not in inside), *(step.outputs[0] for step in joins)]
    reads, loops, place = _arrays(group, outputs, uses.cuts(group))
    written = tuple([tuple([place[v] for v in values]) for values in outputs])
    key = _key(group, loops, place, written)
    op = ops.get(key)
    if op is None:
        op = ops[key] = maker.op(_recipe(group, loops, place, written), *_members(group, place))
    before = sum([len(list(step.values())) for step in steps]), len(steps)
    log.note(
        f"{', '.join([step.op.name for step in steps])} of {steps[-1].node.name!r} become one kernel",
        f"it reads {len(reads)} and writes {len(outputs)} arrays, not {before[0]} and {before[1]}",
        steps[-1].node.line,
    )
    first = [step.node for step in steps]  # a member's node has the member's place: errors need it
    rest = [node for step in steps for node in step.nodes[1:]]
    return Step(op, reads, {}, given, (*first, *rest)), joins


def _arrays(
    group: FusionGroup, outputs: Sequence[Sequence[Value]], cuts: dict[Value, tuple[Value, int, int]]
) -> tuple[list[Value], _Loops, dict[Value, int]]:
    """The arrays that the kernel of a group reads; its rank and inputs, as in a Recipe; and the
    numbers of all values.

    outputs  the values that it writes, those of each array side by side
    cuts     of values that stand side by side in another: that one, which of them, of how many
    """
    whole = (True,) * len(group.shape)
    arrays: dict[Value, tuple[int, Axes]] = {}
    for v, own in group.reads.items():
        base, _, blocks = cuts.get(v, (v, 0, 1))
        arrays[base] = blocks, own if blocks == 1 else whole
    first: dict[Value, int] = {}
    count = 0
    for base, (blocks, _) in arrays.items():
        first[base], count = count, count + blocks
    place = {v: first[cuts[v][0]] + cuts[v][1] if v in cuts else first[v] for v in group.reads}
    for i, step in enumerate(group.steps):
        place[step.outputs[0]] = count + i
    axes = [own for _, own in arrays.values()]
    rank: int | None = len(group.shape)
    if all([blocks == 1 for blocks, _ in arrays.values()]) and all([len(values) == 1 for values in outputs]):
        rank, axes = _flattened(len(group.shape), axes)
    inputs = [
        Input(v.dtype.name, own, blocks)
        for (v, (blocks, _)), own in zip(arrays.items(), axes, strict=True)
    ]
    return list(arrays), (rank, tuple(inputs)), place


def _flattened(rank: int, axes: list[Axes]) -> tuple[int | None, list[Axes]]:
    """Rank and axes as a Recipe has them: one loop over whole arrays does for any rank."""
    flat = [(len(own) == rank and all(own)) or not any(own) for own in axes]
    if not all(flat):
        return rank, axes
    return None, [(True,) if (rank and any(own)) or not rank else () for own in axes]


def _key(group: FusionGroup, loops: _Loops, place: dict[Value, int], written: _Written) -> Any:
    """What tells the op of a group from others: whatever its kernel or a member depends on."""
    told: list[Any] = [loops, written]
    for step, form in zip(group.steps, group.forms, strict=True):
        told += step.op, form, step.outputs[0].dtype
        told += [place[x] if isinstance(x, Value) else exact(x) for x in step.inputs]
        if step.settings:
            told.append(settings_key(step.settings))
    return tuple(told)


def _recipe(group: FusionGroup, loops: _Loops, place: dict[Value, int], written: _Written) -> Recipe:
    """What the kernel of a group is to do."""
    rank, inputs = loops
    elements = []
    for step, form in zip(group.steps, group.forms, strict=True):
        parts = [
            place[x] if isinstance(x, Value) else weak for x, weak in zip(step.inputs, form.weak, strict=True)
        ]
        parts += [FLOAT] * len(form.settings)
        elements.append(Element(form.text, tuple(parts), step.outputs[0].dtype.name))
    return Recipe(rank, inputs, tuple(elements), written)


def _members(group: FusionGroup, place: dict[Value, int]) -> tuple[list[Member], list[float]]:
    """The ops that a kernel stands for, and the numbers that it is handed."""
    members, numbers = [], []
    for step, form in zip(group.steps, group.forms, strict=True):
        given = [(True, place[x]) if isinstance(x, Value) else (False, x) for x in step.inputs]
        members.append(Member(step.op, tuple(given), step.settings))
        numbers += form.handed(step)
    return members, numbers
