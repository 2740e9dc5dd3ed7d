"""Adam with its slots shared by the ranks, beside Adam with all of them."""

import numpy as np

import dynamic
import static
from shared import nn, ops, optim, ranks
from tests.ranks.launched import say

comm = ranks.world(check=True)
me, n = comm.rank, comm.size
x = np.random.default_rng(me).standard_normal((6, 16)).astype("float32")
y = np.arange(6) % 4


def made(shared, engine_steps=0):
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 37), nn.Tanh(), nn.Linear(37, 4))
    parallel = nn.parallel.data_parallel(model, comm)
    opt = optim.Adam(model.parameters(), lr=0.05, clip_norm=0.5)
    return model, parallel, optim.Sharded(opt, comm) if shared else opt


def steps(model, parallel, opt, count):
    for _ in range(count):
        loss = ops.cross_entropy(parallel(dynamic.tensor(x)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()


def in_graph(model, parallel, opt, count):
    with static.Graph().as_default(), static.Session(optimize="exact") as session:
        a, b = static.placeholder("float32", (None, 16)), static.placeholder("int64", (None,))
        train = opt.minimize(ops.cross_entropy(parallel(a), b))
        session.run(static.global_variables_initializer())
        for _ in range(count):
            session.run(train, {a: x, b: y})
        session.store(model, opt)


def bits(model):
    return [p.numpy().tobytes() for p in model.parameters()]


def slots(opt):
    return sum(s.data.nbytes for p in opt.parameters for s in opt.slots(p).values() if s.data.ndim)


plain, cut, graph = made(False), made(True), made(True)
steps(*plain, 6)
steps(*cut, 6)
in_graph(*graph, 6)
say(me, same=bits(plain[0]) == bits(cut[0]), graph=bits(plain[0]) == bits(graph[0]))
say(me, memory=slots(cut[2]) / slots(plain[2]))
whole = cut[2].gathered()
left, right = plain[2].state_dict(), whole.state_dict()
say(me, gathered=list(left) == list(right) and all(np.array_equal(left[k], right[k]) for k in left))
steps(*plain, 2)
steps(cut[0], cut[1], optim.Sharded(whole, comm), 2)
say(me, again=bits(plain[0]) == bits(cut[0]))
