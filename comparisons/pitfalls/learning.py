"""Pitfalls: gradients, layers, and what they hold."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from comparisons.pitfalls.pitfall import Family

LEARNING = Family("What it learns with")


@LEARNING.pitfall("A gradient through it", [[2.0], [4.0], [6.0]])
def gradient_through(function, tensor, numbers, dynamic):
    """`backward` is outside, what it goes back through inside."""

    @function
    def square(x):
        return x * x

    found = []
    for start in (1.0, 2.0, 3.0):
        x = dynamic.tensor([start], requires_grad=True)
        square(x).sum().backward()
        found.append(numbers(x.grad))
    return found


@gradient_through.on("static")
def gradient_through_graph(function, tensor, numbers, static):
    @function
    def slope(x):
        return static.gradients(x * x, [x])[0]

    return [numbers(slope(tensor([start]))) for start in (1.0, 2.0, 3.0)]


@gradient_through.on("torch.compile")
def gradient_through_torch(function, tensor, numbers, torch):
    @function
    def square(x):
        return x * x

    found = []
    for start in (1.0, 2.0, 3.0):
        x = torch.tensor([start], requires_grad=True)
        square(x).sum().backward()
        found.append(numbers(x.grad))
    return found


@gradient_through.on("tf.function")
def gradient_through_tensorflow(function, tensor, numbers, tf):
    @function
    def square(x):
        return x * x

    found = []
    for start in (1.0, 2.0, 3.0):
        x = tensor([start])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = square(x)
        found.append(numbers(tape.gradient(y, x)))
    return found


@gradient_through.on("jax.jit")
def gradient_through_jax(function, tensor, numbers, jax):
    @function
    def square(x):
        return x * x

    slope = jax.grad(lambda x: square(x).sum())
    return [numbers(slope(tensor([start]))) for start in (1.0, 2.0, 3.0)]


@LEARNING.pitfall("A gradient of a gradient", [[6.0], [12.0], [18.0]])
def second_order(function, tensor, numbers, dynamic):
    """Taken inside of it, twice."""

    @function
    def curvature(x):
        (slope,) = dynamic.grad((x * x * x).sum(), [x], create_graph=True)
        return dynamic.grad(slope.sum(), [x])[0]

    return [numbers(curvature(dynamic.tensor([x], requires_grad=True))) for x in (1.0, 2.0, 3.0)]


@second_order.on("static", "static.function")
def second_order_static(function, tensor, numbers, static):
    @function
    def curvature(x):
        (slope,) = static.gradients(x * x * x, [x])
        return static.gradients(slope, [x])[0]

    return [numbers(curvature(tensor([x]))) for x in (1.0, 2.0, 3.0)]


@second_order.on("torch.compile")
def second_order_torch(function, tensor, numbers, torch):
    @function
    def curvature(x):
        (slope,) = torch.autograd.grad((x * x * x).sum(), [x], create_graph=True)
        return torch.autograd.grad(slope.sum(), [x])[0]

    return [numbers(curvature(torch.tensor([x], requires_grad=True))) for x in (1.0, 2.0, 3.0)]


@second_order.on("tf.function")
def second_order_tensorflow(function, tensor, numbers, tf):
    @function
    def curvature(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = x * x * x
            slope = inner.gradient(y, x)
        return outer.gradient(slope, x)

    return [numbers(curvature(tensor([x]))) for x in (1.0, 2.0, 3.0)]


@second_order.on("jax.jit")
def second_order_jax(function, tensor, numbers, jax):
    @function
    def curvature(x):
        slope = jax.grad(lambda x: (x * x * x).sum())
        return jax.grad(lambda x: slope(x).sum())(x)

    return [numbers(curvature(tensor([x]))) for x in (1.0, 2.0, 3.0)]


@LEARNING.pitfall("Training, then evaluation", [True, True, False])
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


@LEARNING.pitfall("Weights that are loaded afterwards", [[2.0], [2.0], [5.0]])
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


@LEARNING.pitfall("A Parameter that is replaced", [[2.0], [2.0], [5.0]])
def replaced(function, tensor, numbers, parameter):
    """By another one, as a new head for a new task is."""
    model = SimpleNamespace(weight=parameter([2.0]))

    @function
    def forward(x):
        return x * model.weight

    found = [numbers(forward(tensor([1.0]))) for _ in range(2)]
    model.weight = parameter([5.0])
    return [*found, numbers(forward(tensor([1.0])))]


@LEARNING.pitfall("A variable that the first call makes", [[3.0], [3.0], [3.0]])
def first_call(function, tensor, numbers, parameter):
    """Lazily, when the shape is known: made within a trace, it is of the trace."""
    made = {}

    @function
    def forward(x):
        if "weight" not in made:
            made["weight"] = parameter([3.0])
        return x * made["weight"]

    return [numbers(forward(tensor([1.0]))) for _ in range(3)]


@LEARNING.pitfall("A learning rate that is set anew", [[0.5], [0.0], [-0.25]])
def rate_set(function, tensor, numbers, parameter, optim):
    """By a schedule, or by hand."""
    weight = parameter([1.0])
    opt = optim.SGD([weight], lr=0.5)

    @function
    def step(x):
        opt.zero_grad()
        (weight * x).sum().backward()
        opt.step()
        return weight * 1

    found = [numbers(step(tensor([1.0]))) for _ in range(2)]
    opt.lr = 0.25
    return [*found, numbers(step(tensor([1.0])))]


@rate_set.on("static", "static.function")
def rate_set_static(function, tensor, numbers, parameter, optim):
    weight = parameter([1.0])
    opt = optim.SGD([weight], lr=0.5)

    @function
    def step(x):
        train = opt.minimize((weight * x).sum())
        return train, weight * 1

    found = [numbers(step(tensor([1.0]))[1]) for _ in range(2)]
    opt.lr = 0.25
    return [*found, numbers(step(tensor([1.0]))[1])]


@rate_set.on("torch.compile")
def rate_set_torch(function, tensor, numbers, torch):
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    opt = torch.optim.SGD([weight], lr=0.5)

    @function
    def step(x):
        opt.zero_grad()
        (weight * x).sum().backward()
        opt.step()
        return weight * 1

    found = [numbers(step(tensor([1.0]))) for _ in range(2)]
    opt.param_groups[0]["lr"] = 0.25
    return [*found, numbers(step(tensor([1.0])))]


@rate_set.on("tf.function")
def rate_set_tensorflow(function, tensor, numbers, tf):
    weight = tf.Variable([1.0])
    opt = SimpleNamespace(lr=0.5)

    @function
    def step(x):
        with tf.GradientTape() as tape:
            loss = weight * x
        weight.assign_sub(opt.lr * tape.gradient(loss, weight))
        return weight * 1

    found = [numbers(step(tensor([1.0]))) for _ in range(2)]
    opt.lr = 0.25
    return [*found, numbers(step(tensor([1.0])))]


@rate_set.on("jax.jit")
def rate_set_jax(function, tensor, numbers, jax):
    weight, opt = tensor([1.0]), SimpleNamespace(lr=0.5)

    @function
    def step(weight, x):
        return weight - opt.lr * jax.grad(lambda weight: (weight * x).sum())(weight)

    found = []
    for rate in (0.5, 0.5, 0.25):
        opt.lr = rate
        weight = step(weight, tensor([1.0]))
        found.append(numbers(weight))
    return found


@LEARNING.pitfall("A layer that is frozen later", [[0.0], [-0.5]])
def frozen(function, tensor, numbers, parameter, optim):
    """It goes on learning, or nothing does."""
    one, other = (parameter([1.0]) for _ in range(2))
    opt = optim.SGD([one, other], lr=0.5)

    @function
    def step(x):
        opt.zero_grad()
        (one * x + other * x).sum().backward()
        opt.step()
        return x * 1

    for calls in range(3):
        one.requires_grad = calls < 2
        step(tensor([1.0]))
    return [numbers(one), numbers(other)]


@frozen.on("static", "static.function")
def frozen_static(function, tensor, numbers, parameter, optim):
    one, other = (parameter([1.0]) for _ in range(2))
    opt = optim.SGD([one, other], lr=0.5)

    @function
    def step(x):
        a, b = one * 1, other * 1
        return opt.minimize((one * x + other * x).sum()), a, b

    for calls in range(4):
        one.requires_grad = calls < 2
        _, a, b = step(tensor([1.0]) * (calls < 3))
    return [numbers(a), numbers(b)]


@frozen.on("torch.compile")
def frozen_torch(function, tensor, numbers, torch):
    one, other = (torch.nn.Parameter(torch.tensor([1.0])) for _ in range(2))
    opt = torch.optim.SGD([one, other], lr=0.5)

    @function
    def step(x):
        opt.zero_grad()
        (one * x + other * x).sum().backward()
        opt.step()
        return x * 1

    for calls in range(3):
        one.requires_grad_(calls < 2)
        step(tensor([1.0]))
    return [numbers(one), numbers(other)]


@frozen.on("tf.function")
def frozen_tensorflow(function, tensor, numbers, tf):
    one, other = tf.Variable([1.0]), tf.Variable([1.0])
    learning = [one, other]

    @function
    def step(x):
        with tf.GradientTape() as tape:
            loss = one * x + other * x
        for weight, slope in zip(learning, tape.gradient(loss, learning), strict=True):
            weight.assign_sub(0.5 * slope)
        return x * 1

    for calls in range(3):
        learning[:] = [one, other] if calls < 2 else [other]
        step(tensor([1.0]))
    return [numbers(one), numbers(other)]


@frozen.on("jax.jit")
def frozen_jax(function, tensor, numbers, jax):
    weights, learning = {"one": tensor([1.0]), "other": tensor([1.0])}, ["one", "other"]

    @function
    def step(weights, x):
        slopes = jax.grad(lambda weights: (weights["one"] * x + weights["other"] * x).sum())(weights)
        return weights | {name: weights[name] - 0.5 * slopes[name] for name in learning}

    for calls in range(3):
        learning[:] = ["one", "other"] if calls < 2 else ["other"]
        weights = step(weights, tensor([1.0]))
    return [numbers(weights["one"]), numbers(weights["other"])]


@LEARNING.pitfall("An exception half-way", [1.0, "stopped", 3.0])
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
