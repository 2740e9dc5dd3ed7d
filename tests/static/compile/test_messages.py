"""Where sums over ranks are begun and waited for, and which go together: by a rank alone, whose programs are
those of many."""

from __future__ import annotations

import numpy as np
import pytest

import static
from shared import ops, ranks
from shared.ranks.buckets import LEAST

WHOLE = LEAST // 8
"""Of float64, so many fill a message."""


@pytest.fixture
def comm():
    found = ranks.alone()
    before = found.steps, found.bucket_bytes
    yield found
    found.steps, found.bucket_bytes = before


def summed(x, comm, weight=None, op="sum"):
    return ops.all_reduce(x, weight, op=op, comm=comm)


def ran(make, size=WHOLE):
    """The steps of a program, by the names of their ops, each message as begin:WHICH and wait:WHICH, counted
    by their beginnings; and its values, which without the pass are the same."""
    with static.Graph().as_default():
        x = static.placeholder("float64", (size,))
        fetches = make(x)
        fed = {x: np.linspace(-1, 1, WHOLE)}
        with static.Session(optimize="exact") as session, static.Session(without=("messages",)) as plain:
            steps = session.block(fetches).steps
            values, wanted = session.run(fetches, fed), plain.run(fetches, fed)
    for value, other in zip(values, wanted, strict=True):
        np.testing.assert_allclose(value, other, 1e-12)
    names, begun = [], {}
    for step in steps:
        name = step.op.name
        if name == "begin_sum":
            begun[step.outputs[0]] = len(begun)
            name = f"begin:{begun[step.outputs[0]]}"
        elif name == "wait_for":
            name = f"wait:{begun[step.inputs[0]]}"
        names.append(name)
    return names, steps


def begun(steps):
    return [step for step in steps if step.op.name == "begin_sum"]


def test_each_is_begun_behind_what_it_needs_and_waited_for_where_it_is_used(comm):
    def make(x):
        a = ops.tanh(x)
        b = ops.exp(a)
        c = ops.sin(b)
        last, first, middle = [summed(value, comm) for value in (c, a, b)]
        return [ops.cos(first), ops.cos(middle), ops.cos(last)]

    names, _ = ran(make)
    assert names == [
        "tanh", "begin:0", "exp", "begin:1", "sin", "begin:2",
        "wait:0", "cos", "wait:1", "cos", "wait:2", "cos",
    ]  # fmt: skip


def test_one_alone_is_begun_early_where_others_compute_meanwhile(comm):
    def make(x):
        total = summed(ops.exp(x), comm)
        other = ops.tanh(ops.sin(x))
        return [ops.cos(total), other]

    names, _ = ran(make)
    assert names.index("begin:0") == names.index("exp") + 1
    assert names.index("wait:0") == names.index("cos") - 1
    assert names.index("sin") > names.index("begin:0")


def test_nothing_moves_past_another_effect(comm):
    def make(x):
        first = summed(ops.exp(x), comm), summed(ops.tanh(x), comm)
        between = ops.all_gather(x, comm=comm)
        return [*first, between, summed(ops.sin(x), comm), summed(x, comm)]

    names, _ = ran(make)
    at = names.index("all_gather")
    assert [names.index(f"begin:{which}") < at for which in range(4)] == [True, True, False, False]


def test_one_of_another_is_begun_when_that_is_there(comm):
    def make(x):
        once = summed(x, comm)
        other = ops.tanh(x)
        twice = summed(once, comm)
        return [ops.cos(other), ops.sin(x), twice]

    names, _ = ran(make)
    assert names.index("wait:0") < names.index("begin:1")
    names, _ = ran(lambda x: [summed(summed(x, comm), comm)])  # at once: never in one message
    assert names == ["all_reduce", "all_reduce"]


@pytest.mark.parametrize("other", ["kind", "weight"])
def test_only_what_is_added_up_alike_goes_together(comm, other):
    def make(x):
        small, one, two = x[:8], x[0] + 2, x[1] + 3
        if other == "kind":
            return [summed(small, comm), summed(small * 2, comm, op="mean")] * 2
        return [summed(small, comm, one, "mean"), summed(small * 2, comm, two, "mean"), ops.tanh(x)]

    _, steps = ran(make)
    sums = [step for step in steps if "all_reduce" in step.op.name or step.op.name == "begin_sum"]
    assert len(sums) == 2


@pytest.mark.parametrize(("most", "messages"), [(1 << 30, 1), (128, 4)])
def test_small_ones_go_together_as_far_as_the_communicator_lets_them(comm, most, messages):
    comm.bucket_bytes = most
    _, steps = ran(lambda x: [summed(x[16 * i : 16 * i + 16], comm) for i in range(4)])
    assert len(begun(steps)) == messages


@pytest.mark.parametrize(("op", "steps"), [("mean", 1), ("sum", 0)])
def test_means_of_one_run_are_one_step_of_training(comm, op, steps):
    before = comm.steps
    ran(lambda x: [summed(ops.exp(x), comm, op=op), summed(ops.tanh(x), comm, op=op)])
    assert comm.steps - before == steps


def test_sizes_that_are_not_known_are_left_where_they_stand(comm):
    names, _ = ran(lambda x: [summed(ops.exp(x), comm), summed(ops.tanh(x), comm)], size=None)
    assert names.count("all_reduce") == 2
