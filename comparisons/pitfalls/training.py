"""Pitfalls: gradients, and steps of training."""

from __future__ import annotations

from types import SimpleNamespace

from comparisons.pitfalls.pitfall import Family

TRAINING = Family("How it learns")


@TRAINING.pitfall("A gradient through it", [[2.0], [4.0], [6.0]])
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


@TRAINING.pitfall("A gradient of a gradient", [[6.0], [12.0], [18.0]])
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


@TRAINING.pitfall("A learning rate that is set anew", [[0.5], [0.0], [-0.25]])
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


@TRAINING.pitfall("A layer that is frozen later", [[0.0], [-0.5]])
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
