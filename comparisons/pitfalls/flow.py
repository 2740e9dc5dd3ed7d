"""Pitfalls: which way a function goes, how often it is made, and what it raises."""

from __future__ import annotations

import threading

from comparisons.pitfalls.pitfall import Family

FLOW = Family("Which way it goes")


@FLOW.pitfall("A branch on a value", [[2.0], [3.0], [4.0]])
def branch(function, tensor, numbers):
    """A stand-in has no value to choose by."""

    @function
    def step(x):
        if x[0] > 0:
            return x * 2
        return x * -1

    return [numbers(step(tensor([value]))) for value in (1.0, -3.0, 2.0)]


@FLOW.pitfall("An early return", [[4.0], [5.0], [4.0]])
def early_return(function, tensor, numbers):
    """Out of a loop, as soon as a value is large enough."""

    @function
    def grown(x):
        for _ in range(10):
            if x[0] > 3:
                return x
            x = x * 2
        return x

    return [numbers(grown(tensor([value]))) for value in (1.0, 5.0, 2.0)]


@FLOW.pitfall("A loop until it converges", [[0.5, 3.0], [0.5, 5.0]])
def until(function, tensor, numbers):
    """How often it runs is known once it has run."""

    @function
    def halved(x):
        steps = 0
        while x[0] > 0.75:
            x = x / 2
            steps += 1
        return x, steps

    found = []
    for start in (4.0, 16.0):
        x, steps = halved(tensor([start]))
        found.append([numbers(x)[0], float(steps)])
    return found


@FLOW.pitfall("A loop over the rows", [3.0, 6.0, 10.0])
def rows(function, tensor):
    """As many rounds as there are rows, and each call has another number of them."""

    @function
    def total(x):
        found = 0.0
        for row in x:
            found = found + row
        return found

    return [float(total(tensor([float(n) for n in range(1, last)]))) for last in (3, 4, 5)]


@FLOW.pitfall("A recursion over a tree", [3.0, 6.0, 3.0])
def recursion(function, tensor):
    """The shape of the program is that of the argument."""

    @function
    def total(tree):
        if isinstance(tree, list):
            left, right = tree
            return total(left) + total(right)
        return tree

    one, two, three = (tensor(value) for value in (1.0, 2.0, 3.0))
    return [float(total(tree)) for tree in ([one, two], [[one, two], three], [one, two])]


@FLOW.pitfall("try and except around a look", [[2.0], [0.0], [2.0]])
def try_except(function, tensor, numbers):
    """What is not known while tracing can not fail there, and so is not caught there."""
    weights = {1.0: 2.0}

    @function
    def step(x):
        try:
            return x * weights[float(x[0])]
        except KeyError:
            return x * 0

    return [numbers(step(tensor([value]))) for value in (1.0, 3.0, 1.0)]


@FLOW.pitfall("assert", ["passed", "passed", "caught"])
def asserted(function, tensor):
    """Of a value that there is not yet; or it is dropped."""

    @function
    def step(x):
        assert x[0] > 0
        return x * 2

    said = []
    for value in (1.0, 2.0, -1.0):
        try:
            step(tensor([value]))
            said.append("passed")
        except AssertionError:
            said.append("caught")
    return said


@FLOW.pitfall("A comparison with itself, for NaN", [[1.0, 0.0], [1.0, 0.0]])
def nan_compared(function, tensor, numbers):
    """`x == x` is no tautology, whatever an optimiser thinks."""

    @function
    def kept(x):
        return (x == x) * 1.0

    return [numbers(kept(tensor([1.0, float("nan")]))) for _ in range(2)]


@nan_compared.on("tf.function")
def nan_compared_tensorflow(function, tensor, numbers, tf):
    """A bool is no number there."""

    @function
    def kept(x):
        return tf.cast(x == x, tf.float32)

    return [numbers(kept(tensor([1.0, float("nan")]))) for _ in range(2)]


@FLOW.pitfall("An iterator that it gives back", [[1.0, 2.0], [1.0, 2.0]])
def gives_iterator(function, tensor, numbers):
    """One for all calls, and empty after the first."""

    @function
    def multiples(x):
        return (x * factor for factor in (1.0, 2.0))

    return [[numbers(part)[0] for part in multiples(tensor([1.0]))] for _ in range(2)]


@FLOW.pitfall("Functions that call each other", [[6.0], [6.0], [15.0]])
def nested(function, tensor, numbers):
    """The inner one's guards are the outer one's business, too."""
    scale = 2.0

    @function
    def inner(x):
        return x * scale

    @function
    def outer(x):
        return inner(x) * 3

    found = [numbers(outer(tensor([1.0]))) for _ in range(2)]
    scale = 5.0
    return [*found, numbers(outer(tensor([1.0])))]


@FLOW.pitfall("A lambda, decorated in a loop", [[1.0], [2.0], [3.0]])
def fresh_lambdas(function, tensor, numbers):
    """Each is a new function: traced, and compiled, once more."""
    return [numbers(function(lambda x, k=k: x * k)(tensor([1.0]))) for k in (1, 2, 3)]


@FLOW.pitfall("Bound methods of two objects", [[2.0], [5.0], [2.0]])
def bound_methods(function, tensor, numbers):
    """One function by its text, two by what self is; and the objects live as long as the cache."""

    class Model:
        def __init__(self, scale):
            self.scale = scale

        def forward(self, x):
            return x * self.scale

    two, five = (function(Model(scale).forward) for scale in (2.0, 5.0))
    return [numbers(forward(tensor([1.0]))) for forward in (two, five, two)]


@FLOW.pitfall("The first call, by two threads at once", [[2.0], [4.0], [6.0], [8.0]])
def two_threads(function, tensor, numbers):
    """Both trace, or one gets what is half made."""
    found = {}

    @function
    def double(x):
        return x * 2

    def call(value):
        found[value] = numbers(double(tensor([value])))

    threads = [threading.Thread(target=call, args=(value,)) for value in (1.0, 2.0, 3.0, 4.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[value] for value in sorted(found)]
