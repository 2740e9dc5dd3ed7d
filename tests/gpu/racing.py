"""A training step of one workload by one peer on a GPU: seconds, launches of kernels, memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median, quantiles
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.bench import models
from comparisons.bench.workloads import WORKLOADS as ALL, Workload
from shared import optim
from shared.device import cuda

WORKLOADS = ("tiny", "mlp", "lstm", "cnn", "resnet18", "gpt", "rnn")
"""Those of the benchmark that are raced, if it has them."""
WARM = 5
Step = Callable[[], float]


def of_dynamic(workload: Workload) -> Step:
    net = models.model(workload, "layer").to("cuda")
    optimizer = optim.SGD(net.parameters(), lr=workload.rate)
    x, y = (dynamic.tensor(array, device="cuda") for array in workload.data())

    def step() -> float:
        loss = net(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def of_static(workload: Workload, capture: bool = False) -> Step:
    net = models.model(workload, "layer")
    optimizer = optim.SGD(net.parameters(), lr=workload.rate)
    x, y = workload.data()
    graph = static.Graph()
    with graph.as_default():
        x_in, y_in = (static.placeholder(array.dtype, array.shape) for array in (x, y))
        loss = net(x_in, y_in)
        train = optimizer.minimize(loss)
    session = static.Session(graph=graph, device="cuda", capture=capture)
    session.load(net, optimizer)
    call = session.make_callable([loss, train], [x_in, y_in])
    x, y = (cuda.to_device(array, "cuda") for array in (x, y))
    return lambda: float(call(x, y)[0])


def captured(workload: Workload) -> Step:
    return of_static(workload, capture=True)


def of_torch(workload: Workload, style: str = "fused", compiled: bool = False) -> Step:
    import torch

    from comparisons.bench import on_torch

    net = on_torch.model(workload, style).to("cuda")
    optimizer = torch.optim.SGD(net.parameters(), lr=workload.rate)
    x, y = (torch.from_numpy(array).to("cuda") for array in workload.data())
    forward = torch.compile(net) if compiled else net

    def step() -> float:
        loss = forward(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


PEERS: dict[str, Callable[[Workload], Step]] = {
    "dynamic": of_dynamic,
    "static": of_static,
    "static-captured": captured,
    "torch-eager": lambda workload: of_torch(workload, "eager"),
    "torch-fused": of_torch,
    "torch-compile": lambda workload: of_torch(workload, "eager", compiled=True),
}


def torch_is_there() -> bool:
    """Whether PyTorch is installed, and has CUDA."""
    if find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


def kernels(step: Step) -> int | None:
    """How many launches a step makes, whoever makes them; None without PyTorch, whose profiler counts."""
    if not torch_is_there():
        return None
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        step()
    return sum(event.count for event in seen.key_averages() if "Launch" in event.key)


def held(peer: str) -> int:
    """Bytes of the GPU that the peer's pool has taken."""
    if peer.startswith("torch"):
        import torch

        return torch.cuda.max_memory_reserved()
    free, everything = cuda.cupy().cuda.runtime.memGetInfo()
    return everything - free


def main(seconds: float, name: str, peer: str) -> dict[str, Any]:
    """Median and quartiles of a step in milliseconds, the first loss and the first step's seconds."""
    if peer.startswith("torch") and not torch_is_there():
        return {"left_out": "there is no PyTorch with CUDA"}
    end = time.monotonic() + seconds
    before = 0 if peer.startswith("torch") else held(peer)
    start = time.perf_counter()
    step = PEERS[peer](ALL[name])
    losses = [step()]
    first = time.perf_counter() - start
    losses += [step() for _ in range(WARM)]
    taken: list[float] = []
    while len(taken) < 200 and (len(taken) < 20 or sum(taken) < 3) and time.monotonic() < end:
        start = time.perf_counter()
        losses.append(step())
        taken.append(time.perf_counter() - start)
    low, _, high = quantiles(taken, n=4)
    return {
        "ms": 1e3 * median(taken),
        "from": 1e3 * low,
        "to": 1e3 * high,
        "steps": len(taken),
        "first_s": first,
        "bytes": held(peer) - before,
        "kernels": kernels(step),
        "losses": losses[:5],
        "failed": "" if np.isfinite(losses).all() else "a loss is not finite",
    }
