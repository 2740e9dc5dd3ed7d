"""The losses of a training whose steps were made by one number of ranks or another, computed by one process
without a message: the rows of each rank one after the other, and what they give added up in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops, optim
from shared.data import DataLoader, TensorDataset
from shared.ops.random import drawing_rows
from shared.state import Generator

ROWS = 48


def data() -> DataLoader:
    """What is trained on: four batches an epoch."""
    random = np.random.default_rng(0)
    x, y = random.standard_normal((ROWS, 10)), random.integers(0, 4, ROWS)
    return DataLoader(TensorDataset(x, y), 12, shuffle=True)


def made() -> tuple[nn.Module, Any]:
    """A model with a generator of its own, and an optimiser."""
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 24), nn.Tanh(), nn.Dropout(0.2), nn.Linear(24, 4)).double()
    return model, optim.Adam(model.parameters(), lr=0.02)


def losses(sizes: Sequence[int]) -> list[float]:
    """Of each step, by how many ranks made it."""
    model, opt = made()
    loader, found, left = data(), [], list(sizes)
    generators = [state for _, state in model.named_states() if isinstance(state, Generator)]
    while left:
        place = loader.state_dict()
        rounds = []
        for size in set(left):
            for rank in range(size):
                part = loader.shard(rank, size)
                part.load_state_dict(place)
                rounds.append((size, list(part)))
        for number in range(len(loader)):
            if not left:
                break
            size, total, sums = left.pop(0), 0, None
            before, row = [state.data for state in generators], 0
            for _, batches in (one for one in rounds if one[0] == size):
                x, y = batches[number]
                for state, array in zip(generators, before, strict=True):
                    state.hold(array)
                opt.zero_grad()
                with drawing_rows(np.array([row, len(y), 12]), 0):
                    loss = ops.cross_entropy(model(dynamic.tensor(x)), y)
                loss.backward()
                arrays = [loss.numpy(), *(p.grad.numpy() for p in model.parameters())]
                parts = [array * np.float64(len(y)) for array in arrays]
                sums = parts if sums is None else [a + b for a, b in zip(sums, parts, strict=True)]
                row, total = row + len(y), total + len(y)
            means = [array / np.float64(total) for array in sums or []]
            for parameter, mean in zip(model.parameters(), means[1:], strict=True):
                parameter.grad = dynamic.tensor(mean)
            opt.step()
            found.append(float(means[0]))
        loader.load_state_dict({**place, "epoch": place["epoch"] + 1})
    return found
