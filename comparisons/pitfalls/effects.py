"""Pitfalls: what a function does beside computing, and what it asks of the world."""

from __future__ import annotations

import random
import time
from typing import ClassVar

import numpy as np

from comparisons.pitfalls.pitfall import Family

EFFECTS = Family("What it does beside computing")


@EFFECTS.pitfall("A print in the function", ["doubling"] * 3)
def print_once(function, tensor):
    """Where Python runs while tracing alone, it prints then, and never again."""

    @function
    def double(x):
        print("doubling")
        return x * 2

    for _ in range(3):
        double(tensor([1.0, 2.0]))


@EFFECTS.pitfall("A list that it appends to", [0, 1, 2])
def append(function, tensor):
    """A history of losses that stays at one entry, which is no number."""
    history: list[int] = []

    @function
    def double(x):
        history.append(len(history))
        return x * 2

    for _ in range(3):
        double(tensor([1.0, 2.0]))
    return history


@EFFECTS.pitfall("A counter that it computes with", [[1.0], [2.0], [3.0]])
def counter(function, tensor, numbers):
    """The first value of a counter becomes a constant."""
    count = 0

    @function
    def step(x):
        nonlocal count
        count += 1
        return x * count

    return [numbers(step(tensor([1.0]))) for _ in range(3)]


@EFFECTS.pitfall("A method that counts its calls", [[1.0], [2.0], [3.0]])
def counted_calls(function, tensor, numbers):
    """An attribute of self is changed once, while tracing."""

    class Warmup:
        calls = 0

        def __init__(self):
            self.scaled = function(self.scale)

        def scale(self, x):
            self.calls += 1
            return x * self.calls

    warmup = Warmup()
    return [numbers(warmup.scaled(tensor([1.0]))) for _ in range(3)]


@EFFECTS.pitfall("A list that belongs to a class", [1.0, 2.0, 3.0])
def class_list(function, tensor):
    """It is one list for all models, and each call adds to it."""

    class Model:
        sizes: ClassVar[list[float]] = []

        def forward(self, x):
            Model.sizes.append(len(Model.sizes) + 1.0)
            return x * 2

    model = Model()
    forward = function(model.forward)
    for _ in range(3):
        forward(tensor([1.0]))
    return Model.sizes


@EFFECTS.pitfall("A value kept for later", [6.0, 8.0])
def leaked(function, tensor, numbers):
    """What is put aside is a stand-in of the trace, and no value."""
    kept = {}

    @function
    def forward(x):
        kept["hidden"] = x * 2
        return kept["hidden"] + 1

    for start in (1.0, 2.0, 3.0):
        forward(tensor([start, start + 1]))
    return numbers(kept["hidden"])


@EFFECTS.pitfall("A random number of NumPy's", True)
def numpy_random(function, tensor, numbers):
    """Drawn once: the same noise in every step."""

    @function
    def noisy(x):
        return x + np.random.standard_normal()

    first, second, third = (numbers(noisy(tensor([0.0]))) for _ in range(3))
    return first != second != third


@EFFECTS.pitfall("A NumPy generator of one's own", True)
def own_generator(function, tensor, numbers):
    """No global state gives it away."""
    rng = np.random.default_rng(0)

    @function
    def noisy(x):
        return x + rng.standard_normal()

    first, second, third = (numbers(noisy(tensor([0.0]))) for _ in range(3))
    return first != second != third


@EFFECTS.pitfall("A coin of Python's", [0.0, 0.0, 1.0, 1.0, 0.0, 1.0])
def coin(function, tensor, numbers):
    """One throw decides for ever: a layer is always dropped, or never."""
    coin = random.Random(0)

    @function
    def maybe(x):
        if coin.random() < 0.5:
            return x
        return x * 0

    return [numbers(maybe(tensor([1.0])))[0] for _ in range(6)]


@EFFECTS.pitfall("The time of day", True)
def clock(function, tensor, numbers):
    """A timer in a function of which nothing is left measures nothing."""
    start = time.perf_counter()

    @function
    def stamped(x):
        return x + (time.perf_counter() - start)

    first = numbers(stamped(tensor([0.0])))
    time.sleep(0.01)
    second = numbers(stamped(tensor([0.0])))
    time.sleep(0.01)
    return first < second < numbers(stamped(tensor([0.0])))


@EFFECTS.pitfall("An iterator that it takes the next of", [[1.0], [2.0], [3.0]])
def iterator(function, tensor, numbers):
    """The first batch in each step."""
    batches = iter([1.0, 2.0, 3.0])

    @function
    def step(x):
        return x * next(batches)

    return [numbers(step(tensor([1.0]))) for _ in range(3)]
