"""A day's worth of steps: whether memory stays as it is.

    python -m tests.reliability.steps 1000000

Trains a small network for so many steps on each engine, and looks at the memory that the process holds (RSS)
each twentieth of the way. After the first twentieth it may grow by a megabyte. Prints what it saw, and exits
with 1 if it grew by more, or if the losses of the two engines differ.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import dynamic
import static
from shared import nn, ops, optim

ALLOWED = 2**20
LOOKS = 20
STATM = Path("/proc/self/statm")

DATA = np.random.RandomState(0)
XS = DATA.randn(64, 8, 4).astype("float32")
YS = DATA.randn(64, 8, 1).astype("float32")


def resident() -> int:
    """Bytes of this process's memory that are in use."""
    return int(STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGESIZE")


def made() -> tuple[nn.Module, optim.Optimizer]:
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Dropout(0.1), nn.Linear(16, 1))
    return model, optim.Adam(model.parameters(), lr=1e-4)


def on_dynamic() -> Callable[[int], float]:
    model, opt = made()

    def step(number: int) -> float:
        x, y = dynamic.tensor(XS[number % 64]), dynamic.tensor(YS[number % 64])
        loss = ops.mean(ops.square(model(x) - y))
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss.item()

    return step


def on_static() -> Callable[[int], float]:
    model, opt = made()
    x, y = static.placeholder("float32", (8, 4)), static.placeholder("float32", (8, 1))
    loss = ops.mean(ops.square(model(x) - y))
    train = opt.minimize(loss)
    session = static.Session(optimize="exact")
    session.run(static.global_variables_initializer())
    return lambda number: session.run([loss, train], {x: XS[number % 64], y: YS[number % 64]})[0].item()


def main(steps: int) -> int:
    """The exit status."""
    last: dict[str, float] = {}
    grown: dict[str, int] = {}
    for engine, make in (("dynamic", on_dynamic), ("static", on_static)):
        step, seen, start = make(), [], time.perf_counter()
        for number in range(steps):
            last[engine] = step(number)
            if number % (steps // LOOKS) == steps // LOOKS - 1:
                seen.append(resident())
        grown[engine] = max(seen) - seen[0]
        print(
            f"{engine}: {steps:,} steps in {time.perf_counter() - start:.0f} s; RSS {seen[0] / 1e6:.2f} MB "
            f"after {steps // LOOKS:,}, at most {grown[engine] / 1e3:.0f} kB more later; last loss "
            f"{last[engine]:.9g}",
            flush=True,
        )
    same = last["dynamic"] == last["static"]
    print("the losses are equal" if same else "the losses differ")
    return int(not same or max(grown.values()) > ALLOWED)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
