"""What each pass of static's optimiser is worth: a training step with it left out, and with the
passes added one after the other. Run in a process of its own.

python -c "from comparisons.bench.ablation import main; main()" lstm layer 7 20
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import static
from comparisons.bench import models
from comparisons.bench.workloads import WORKLOADS, Workload
from comparisons.statistics.spread import spread
from shared import optim
from static.compile.block import Block
from static.compile.steps.winograd import INSTEAD

PRODUCTS = (
    "linear", "linear_input", "linear_weight", "matmul",
    "packed_linear", "packed_linear_input", "packed_matmul",
    "conv2d", "conv2d_input", "conv2d_weight",
    "conv2d_relu", "conv2d_pool", "conv2d_pool_input", "conv2d_pool_weight",
    *(op.name for op in INSTEAD.values()),
)  # fmt: skip
"""Steps that are, or hold, a product of matrices."""
WARM = 1
"""Steps of a round that are not timed."""


def variants(added: bool) -> dict[str, dict[str, Any]]:
    """What is measured, by name, each as the arguments of a session: everything; each pass left out; none;
    and with `added`, from none on, the passes added in their order."""
    names = [one.name for one in static.PASSES]
    found: dict[str, dict[str, Any]] = {"all": {}, "exact": {"optimize": "exact"}}
    found |= {f"without {name}": {"without": [name]} for name in names}
    found |= {
        f"up to {names[count - 1]}" if count else "none": {"without": names[count:]}
        for count in range(len(names) if added else 1)
    }
    return found


def measure(
    workload: Workload, style: str, rounds: int, steps: int, added: bool = True
) -> dict[str, dict[str, Any]]:
    """By variant: {compile, step, same, steps, products, bytes, loss}.

    compile   seconds from the fetches to the program
    step      the spread of the seconds of a training step over the rounds' medians; the variants take turns
    same      whether the program is, word for word, the one that all passes give
    steps     of the program, `products` among them
    bytes     of all that the steps give, views among it
    loss      after all steps: the variants train alike
    """
    net = models.model(workload, style)
    optimizer = optim.SGD(net.parameters(), lr=workload.rate)
    x, y = workload.data()
    with static.Graph().as_default() as graph:
        x_in = static.placeholder(x.dtype, x.shape, name="x")
        y_in = static.placeholder(y.dtype, y.shape, name="y")
        loss = net(x_in, y_in)
        fetches = [loss, optimizer.minimize(loss)]
        start = static.global_variables_initializer()
    found: dict[str, dict[str, Any]] = {}
    running: dict[str, Callable[[], float]] = {}
    whole = ""
    for name, arguments in variants(added).items():
        session = static.Session(graph, **arguments)
        session.run(start)
        before = perf_counter()
        block = session.block(fetches, [x_in, y_in])
        found[name] = {"compile": perf_counter() - before, **_counted(block)}
        program = session.program(fetches, [x_in, y_in])
        whole = whole or program
        found[name]["same"] = program == whole
        call = session.make_callable(fetches, [x_in, y_in])
        running[name] = lambda call=call: call(x, y)[0].item()  # type: ignore[misc]
    times: dict[str, list[float]] = {name: [] for name in running}
    for turn in range(rounds):
        gc.collect()
        for name in running if turn % 2 == 0 else reversed(running):
            samples = []
            for step in range(WARM + steps):
                before = perf_counter()
                found[name]["loss"] = running[name]()
                if step >= WARM:
                    samples.append(perf_counter() - before)
            times[name].append(spread(samples)["median"])
    for name, samples in times.items():
        found[name]["step"] = spread(samples)
    return found


def _counted(block: Block) -> dict[str, int]:
    sizes = [v.spec.size * v.dtype.itemsize for step in block.steps for v in step.outputs]
    products = sum(step.op.name in PRODUCTS for step in block.steps)
    made = sum(size for size in sizes if isinstance(size, int))
    return {"steps": len(block.steps), "products": products, "bytes": made}


def main() -> None:
    """Print what is found for a workload, as JSON: its name, its style, rounds, steps."""
    name, style, rounds, steps = sys.argv[1:]
    print(json.dumps(measure(WORKLOADS[name], style, int(rounds), int(steps))))
