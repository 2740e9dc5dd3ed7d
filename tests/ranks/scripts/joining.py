"""A training of which ranks are killed: by steps, or by "write", the moment in which rank 0 writes a file.
They come back, or others join. Each rank says the losses of all steps, and how many ranks made them.

    joining.py ENGINE SHARED EPOCHS FOLDER [KILL ...]

    KILL: STEP:RANK:PART (of a step, or "now"), write:EPOCH, begin:START
"""

import os
import signal
import sys
import time
from pathlib import Path

import dynamic
import static
from shared import nn, ops, optim, ranks
from shared.durable import files
from tests.ranks.launched import say
from tests.ranks.schedule import ROWS, data, made
from tests.ranks.scripts.killer import Killer

engine, shared, epochs, folder = sys.argv[1], sys.argv[2] == "sharded", int(sys.argv[3]), Path(sys.argv[4])
kills = [kill.split(":") for kill in sys.argv[5:]]


def once(name):
    """Whether this is the first time that it is asked, in all starts."""
    try:
        (folder / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


start = len(list(folder.glob("start.*.0")))
rank = int(os.environ["OMPI_COMM_WORLD_RANK"])
if ["begin", str(start)] in kills and rank == 1 and once(f"killed.begin.{start}"):
    os.kill(os.getpid(), signal.SIGKILL)
killer = Killer()  # before MPI is loaded, which is not to be forked
comm = ranks.world(limit=20)
(folder / f"start.{start}.{rank}").write_text(str(comm.size))
loader = data()
model, opt = made()
parallel = nn.parallel.data_parallel(model, comm)
opt = optim.Sharded(opt, comm) if shared else opt
session = None
if engine == "static":
    graph = static.Graph()
    with graph.as_default():
        x, y = static.placeholder("float64", (None, 10)), static.placeholder("int64", (None,))
        count = static.Variable(0.0, name="count", trainable=False)  # of the graph alone
        loss = ops.cross_entropy(parallel(x), y)
        update = [opt.minimize(loss), count.assign_add(1.0)]
        mean = ops.all_reduce(loss, y.shape[0], op="mean", comm=comm)
    session = static.Session(graph=graph, optimize="exact")
    with graph.as_default():
        session.run(static.global_variables_initializer())
keeper = nn.parallel.Keeper(comm, model, opt, session=session)


def syncing(descriptor, sync=os.fsync):
    """The file is half written, or not renamed yet."""
    epoch = keeper.step // (ROWS // 12)
    if ["write", str(epoch)] in kills and once(f"killed.write.{epoch}"):
        os.kill(os.getpid(), signal.SIGKILL)
    sync(descriptor)


files.os.fsync = syncing
lasted = 0.02
for a, b in keeper.batches(loader, epochs):
    with keeper:
        began = time.monotonic()
        for step, victim, part in (kill for kill in kills if len(kill) == 3):
            if [keeper.step, comm.rank] == [int(step), int(victim)] and once(f"killed.{step}.{victim}"):
                if part == "now":  # whatever else the machine does, it is in this step
                    os.kill(os.getpid(), signal.SIGKILL)
                killer.within(float(part) * lasted)
        if engine == "dynamic":
            found = ops.cross_entropy(parallel(dynamic.tensor(a)), b)
            opt.zero_grad()
            found.backward()
            opt.step()
            value = ops.all_reduce(found.detach(), len(b), op="mean", comm=comm).item()
        else:
            value = session.run([mean, update], {x: a, y: b})[0].item()
        keeper.extra[f"step {keeper.step}"] = [value.hex(), comm.size]
    lasted = time.monotonic() - began
counted = keeper.step if session is None else int(session.run(count))
say(comm.rank, made=keeper.extra, size=comm.size, steps=keeper.step, counted=counted)
