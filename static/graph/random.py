"""Random numbers in a graph: every run draws new ones, every new session starts again.

Each random op has a generator of its own, a variable that moves on whenever the op runs. Its
seed comes from the op's own `seed`, or else from the graph's and the op's place in it.
"""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.casting import check_holds
from shared.errors import SettingError
from shared.ops.random import generator_state
from shared.spec import as_dtype, as_seed
from static.graph.graph import Tensor, get_default_graph
from static.graph.operands import as_tensor
from static.graph.variables import Variable


def set_random_seed(seed: int) -> None:
    """The seed of the default graph, from which its random ops made from now on take theirs."""
    get_default_graph().seed = as_seed("set_random_seed", seed)


def draw(name: str, sample: Any, seed: int | None) -> Tensor:
    """What `sample(state)` gives beside the state that follows it, of a generator of its own."""
    graph = get_default_graph()
    state = generator_state(graph.next_seed() if seed is None else as_seed(name, seed))
    generator = Variable(state, trainable=False, name=f"{name}/generator", automatic=True)
    value, moved = sample(generator.value())
    graph.assign(generator, moved, owner=value.node)
    return value


def numbers(name: str, op: Any, shape: Any, dtype: Any, seed: int | None) -> Tensor:
    """What `op(state, shape, dtype)` gives beside the state that follows it, of a generator of its own."""
    graph = get_default_graph()
    sizes = shape if isinstance(shape, (tuple, list)) else (shape,)
    sizes = tuple(graph.dim(size) if size is None else size for size in sizes)
    return draw(name, lambda state: op(state, sizes, dtype), seed)


def random_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Numbers from a normal distribution, new ones in each run."""
    return numbers("random_normal", ops.normal, shape, dtype, seed) * stddev + mean


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """The same, but none further from the mean than two deviations: such are drawn anew."""
    return numbers("truncated_normal", ops.truncated_normal, shape, dtype, seed) * stddev + mean


def random_uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = None, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Numbers evenly from [minval, maxval), new ones in each run. maxval is 1 by default; integers need
    one, and DTypeError says where their dtype does not hold the bounds."""
    kind = as_dtype(dtype)
    if kind.kind not in "iu":
        drawn = numbers("random_uniform", ops.uniform, shape, kind, seed)
        return drawn * ((1.0 if maxval is None else maxval) - minval) + minval
    if maxval is None:
        raise SettingError("random_uniform: integers need a maxval, below which they are")
    check_holds("random_uniform", kind, minval, maxval - 1)
    drawn = numbers("random_uniform", ops.uniform, shape, "float64", seed)
    return ops.cast(ops.floor(drawn * (maxval - minval) + minval), kind)


def random_shuffle(value: Any, seed: int | None = None) -> Tensor:
    """The rows of a Tensor in a random order, another in each run."""
    x = as_tensor(value)
    return x[draw("random_shuffle", lambda state: ops.permutation(state, x.shape[0]), seed)]


def multinomial(
    logits: Any, num_samples: int, seed: int | None = None, output_dtype: Any = "int64"
) -> Tensor:
    """For each row of logits (N, classes) `num_samples` classes, drawn with probability softmax(logits);
    (N, num_samples). By Gumbel's noise: the largest of logits - log(-log(u))."""
    x = as_tensor(logits)
    u = numbers("multinomial", ops.uniform, (x.shape[0], num_samples, x.shape[1]), "float64", seed)
    noise = ops.neg(ops.log(ops.neg(ops.log1p(ops.neg(u)))))  # 1 - u is never 0
    return ops.cast(ops.argmax(ops.expand_dims(x, 1) + noise, axis=2), output_dtype)
