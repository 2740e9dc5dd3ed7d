"""Gradients averaged over ranks where something is unusual, each against the average by NumPy."""

import copy
import pickle

import numpy as np

import dynamic
import static
from shared import nn, ops, optim, ranks
from tests.ranks.launched import say

comm = ranks.world()
me, n = comm.rank, comm.size


class Branches(nn.Module):
    """Two ways to go, and one that nobody goes."""

    def __init__(self):
        self.first, self.left, self.right = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 2)
        self.never = nn.Linear(4, 2)

    def forward(self, x, left):
        y = ops.tanh(self.first(x))
        return self.left(y) if left else self.right(y)


def made():
    nn.manual_seed(7)
    return Branches().double()


def rows(rank, step=0):
    return np.random.default_rng(10 * step + rank).standard_normal((2 + rank, 3))


def own(rank, left, step=0):
    """The gradients of one rank's rows, without any other."""
    model = made()
    ops.mean(model(dynamic.tensor(rows(rank, step)), left) ** 2).backward()
    return {name: None if p.grad is None else p.grad.numpy() for name, p in model.named_parameters()}


def averaged(found):
    """Of what each rank has, by the rows that it holds; None where none has any."""
    weights = np.arange(n) + 2.0
    result = {}
    for name in found[0]:
        parts = [w * g[name] for w, g in zip(weights, found, strict=True) if g[name] is not None]
        result[name] = sum(parts) / weights.sum() if parts else None
    return result


def close(model, wanted):
    got = {name: None if p.grad is None else p.grad.numpy() for name, p in model.named_parameters()}
    return differing(got, wanted)


def differing(got, wanted):
    return [
        name for name in wanted
        if (got[name] is None) != (wanted[name] is None)
        or (wanted[name] is not None and not np.allclose(got[name], wanted[name], 1e-13, 1e-15))
    ]  # fmt: skip


def loss_of(parallel, left, step=0):
    return ops.mean(parallel(dynamic.tensor(rows(me, step)), left) ** 2)


def fresh():
    model = made()
    return model, nn.parallel.data_parallel(model, comm)


wanted = averaged([own(rank, rank == 0) for rank in range(n)])
for name, backward in {
    "other branch on each rank": lambda loss: loss.backward(),
    "with a graph of its own": lambda loss: loss.backward(create_graph=True),
}.items():
    model, parallel = fresh()
    for _ in range(2):  # in the second the order of the first is known
        model.zero_grad()
        backward(loss_of(parallel, me == 0))
    say(me, **{name: close(model, wanted)})

model, parallel = fresh()
dynamic.checkpoint(lambda x: parallel(x, me == 0) ** 2, dynamic.tensor(rows(me))).mean().backward()
say(me, checkpointed=close(model, wanted))

model, parallel = fresh()
before = comm.count
with parallel.no_sync():
    loss_of(parallel, True, 1).backward()
    loss_of(parallel, True, 2).backward()
silent = comm.count - before
loss_of(parallel, True, 3).backward()
each = [[own(rank, True, step) for step in (1, 2, 3)] for rank in range(n)]
added = [{k: None if g[0][k] is None else g[0][k] + g[1][k] + g[2][k] for k in g[0]} for g in each]
say(me, accumulated=[silent, close(model, averaged(added))])

model, parallel = fresh()
loss_of(parallel, True, 1).backward()
loss_of(parallel, True, 2).backward()
twice = [averaged([own(rank, True, step) for rank in range(n)]) for step in (1, 2)]
say(me, twice=close(model, {k: None if v is None else v + twice[1][k] for k, v in twice[0].items()}))

model, parallel = fresh()
ops.mean(parallel(dynamic.tensor(rows(me)), True) ** 2).backward(inputs=[model.left.weight])
got = [name for name, p in model.named_parameters() if p.grad is not None]
right = np.allclose(model.left.weight.grad.numpy(), averaged([own(r, True) for r in range(n)])["left.weight"])
say(me, inputs=[got, bool(right)])

model, parallel = fresh()
with static.Graph().as_default(), static.Session(optimize="exact") as session:
    x = static.placeholder("float64", (None, 3))
    pairs = optim.SGD(model.parameters(), lr=1.0).compute_gradients(ops.mean(parallel(x, me == 0) ** 2))
    session.run(static.global_variables_initializer())
    values = session.run([g for g, _ in pairs if g is not None], {x: rows(me)})
    there = iter(values)
    found = {name: None if g is None else next(there) for (g, _), name in zip(pairs, wanted, strict=True)}
    say(me, graph=differing(found, wanted))

twin = pickle.loads(pickle.dumps(model))
other = copy.deepcopy(model)
before = comm.count
for one in (twin, other):
    ops.mean(one(dynamic.tensor(rows(me)), True) ** 2).backward()
names = sorted(parallel.state_dict()) == sorted(model.state_dict())
say(me, copies=[comm.count - before, names, repr(pickle.loads(pickle.dumps(parallel)).comm)])


@dynamic.function
def step(x, left):
    loss = ops.mean(parallel(x, left) ** 2)
    loss.backward()
    return loss


model, parallel = fresh()
wrong = []
for _ in range(4):
    model.zero_grad()
    step(dynamic.tensor(rows(me)), True)
    wrong += close(model, averaged([own(rank, True) for rank in range(n)]))
say(me, decorated=wrong)
