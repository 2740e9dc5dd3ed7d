"""Whole trainings of three models, on both engines, by all ranks, and by rank 0 alone on all rows."""

import numpy as np

import dynamic
import static
from shared import nn, ops, optim, ranks
from shared.data import DataLoader, SequenceLoader, TensorDataset, load_digits
from tests.ranks.launched import say

STEPS = 12
digits = load_digits()
codes = np.cumsum(np.arange(13 * 5 * 40) % 3) % 12


class Text(nn.Module):
    """Characters, one after the other."""

    def __init__(self):
        self.embedding, self.lstm = nn.Embedding(12, 8), nn.LSTM(8, 10)
        self.drop, self.head = nn.Dropout(0.2), nn.Linear(10, 12)

    def forward(self, x):
        y, _ = self.lstm(self.embedding(x))
        return ops.reshape(self.head(self.drop(y)), (-1, 12))


class Attentive(nn.Module):
    """A Transformer that reads an image by rows."""

    def __init__(self):
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.inner, self.head = nn.TransformerEncoder(layer, 2), nn.Linear(64, 10)

    def forward(self, x):
        return self.head(ops.reshape(self.inner(ops.reshape(x, (-1, 8, 8))), (-1, 64)))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.3),
        nn.Linear(72, 10),
    )


def images():
    return DataLoader(TensorDataset(digits.train_x.astype("float64"), digits.train_y), 25, shuffle=True)


def windows():
    return SequenceLoader(codes[:-1], codes[1:], batch_size=13, length=5)


TASKS = {
    "cnn": (cnn, images, 0, ((None, 1, 8, 8), "float64")),
    "lstm": (Text, windows, 1, ((5, None), "int64")),
    "transformer": (Attentive, images, 0, ((None, 1, 8, 8), "float64")),
}


def ready(task, comm):
    make, loader, axis, _ = TASKS[task]
    nn.manual_seed(comm.rank)  # rank 0's values are taken over
    model = make().astype("float64")
    parallel = nn.parallel.data_parallel(model, comm, batch_axis=axis, sync_batch_norm=True)
    part = loader().shard(comm.rank, comm.size)

    def batches():
        while True:
            for x, y in part:
                yield x, y.reshape(-1)

    return model, parallel, optim.Adam(model.parameters(), lr=0.01), batches()


def on_dynamic(task, comm):
    model, parallel, opt, batches = ready(task, comm)
    losses = []
    for _ in range(STEPS):
        x, y = next(batches)
        loss = ops.cross_entropy(parallel(dynamic.tensor(x)), dynamic.tensor(y))
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(ops.all_reduce(loss.detach(), len(y), op="mean", comm=comm).item())
    return losses, held(model)


def on_static(task, comm, level="exact"):
    shape, dtype = TASKS[task][3]
    with static.Graph().as_default(), static.Session(optimize=level) as session:
        model, parallel, opt, batches = ready(task, comm)
        x, y = static.placeholder(dtype, shape), static.placeholder("int64", (None,))
        loss = ops.cross_entropy(parallel(x), y)
        train = opt.minimize(loss)
        mean = ops.all_reduce(loss, y.shape[0], op="mean", comm=comm)
        session.run(static.global_variables_initializer())
        losses = []
        for _ in range(STEPS):
            a, b = next(batches)
            losses.append(session.run([mean, train], {x: a, y: b})[0].item())
        session.store(model, opt)
        return losses, held(model), session.explain([mean, train])


def held(model):
    return [state.numpy() for _, state in model.named_states()]


def same(one, other):
    bits = [[array.tobytes() for array in arrays] for _, arrays, *_ in (one, other)]
    return one[0] == other[0] and bits[0] == bits[1]


comm = ranks.world()
for task in TASKS:
    together, there, fast = on_dynamic(task, comm), on_static(task, comm), on_static(task, comm, "fast")
    found = {"engines": same(together, there), "again": same(together, on_dynamic(task, comm))}
    alone = on_dynamic(task, ranks.alone()) if comm.rank == 0 else together
    found["alone"] = max(abs(a - b) / abs(b) for a, b in zip(together[0], alone[0], strict=True))
    found["fast"] = max(abs(a - b) / abs(b) for a, b in zip(fast[0], alone[0], strict=True))
    found["ranks"] = float(abs(ops.all_reduce(np.array(together[0]), op="max") - together[0]).max())
    found["learns"] = together[0][-1] < together[0][0]
    found["explained"] = there[2]
    say(comm.rank, **{task: found})
