"""PyTorch on the CPU: eager, with its layers over whole sequences, and compiled."""

import os
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from comparisons.bench.nets import Conv, Net, Pool, Residual
from comparisons.bench.transformers import Gpt
from comparisons.bench.workloads import Workload, as_layer

VERSION = torch.__version__
KINDS: dict[str, Any] = {"rnn": (nn.RNN, nn.RNNCell), "lstm": (nn.LSTM, nn.LSTMCell)}
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


class MLP(nn.Module):
    """Two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(784, 1000), nn.Linear(1000, 10)

    def forward(self, x: Any, y: Any) -> Any:
        return F.cross_entropy(self.fc2(F.relu(self.fc1(x))), y)


class CNN(nn.Module):
    """Two convolutions, two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
        self.fc1, self.fc2 = nn.Linear(3136, 128), nn.Linear(128, 10)

    def forward(self, x: Any, y: Any) -> Any:
        h = F.max_pool2d(F.relu(self.conv1(x)), 2)
        h = F.max_pool2d(F.relu(self.conv2(h)), 2)
        return F.cross_entropy(self.fc2(F.relu(self.fc1(torch.flatten(h, 1)))), y)


class ConvNet(nn.Module):
    """A net's parts one after the other, under the names of its weights."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.parts, self.average = net.parts, net.average
        for conv in net.convolutions():
            made = nn.Conv2d(
                conv.inputs, conv.outputs, conv.kernel, conv.stride, conv.padding, groups=conv.groups,
                bias=not conv.norm,
            )  # fmt: skip
            setattr(self, conv.name, made)
            if conv.norm:
                setattr(self, f"{conv.name}_norm", nn.BatchNorm2d(conv.outputs))
        self.fc = nn.Linear(net.features, net.classes)

    def forward(self, x: Any, y: Any) -> Any:
        for part in self.parts:
            x = self.applied(part, x)
        x = x.mean((2, 3)) if self.average else torch.flatten(x, 1)
        return F.cross_entropy(self.fc(x), y)

    def applied(self, part: Conv | Residual | Pool, x: Any) -> Any:
        if isinstance(part, Pool):
            pool: Any = {"max": F.max_pool2d, "mean": F.avg_pool2d}[part.kind]
            return pool(x, part.size, part.stride, part.padding)
        if isinstance(part, Conv):
            return self.convolved(part, x)
        h = x
        for conv in part.body:
            h = self.convolved(conv, h)
        return F.relu(h + (x if part.shortcut is None else self.convolved(part.shortcut, x)))

    def convolved(self, conv: Conv, x: Any) -> Any:
        x = getattr(self, conv.name)(x)
        x = getattr(self, f"{conv.name}_norm")(x) if conv.norm else x
        return F.relu(x) if conv.relu else x


class Attention(nn.Module):
    """Causal attention to itself in several heads, by the function that takes all of it at once."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.randn(3 * width, width) * width**-0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Any) -> Any:
        n, t, width = x.shape
        made = F.linear(x, self.in_proj_weight, self.in_proj_bias).view(n, t, 3, self.heads, -1)
        q, k, v = made.permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(y.transpose(1, 2).reshape(n, t, width))


class Block(nn.Module):
    """Attention and two linear layers, each added to what goes in."""

    def __init__(self, gpt: Gpt) -> None:
        super().__init__()
        width = gpt.width
        self.self_attn = Attention(width, gpt.heads)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.linear1, self.linear2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Any) -> Any:
        x = x + self.self_attn(self.norm1(x))
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))


class Writer(nn.Module):
    """A small language model."""

    def __init__(self, gpt: Gpt) -> None:
        super().__init__()
        self.tokens = nn.Embedding(gpt.vocabulary, gpt.width)
        self.positions = nn.Embedding(gpt.length, gpt.width)
        self.blocks = nn.ModuleList([Block(gpt) for _ in range(gpt.blocks)])
        self.norm = nn.LayerNorm(gpt.width)
        self.head = nn.Linear(gpt.width, gpt.vocabulary, bias=False)

    def forward(self, x: Any, y: Any) -> Any:
        h = self.tokens(x) + self.positions.weight
        for block in self.blocks:
            h = block(h)
        return F.cross_entropy(self.head(self.norm(h)).flatten(0, 1), y.flatten())


