"""A training of which one rank is killed at some moment: engine, victim, and the moment, as a step and a part
of the time that a step takes. Each rank that is left says how its losses and its steps came out."""

import os
import sys
import time

import numpy as np

import dynamic
import static
from shared import nn, ops, optim, ranks
from shared.data import DataLoader, TensorDataset
from tests.ranks.launched import say
from tests.ranks.scripts.killer import Killer

engine, victim, fatal, part = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
epochs, folder = int(sys.argv[5]), sys.argv[6] if len(sys.argv) > 6 else None
random = np.random.default_rng(0)
x_all, y_all = random.standard_normal((48, 10)), random.integers(0, 4, 48)
loader = DataLoader(TensorDataset(x_all, y_all), 12, shuffle=True)


def made(comm, shared):
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 24), nn.Tanh(), nn.Dropout(0.2), nn.Linear(24, 4)).double()
    parallel = nn.parallel.data_parallel(model, comm)
    opt = optim.Adam(model.parameters(), lr=0.02)
    return model, parallel, optim.Sharded(opt, comm) if shared else opt


def train(comm, shared, killer=None):
    losses, lasted = {}, 0.02
    model, parallel, opt = made(comm, shared)
    if engine == "dynamic":
        keeper = nn.parallel.Keeper(comm, model, opt)
    else:
        graph = static.Graph()
        with graph.as_default():
            x, y = static.placeholder("float64", (None, 10)), static.placeholder("int64", (None,))
            loss = ops.cross_entropy(parallel(x), y)
            update = opt.minimize(loss)
            mean = ops.all_reduce(loss, y.shape[0], op="mean", comm=comm)
        session = static.Session(graph=graph, optimize="exact")
        with graph.as_default():
            session.run(static.global_variables_initializer())
        keeper = nn.parallel.Keeper(comm, model, opt, session=session)
    for a, b in keeper.batches(loader, epochs):
        with keeper:
            began = time.monotonic()
            if killer and keeper.step == fatal:
                killer.within(part * lasted)
            if engine == "dynamic":
                found = ops.cross_entropy(parallel(dynamic.tensor(a)), b)
                opt.zero_grad()
                found.backward()
                opt.step()
                value = ops.all_reduce(found.detach(), len(b), op="mean", comm=comm).item()
            else:
                value = session.run([mean, update], {x: a, y: b})[0].item()
            losses[keeper.step] = value
        if folder and comm.rank == 0 and engine == "dynamic" and not shared:
            nn.save_checkpoint(os.path.join(folder, "run.ckpt"), model, opt, step=keeper.step)
        lasted = time.monotonic() - began
    return losses, keeper


killer = Killer()  # before MPI is loaded, which is not to be forked
comm = ranks.world(limit=20)
me = comm.rank
alone = train(ranks.alone(), False)[0]
began = time.monotonic()
shared = engine == "dynamic" and bool(int(os.environ.get("SHARED", "0")))
losses, keeper = train(comm, shared, killer if me == victim else None)
furthest = max(abs(losses[k] - alone[k]) / abs(alone[k]) for k in alone)
spent = time.monotonic() - began
say(me, steps=[len(losses), len(alone)], furthest=furthest, lost=keeper.lost, left=comm.size, seconds=spent)
