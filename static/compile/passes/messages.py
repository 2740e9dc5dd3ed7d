"""Sums over ranks, put together in messages of a good size and begun as early as they can be.

The order in which gradients get ready is known before the first run. Sums that follow each other, such as
those of all gradients, are cut into buckets in the order in which they are ready; each is begun behind the
last step that it needs, and waited for where it is first used. All ranks have the same program, so they begin
them in the same order; if they have not, the handshake finds it out, for a message says what is in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared import ranks
from shared.op import TABLE
from shared.ranks.buckets import cut
from static.compile.block import Block, Step, Value
from static.compile.log import Log
from static.compile.steps.messages import begin, wait

SUMS = ("all_reduce", "all_reduce_weighted")


def place_messages(block: Block, log: Log) -> Block:
    """The block with sums over ranks in buckets, begun early and waited for late."""
    groups = [group for group in _groups(block) if len(group) > 1 or _early(block, group)]
    if not groups:
        return block
    place = {step: at for at, step in enumerate(block.steps)}
    made = {value: place[step] for step in block.steps for value in step.outputs}
    gone = {step for group in groups for step in group}
    ahead: dict[int, list[Step]] = {}  # what stands behind the step at a place; -1: before all
    waits: list[tuple[int, Step]] = []
    for group in groups:
        floor = _before(block, place, group[0])
        ready = [max([made.get(value, -1) for value in step.values()], default=-1) for step in group]
        order = sorted(range(len(group)), key=lambda which: (ready[which], which))
        buckets = cut([group[which].outputs[0] for which in order], _most(group[0]))
        for number, bucket in enumerate(buckets):
            which = tuple([order[position] for position in bucket])
            steps = [group[one] for one in which]
            floor = max([floor, *(made.get(value, -1) for step in steps for value in step.values())])
            started = _begin(steps, which, group[0])
            ahead.setdefault(floor, []).append(started)
            averages = len(group) > 1 and group[0].settings["kind"] == "mean"  # those of a training step
            done = _wait(started, steps, closes=averages and number == len(buckets) - 1)
            first = _first_use(block, place, steps)
            made.update(dict.fromkeys(done.outputs, first))
            waits.append((first, done))
            _tell(log, block, steps, floor, first, place[group[0]])
    return block.with_steps(_put(block.steps, gone, ahead, waits))


def _groups(block: Block) -> list[list[Step]]:
    """Sums that follow each other, of one kind and weight and of known sizes, none of which is used before
    the last of them stands."""
    found: list[list[Step]] = [[]]
    made: set[Value] = set()
    for step in block.steps:
        group = found[-1]
        used = any([value in made for value in step.values()])
        if not _is_sum(step):
            if group and (used or not step.op.pure):  # past another effect nothing moves
                found.append([])
                made = set()
        elif group and (used or _kind(group[-1]) != _kind(step)):
            found.append([step])
            made = {*step.outputs}
        else:
            group.append(step)
            made.update(step.outputs)
    return [group for group in found if group]


def _is_sum(step: Step) -> bool:
    return (
        step.op.name in SUMS and step.op is TABLE.get(step.op.name)
        and all(isinstance(size, int) for size in step.outputs[0].sizes)
    )  # fmt: skip


def _kind(step: Step) -> tuple[object, ...]:
    return step.op, step.settings["comm"], step.settings["kind"], step.inputs[1:]


def _most(step: Step) -> int:
    """The bytes that go in one message, as the communicator has it where this process has one."""
    comm = ranks.known(step.settings["comm"])
    return ranks.Communicator.bucket_bytes if comm is None else comm.bucket_bytes


def _early(block: Block, group: Sequence[Step]) -> bool:
    """Whether there is anything to do between the start of a sum and its first use."""
    at = block.steps.index(group[0])
    behind = block.steps[at + 1 : at + 2]
    return bool(behind) and not any([value in group[0].outputs for value in behind[0].values()])


def _before(block: Block, place: dict[Step, int], step: Step) -> int:
    """The place of the last effect before a step: nothing is begun ahead of it."""
    earlier = [at for other, at in place.items() if not other.op.pure and at < place[step]]
    return max(earlier, default=-1)


def _begin(steps: Sequence[Step], which: tuple[int, ...], first: Step) -> Step:
    settings = {
        "comm": first.settings["comm"], "kind": first.settings["kind"], "weighted": len(first.inputs) > 1,
        "which": which, "at": first.settings["at"],
    }  # fmt: skip
    inputs = [step.inputs[0] for step in steps] + list(first.inputs[1:])
    nodes = (first.node, *(node for step in steps for node in step.nodes))  # in the place of the first
    return Step(begin, inputs, settings, [Value(begin.infer(), begin.name)], nodes)


def _wait(started: Step, steps: Sequence[Step], closes: bool) -> Step:
    outputs = [step.outputs[0] for step in steps]
    settings = {"specs": tuple(value.spec for value in outputs), "closes": closes}
    return Step(wait, started.outputs, settings, outputs, started.nodes)


def _first_use(block: Block, place: dict[Step, int], steps: Sequence[Step]) -> int:
    """The place of the first step that uses one of these sums; the end, if none does."""
    made = {step.outputs[0] for step in steps}
    for at in range(place[steps[0]], len(block.steps)):
        step = block.steps[at]
        if any([value in made for value in step.values()]):
            return at
    return len(block.steps)


def _put(
    steps: Sequence[Step], gone: set[Step], ahead: dict[int, list[Step]], waits: list[tuple[int, Step]]
) -> list[Step]:  # fmt: skip
    before: dict[int, list[Step]] = {}
    for at, step in waits:
        before.setdefault(at, []).append(step)
    found = [*ahead.get(-1, ())]
    for at, step in enumerate(steps):
        found += before.get(at, ())
        if step not in gone:
            found.append(step)
        found += ahead.get(at, ())
    return found + before.get(len(steps), [])


def _tell(log: Log, block: Block, steps: Sequence[Step], start: int, first: int, last: int) -> None:
    size = sum(int(v.dtype.itemsize) * _elements(v) for v in (step.outputs[0] for step in steps))
    behind = "first of all" if start < 0 else f"behind {block.steps[start].op.name} {start + 1}"
    many = f"{len(steps)} sums" if len(steps) > 1 else "a sum"
    log.note(
        f"{many} over ranks in a message of {size:,} bytes, begun {behind} of {len(block.steps)}",
        f"all that it needs is there, {max(last - start - 1, 0)} steps before it stood; it is waited for "
        f"where it is first used, at step {first + 1}",
        steps[0].node.line,
    )  # fmt: skip


def _elements(value: Value) -> int:
    count = 1
    for size in value.sizes:
        count *= int(size)
    return count