class Layered(nn.Module):
    """A layer over the whole sequence: one call into C++."""

    def __init__(self, workload: Workload) -> None:
        super().__init__()
        width = workload.width
        self.embedding = nn.Embedding(workload.vocabulary, width)
        self.layer = KINDS[workload.model][0](width, width)
        self.head = nn.Linear(width, workload.vocabulary)

    def forward(self, x: Any, y: Any) -> Any:
        h, _ = self.layer(self.embedding(x))
        return F.cross_entropy(self.head(h).flatten(0, 1), y.flatten())


class Looped(nn.Module):
    """The loop over time written by hand, around a cell."""

    def __init__(self, workload: Workload) -> None:
        super().__init__()
        width = workload.width
        self.embedding = nn.Embedding(workload.vocabulary, width)
        self.cell = KINDS[workload.model][1](width, width)
        self.head = nn.Linear(width, workload.vocabulary)
        self.times, self.carries = workload.times, workload.model == "lstm"

    def forward(self, x: Any, y: Any) -> Any:
        state, loss = None, 0.0
        for t in range(self.times):
            state = self.cell(self.embedding(x[t]), state)
            h = state[0] if self.carries else state
            loss = loss + F.cross_entropy(self.head(h), y[t])
        return loss / self.times


def model(workload: Workload, style: str) -> Any:
    """The model of a workload, with the values to start from."""
    weights = workload.weights()
    if workload.model == "mlp":
        made: Any = MLP()
    elif workload.model == "cnn":
        made = CNN()
    elif workload.net is not None:
        made = ConvNet(workload.net)
    elif workload.gpt is not None:
        made = Writer(workload.gpt)
    elif style == "fused":
        made, weights = Layered(workload), as_layer(weights)
    else:
        made = Looped(workload)
    made.load_state_dict(made.state_dict() | {name: torch.from_numpy(a) for name, a in weights.items()})
    return made


def train(workload: Workload, style: str) -> Iterator[str | float]:
    """Yields "build", then the loss of a step after each."""
    net = model(workload, style)
    optimizer = getattr(torch.optim, workload.optimiser)(net.parameters(), lr=workload.rate)
    x, y = (torch.from_numpy(array) for array in workload.data())
    if style == "compile":
        net = torch.compile(net)
    yield "build"
    while True:
        loss = net(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def meet(place: str, rank: int, size: int) -> None:
    """Let the ranks of `of_rank` find each other, in a file."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{place}", rank=rank, world_size=size)


def of_rank(workload: Workload, rows: Any, labels: Any, talks: bool) -> Iterator[str | float]:
    """As `train`, of one rank among others that average their gradients, if it `talks`."""
    net: Any = model(workload, "fused")
    optimizer = getattr(torch.optim, workload.optimiser)(net.parameters(), lr=workload.rate)
    if talks:
        net = nn.parallel.DistributedDataParallel(net)
    x, y = torch.from_numpy(rows), torch.from_numpy(labels)
    yield "build"
    while True:
        loss = net(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def grown(layers: Sequence[tuple[str, tuple[int, ...]]], x: Any) -> Callable[[], None]:
    """A step of `curves`: these layers one after the other, and the gradients of what they give squared."""
    kinds: dict[str, Any] = {
        "linear": lambda *sizes: nn.Sequential(nn.Linear(*sizes), nn.ReLU()), "lstm": nn.LSTM,
        "attention": Attention,
    }  # fmt: skip
    net = nn.ModuleList([kinds[kind](*numbers) for kind, numbers in layers])
    given = torch.from_numpy(x)

    def step() -> None:
        net.zero_grad()
        y = given
        for part in net:
            y = part(y)[0] if isinstance(part, nn.LSTM) else part(y)
        y.square().sum().backward()

    return step


def chain(count: int) -> Callable[[], tuple[float, float]]:
    """As `on_dynamic.chain`."""
    x, a, b = (torch.tensor([value], requires_grad=True) for value in (1.0, 0.999, 0.001))

    def run() -> tuple[float, float]:
        start = perf_counter()
        y = x
        for _ in range(count // 2):
            y = y * a
            y = y + b
        middle = perf_counter()
        y.backward()
        return middle - start, perf_counter() - middle

    return run
