"""Which elementwise steps are to be one kernel: for `fuse`.

In one walk in program order. A step joins the groups whose values it is given, if they have its
shape and are still open: a group is closed once a step outside of it has used what it gives. So no
path leaves a group and comes back, and the group can stand in the place of its last step. What a
group is asked each time is kept up to date, so that a step costs the same however large it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from shared.dims import same_shape, same_size
from shared.kernels.fused import MOST_ARRAYS, MOST_LEVELS, levels
from shared.op import TABLE
from shared.slices import Slices
from static.compile.block import Block, Step, Value
from static.compile.passes.forms import Form, form_of

LONGEST = 64
"""Steps in a group at most, so that compiling stays linear in the size of the graph."""

Axes = tuple[bool, ...]


class FusionGroup:
    """Steps that shall be one.

    shape   of what they give, and of the loop
    forms   of the steps, one for each
    reads   the values from outside, with their axes as in Input
    used    the values that it gives, of those that something else uses: by how many steps, and by
            one more if it is needed though no step uses it
    """

    def __init__(self, shape: Any) -> None:
        self.shape = shape
        self.steps: list[Step] = []
        self.forms: list[Form] = []
        self.reads: dict[Value, Axes] = {}
        self.used: dict[Value, int] = {}
        self.open = True

    def take(self, other: FusionGroup) -> None:
        """Become both; no step of either uses what the other gives."""
        self.steps += other.steps
        self.forms += other.forms
        self.reads.update(other.reads)
        self.used.update(other.used)
        other.steps = []

    def outputs(self) -> list[Value]:
        """The values that something else uses, in order."""
        return [step.outputs[0] for step in self.steps if step.outputs[0] in self.used]


class Uses:
    """Who uses what, in a block."""

    def __init__(self, block: Block) -> None:
        self.users, self.makers = block.users(), block.makers()
        self.elsewhere = {*block.leaving(), *(value for value, _ in block.sizes.values())}

    def count(self, value: Value) -> int:
        """By how many steps a value is used, and one more if it is needed elsewhere."""
        return len(self.users.get(value, ())) + (value in self.elsewhere)

    def cuts(self, group: FusionGroup) -> dict[Value, tuple[Value, int, int]]:
        """Of what a group reads, the values that are equal parts of another along its last axis: of
        which, the number of the part, and of how many."""
        found = {}
        for v in group.reads:
            maker = self.makers.get(v)
            if maker is None or maker.op is not TABLE["split"] or not same_shape(v.shape, group.shape):
                continue
            sizes, axis = maker.settings["sizes"], maker.settings["axis"]
            if axis == len(group.shape) - 1 and all(same_size(size, sizes[0]) for size in sizes):
                found[v] = maker.inputs[0], maker.outputs.index(v), len(sizes)
        return found

    def joined(self, group: FusionGroup, values: list[Value]) -> list[Step]:
        """The steps that put some of these values of a group side by side along the last axis, and are
        all that uses them outside of it."""
        inside, found = set(group.steps), dict[Step, None]()
        for step in (user for v in values for user in self.users.get(v, ())):
            parts = step.inputs
            if step.op is not TABLE["concatenate"] or step.settings["axis"] != len(group.shape) - 1:
                continue
            if len(set(parts)) == len(parts) and all(
                v in values and same_shape(v.shape, group.shape) and v not in self.elsewhere
                and [user for user in self.users[v] if user not in inside] == [step]
                for v in parts
            ):
                found[step] = None
        return list(found)


def grouped(
    block: Block, uses: Uses, form_of: Callable[[Step], Form | None] = form_of
) -> Slices[list[FusionGroup]]:
    """All groups of the steps that have a form; one that finds no other is one by itself."""
    group_of: dict[Value, FusionGroup] = {}
    found: list[FusionGroup] = []
    for step in block.steps:
        yield
        values = dict.fromkeys(step.values())
        around = dict.fromkeys([group_of[v] for v in values if v in group_of])
        form = form_of(step)
        if form is None:
            for group in around:
                group.open = False
            continue
        y = step.outputs[0]
        joining: list[FusionGroup] = []
        for group in around:
            fits = group.open and same_shape(group.shape, y.shape)
            if fits and _may_join([*joining, group], step, values, uses):
                joining.append(group)
            else:
                group.open = False
        if joining:
            home, *others = joining
            for group in others:
                home.take(group)
        else:
            home, others = FusionGroup(y.shape), []
            found.append(home)
        _add(home, step, form, values, uses)
        for group in others:
            group_of.update(dict.fromkeys(group.used, home))
        group_of[y] = home
    return [group for group in found if group.steps]


def _may_join(groups: list[FusionGroup], step: Step, values: dict[Value, None], uses: Uses) -> bool:
    """Whether the step and these groups make a kernel that is worth having."""
    if sum([len(group.steps) for group in groups]) >= LONGEST:
        return False
    shape = step.outputs[0].shape
    if len(groups) == 1:
        reads, used = groups[0].reads, groups[0].used
    else:
        reads = {v: axes for group in groups for v, axes in group.reads.items()}
        used = {v: count for group in groups for v, count in group.used.items()}
    new = [v for v in values if v not in used and v not in reads]
    written = len(used) - sum([used.get(v) == 1 for v in values]) + (uses.count(step.outputs[0]) > 0)
    if len(reads) + len(new) + written > MOST_ARRAYS:
        return False
    if len(shape) <= MOST_LEVELS:
        return True
    kinds = frozenset([*reads.values(), *[axes_of(v.shape, shape) for v in new]])
    return _depth(len(shape), kinds) <= MOST_LEVELS


def _add(home: FusionGroup, step: Step, form: Form, values: dict[Value, None], uses: Uses) -> None:
    """One more step, which joins the group."""
    home.steps.append(step)
    home.forms.append(form)
    used, y = home.used, step.outputs[0]
    for v in values:
        left = used.get(v)
        if left is None:
            if v not in home.reads:
                home.reads[v] = axes_of(v.shape, home.shape)
        elif left == 1:
            del used[v]
        else:
            used[v] = left - 1
    if count := uses.count(y):
        used[y] = count


@cache
def _depth(rank: int, kinds: frozenset[Axes]) -> int:
    """How many loops inputs with such axes take."""
    return len(levels(rank, list(kinds)))


def axes_of(own: Any, shape: Any) -> Axes:
    """Which axes of a value go along with the loop. An axis that is 1 for all does as its
    neighbour does, so that one loop can run over both."""
    if same_shape(own, shape):
        return (True,) * len(shape)
    before = len(shape) - len(own)
    follows: list[bool] = []
    for axis, size in enumerate(own):
        if not same_size(shape[before + axis], 1):
            follows.append(same_size(size, shape[before + axis]))
        elif follows or before:
            follows.append(follows[-1] if follows else False)
        else:
            follows.append(all(map(same_size, own[1:2], shape[1:2])))
    return tuple(follows)
