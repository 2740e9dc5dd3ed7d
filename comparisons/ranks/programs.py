"""The programs of each rank, as texts that a page shows and a rank runs."""

from __future__ import annotations

MODEL = """\
import numpy as np

from shared import nn, ops, optim, ranks


class Tower(nn.Module):
    def __init__(self):  # the head first: nobody has to define layers in the order in which they are used
        self.head = nn.Linear(WIDTH, 10)
        self.layers = nn.ModuleList([nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS)])

    def forward(self, x):
        for layer in reversed(list(self.layers)):
            x = ops.tanh(layer(x))
        return self.head(x)


comm = ranks.world()
nn.manual_seed(SEED)
model = Tower()
parallel = nn.parallel.data_parallel(model, comm)
opt = optim.SGD(model.parameters(), lr=0.1)
rows = np.random.default_rng(SEED).standard_normal((ROWS * comm.size, WIDTH)).astype("float32")
labels = np.arange(ROWS * comm.size) % 10
a, b = rows[comm.rank :: comm.size], labels[comm.rank :: comm.size]
"""

STEP = {
    "dynamic": """\
import dynamic


def step():
    loss = ops.cross_entropy(parallel(dynamic.tensor(a)), b)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()
""",
    "static": """\
import static

x, y = static.placeholder("float32", (None, WIDTH)), static.placeholder("int64", (None,))
loss = ops.cross_entropy(parallel(x), y)
train = opt.minimize(loss)
session = static.Session(optimize="exact")
session.run(static.global_variables_initializer())


def step():
    value, _ = session.run([loss, train], {x: a, y: b})
    return value.item()
""",
}
"""One step of training, which stands behind the model."""

NUMBER = """\
import numpy as np

from shared import nn, ops, optim, ranks

comm = ranks.world(check=True)
mine = np.float32(comm.rank)  # each rank has a number of its own
"""

BRANCHES = {
    "one": {
        "title": "A branch that rank 1 alone takes, with a collective in it",
        "dynamic": """\
import dynamic

x = dynamic.tensor(mine)
if x > 0.5:
    x = ops.all_reduce(x, op="max")
total = ops.all_reduce(x)
print(total.item())
""",
        "static": """\
import static

x = static.placeholder("float32", ())
if x > 0.5:
    x = ops.all_reduce(x, op="max")
total = ops.all_reduce(x)
with static.Session(optimize="exact") as session:
    print(session.run(total, {x: mine}))
""",
    },
    "cond": {
        "title": "The same, as a branch that the graph can hold",
        "dynamic": """\
import dynamic

x = dynamic.tensor(mine)
y = ops.cond(x > 0.5, lambda: ops.all_reduce(x, op="max"), lambda: x)
total = ops.all_reduce(y)
print(total.item())
""",
        "static": """\
import static

x = static.placeholder("float32", ())
y = ops.cond(x > 0.5, lambda: ops.all_reduce(x, op="max"), lambda: x)
total = ops.all_reduce(y)
with static.Session(optimize="exact") as session:
    print(session.run(total, {x: mine}))
""",
    },
    "all": {
        "title": "Decided on all ranks",
        "dynamic": """\
import dynamic

x = dynamic.tensor(mine)
largest = ops.all_reduce(x, op="max")
if largest > 0.5:  # on every rank, or on none
    x = ops.all_reduce(x)
print(x.item())
""",
        "static": """\
import static

x = static.placeholder("float32", ())
largest = ops.all_reduce(x, op="max")
y = ops.cond(largest > 0.5, lambda: ops.all_reduce(x), lambda: x)  # on every rank, or on none
with static.Session(optimize="exact") as session:
    print(session.run(y, {x: mine}).item())
""",
    },
    "layers": {
        "title": "A layer that one rank alone uses",
        "dynamic": """\
import dynamic

pair = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])
parallel = nn.parallel.data_parallel(pair, comm)
x = dynamic.tensor([[1.0]])
loss = pair[comm.rank](x).sum()  # rank 0 goes through layer 0, rank 1 through layer 1
loss.backward()
print([layer.bias.grad.item() for layer in pair])
""",
        "static": """\
import static

pair = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])
parallel = nn.parallel.data_parallel(pair, comm)
x = static.constant([[1.0]], "float32")
loss = pair[comm.rank](x).sum()  # rank 0 goes through layer 0, rank 1 through layer 1
pairs = optim.SGD([layer.bias for layer in pair], lr=1.0).compute_gradients(loss)
with static.Session(optimize="exact") as session:
    session.run(static.global_variables_initializer())
    print([g.item() for g in session.run([gradient for gradient, _ in pairs])])
""",
    },
}
"""What ranks do that do not all go one way, by name: a title, and for each engine what stands behind
`NUMBER`."""
