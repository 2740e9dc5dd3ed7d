"""Random numbers in a graph: every run draws new ones, every new session starts again.

Each random op has a generator of its own, a variable that moves on whenever the op runs. Its
seed comes from the op's own `seed`, or else from the graph's and the op's place in it.
"""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.ops.random import generator_state
from shared.spec import as_seed
from static.graph.graph import Tensor, get_default_graph
from static.graph.variables import Variable


def set_random_seed(seed: int) -> None:
    """The seed of the default graph, from which its random ops made from now on take theirs."""
    get_default_graph().seed = as_seed("set_random_seed", seed)


def _draw(name: str, draw: Any, shape: Any, dtype: Any, seed: int | None) -> Tensor:
    graph = get_default_graph()
    state = generator_state(graph.next_seed() if seed is None else as_seed(name, seed))
    generator = Variable(state, trainable=False, name=f"{name}/generator", automatic=True)
    sizes = tuple(graph.dim(size) if size is None else size for size in shape)
    value, moved = draw(generator.value(), sizes, dtype)
    graph.assign(generator, moved, owner=value.node)
    return value


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Numbers from a normal distribution, new ones in each run."""
    return _draw("random_normal", ops.normal, shape, dtype, seed) * stddev + mean


def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Numbers evenly from [minval, maxval), new ones in each run."""
    return _draw("random_uniform", ops.uniform, shape, dtype, seed) * (maxval - minval) + minval
