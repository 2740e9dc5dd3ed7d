"""How a training step grows with its sizes, ours beside PyTorch's: time over batch, width, depth and length.

python -m comparisons.bench.curves                      every family, at sizes that take a minute together
python -m comparisons.bench.curves attention --all      one, at all its sizes
python -m comparisons.bench.curves --draw growth.svg    the curves as well, on logarithmic axes

Seconds of the processor, of one thread (set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1), in turns; the
median. A step is a loss and all its gradients.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np

import dynamic
import static
from shared import nn, ops

Step = Callable[[], Any]


@dataclass(frozen=True)
class Family:
    """One model over one of its sizes.

    title    what grows, and beside what
    sizes    at which it is tried; `larger` only if all are asked for
    layers   of a size, what the layers of such a model are: (kind, numbers)
    shape    of a size, the shape of what it is given
    """

    title: str
    sizes: tuple[int, ...]
    larger: tuple[int, ...]
    layers: Callable[[int], Sequence[tuple[str, tuple[int, ...]]]]
    shape: Callable[[int], tuple[int, ...]]


def _dense(*widths: int) -> list[tuple[str, tuple[int, ...]]]:
    return [("linear", pair) for pair in pairwise(widths)]


FAMILIES = {
    "attention": Family(
        "tokens; one causal attention layer, width 64, 4 heads, batch 2", (16, 64, 256, 1024), (4096,),
        lambda size: [("attention", (64, 4))], lambda size: (2, size, 64),
    ),
    "lstm": Family(
        "steps; an LSTM layer of width 64, batch 8", (16, 64, 256, 1024), (4096,),
        lambda size: [("lstm", (64, 64))], lambda size: (size, 8, 64),
    ),
    "width": Family(
        "width; 256, twice this, 10, relu, batch 64", (64, 256, 1024), (2048,),
        lambda size: _dense(256, size, size, 10), lambda size: (64, 256),
    ),
    "depth": Family(
        "layers of width 128, relu, batch 32", (2, 8, 32), (64,),
        lambda size: _dense(*[128] * (size + 1)), lambda size: (32, 128),
    ),
    "batch": Family(
        "examples; 256, 512, 512, 10, relu", (1, 8, 64, 512), (),
        lambda size: _dense(256, 512, 512, 10), lambda size: (size, 256),
    ),
}  # fmt: skip


# --- the models ----------------------------------------------------------------------------


class Model(nn.Module):
    """The layers one after the other; the sum of squares of what comes out."""

    def __init__(self, layers: Sequence[tuple[str, tuple[int, ...]]]) -> None:
        kinds: Mapping[str, Callable[..., Any]] = {
            "linear": nn.Linear, "lstm": nn.LSTM,
            "attention": partial(nn.MultiheadAttention, batch_first=True),
        }  # fmt: skip
        self.parts = [kinds[kind](*numbers) for kind, numbers in layers]

    def forward(self, x: Any) -> Any:
        for part in self.parts:
            if isinstance(part, nn.MultiheadAttention):
                x, _ = part(x, x, x, need_weights=False, is_causal=True)
            else:
                x = part(x)[0] if isinstance(part, nn.LSTM) else ops.relu(part(x))
        return ops.sum(ops.square(x))


def on_dynamic(family: Family, size: int, x: Any) -> Step:
    """A step of `dynamic`."""
    model, given = Model(family.layers(size)), dynamic.tensor(x)

    def step() -> None:
        model.zero_grad()
        model(given).backward()

    return step


def on_static(family: Family, size: int, x: Any) -> Step:
    """A step of `static`."""
    model, graph = Model(family.layers(size)), static.Graph()
    with graph.as_default():
        given = static.placeholder(x.dtype, x.shape)
        loss = model(given)
        fetched = [loss, *static.gradients(loss, list(model.parameters()))]
        start = static.global_variables_initializer()
    session = static.Session(graph=graph)
    session.run(start)
    return lambda: session.run(fetched, {given: x})


def on_torch(family: Family, size: int, x: Any) -> Step:
    """A step of PyTorch."""
    from comparisons.bench import on_torch

    return on_torch.grown(family.layers(size), x)


SYSTEMS: Mapping[str, Callable[[Family, int, Any], Step]] = {
    "dynamic": on_dynamic, "static": on_static, "torch": on_torch
}  # fmt: skip


# --- measuring -----------------------------------------------------------------------------


def measured(
    family: Family, size: int, systems: Sequence[str], rounds: int = 5, least: float = 0.02
) -> dict[str, dict[str, float]]:
    """By system, the seconds of the first result and of a step: in turns, each of so many steps as take
    `least` seconds."""
    x = np.random.default_rng(0).standard_normal(family.shape(size)).astype(np.float32)
    found: dict[str, dict[str, float]] = {}
    steps: dict[str, tuple[Step, int]] = {}
    for name in systems:
        start = process_time()
        step = SYSTEMS[name](family, size, x)
        step()
        found[name] = {"first": process_time() - start}
        once = _seconds(step, 1)
        steps[name] = step, max(1, min(200, int(least / max(once, 1e-6))))
    times: dict[str, list[float]] = {name: [] for name in systems}
    for _ in range(rounds):
        for name, (step, count) in steps.items():
            times[name].append(_seconds(step, count))
    for name in systems:
        found[name]["step"] = median(times[name])
    return found


def _seconds(step: Step, count: int) -> float:
    start = process_time()
    for _ in range(count):
        step()
    return (process_time() - start) / count


def curves(
    names: Sequence[str], systems: Sequence[str], larger: bool, rounds: int = 5
) -> Iterator[tuple[str, int, dict[str, dict[str, float]]]]:
    """Family, size and what was measured, one after the other."""
    for name in names:
        family = FAMILIES[name]
        for size in (*family.sizes, *(family.larger if larger else ())):
            yield name, size, measured(family, size, systems, rounds)


def draw(found: Mapping[str, Mapping[int, Any]], path: Path) -> None:
    """A picture of the steps' times for each family, both axes logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(found), 3.2), layout="constrained")
    for place, (name, sizes) in enumerate(found.items()):
        axes = figure.add_subplot(1, len(found), place + 1, xscale="log", yscale="log", title=name)
        axes.set_xlabel(FAMILIES[name].title.partition(";")[0])
        axes.set_ylabel("ms a step")
        for system in next(iter(sizes.values())):
            axes.plot(list(sizes), [1000 * at[system]["step"] for at in sizes.values()], "o-", label=system)
        axes.legend()
    figure.savefig(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each size, and write what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m comparisons.bench.curves", description=__doc__)
    parser.add_argument("families", nargs="*", choices=[*FAMILIES, []], default=[])
    parser.add_argument("--all", action="store_true", help="the larger sizes too")
    parser.add_argument("--json", type=Path, help="write the numbers here")
    parser.add_argument("--draw", type=Path, help="write the curves here, as SVG")
    asked = parser.parse_args(arguments)
    systems = [name for name in SYSTEMS if name != "torch" or find_spec("torch") is not None]
    found: dict[str, dict[int, Any]] = {}
    for name, size, at in curves(asked.families or list(FAMILIES), systems, asked.all):
        found.setdefault(name, {})[size] = at
        said = ", ".join(f"{s} {1000 * t['step']:.3g} ms (first {t['first']:.2g} s)" for s, t in at.items())
        print(f"{name} {size}: {said}", flush=True)
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")
    if asked.draw is not None:
        draw(found, asked.draw)


if __name__ == "__main__":
    main()
