"""Pitfalls: layers, and what they hold."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from comparisons.pitfalls.pitfall import Family

LAYERS = Family("What its layers hold")


@LAYERS.pitfall("Training, then evaluation", [True, True, False])
def train_eval(function, tensor, numbers, nn):
    """Dropout that goes on dropping."""
    drop = nn.Dropout(0.5)

    @function
    def forward(x):
        return drop(x)

    x = tensor([1.0] * 64)
    found = [0.0 in numbers(forward(x)) for _ in range(2)]
    drop.eval()
    return [*found, 0.0 in numbers(forward(x))]


@train_eval.on("tf.function")
def train_eval_tensorflow(function, tensor, numbers, tf):
    mode = SimpleNamespace(training=True)

    @function
    def forward(x):
        return tf.nn.dropout(x, 0.5) if mode.training else x * 1

    x = tensor([1.0] * 64)
    found = [0.0 in numbers(forward(x)) for _ in range(2)]
    mode.training = False
    return [*found, 0.0 in numbers(forward(x))]


@train_eval.on("jax.jit")
def train_eval_jax(function, tensor, numbers, jax):
    mode, key = SimpleNamespace(training=True), jax.random.key(0)

    @function
    def forward(x, key):
        return x * 2 * jax.random.bernoulli(key, 0.5, x.shape) if mode.training else x * 1

    x = tensor([1.0] * 64)
    found = [0.0 in numbers(forward(x, key)) for _ in range(2)]
    mode.training = False
    return [*found, 0.0 in numbers(forward(x, key))]


@LAYERS.pitfall("Weights that are loaded afterwards", [[2.0], [2.0], [5.0]])
def loaded(function, tensor, numbers, parameter):
    """Into the Parameter that is there: the graph may hold a copy, or have made a constant of it."""
    weight = parameter([2.0])

    @function
    def forward(x):
        return x * weight

    found = [numbers(forward(tensor([1.0]))) for _ in range(2)]
    weight.assign(np.array([5.0], "float32"))
    return [*found, numbers(forward(tensor([1.0])))]


@loaded.on("torch.compile")
def loaded_torch(function, tensor, numbers, torch):
    weight = torch.nn.Parameter(torch.tensor([2.0]))

    @function
    def forward(x):
        return x * weight

    found = [numbers(forward(tensor([1.0]))) for _ in range(2)]
    weight.data.copy_(torch.tensor([5.0]))
    return [*found, numbers(forward(tensor([1.0])))]


@loaded.on("tf.function")
def loaded_tensorflow(function, tensor, numbers, tf):
    weight = tf.Variable([2.0])

    @function
    def forward(x):
        return x * weight

    found = [numbers(forward(tensor([1.0]))) for _ in range(2)]
    weight.assign([5.0])
    return [*found, numbers(forward(tensor([1.0])))]


@loaded.on("jax.jit")
def loaded_jax(function, tensor, numbers, jnp):
    weights = {"weight": jnp.asarray([2.0])}

    @function
    def forward(x):
        return x * weights["weight"]

    found = [numbers(forward(tensor([1.0]))) for _ in range(2)]
    weights["weight"] = jnp.asarray([5.0])
    return [*found, numbers(forward(tensor([1.0])))]


@LAYERS.pitfall("A Parameter that is replaced", [[2.0], [2.0], [5.0]])
def replaced(function, tensor, numbers, parameter):
    """By another one, as a new head for a new task is."""
    model = SimpleNamespace(weight=parameter([2.0]))

    @function
    def forward(x):
        return x * model.weight

    found = [numbers(forward(tensor([1.0]))) for _ in range(2)]
    model.weight = parameter([5.0])
    return [*found, numbers(forward(tensor([1.0])))]


@LAYERS.pitfall("A variable that the first call makes", [[3.0], [3.0], [3.0]])
def first_call(function, tensor, numbers, parameter):
    """Lazily, when the shape is known: made within a trace, it is of the trace."""
    made = {}

    @function
    def forward(x):
        if "weight" not in made:
            made["weight"] = parameter([3.0])
        return x * made["weight"]

    return [numbers(forward(tensor([1.0]))) for _ in range(3)]


@LAYERS.pitfall("An exception half-way", [1.0, "stopped", 3.0])
def half_way(function, tensor, numbers, nn):
    """What was changed until then is changed, line by line; a trace that raises has changed nothing yet."""
    count = nn.Buffer(np.zeros(1, "float32"))

    @function
    def step(x, stop):
        count.assign(count + 1)
        if stop:
            raise KeyError(stop)
        return x * count

    found = []
    for stop in (False, True, False):
        try:
            found += numbers(step(tensor([1.0]), stop))
        except KeyError:
            found.append("stopped")
    return found


@half_way.on("torch.compile")
def half_way_torch(function, tensor, numbers, torch):
    count = torch.zeros(1)

    @function
    def step(x, stop):
        count.add_(1)
        if stop:
            raise KeyError(stop)
        return x * count

    found = []
    for stop in (False, True, False):
        try:
            found += numbers(step(tensor([1.0]), stop))
        except KeyError:
            found.append("stopped")
    return found


@half_way.on("tf.function")
def half_way_tensorflow(function, tensor, numbers, tf):
    count = tf.Variable([0.0])

    @function
    def step(x, stop):
        count.assign_add([1.0])
        if stop:
            raise KeyError(stop)
        return x * count

    found = []
    for stop in (False, True, False):
        try:
            found += numbers(step(tensor([1.0]), stop))
        except KeyError:
            found.append("stopped")
    return found


@half_way.on("jax.jit")
def half_way_jax(function, tensor, numbers):
    state = {"count": 0.0}

    def step(x, stop):
        state["count"] = state["count"] + 1
        if stop:
            raise KeyError(stop)
        return x * state["count"]

    step = function(step, static_argnames="stop")
    found = []
    for stop in (False, True, False):
        try:
            found += numbers(step(tensor([1.0]), stop))
        except KeyError:
            found.append("stopped")
    return found
