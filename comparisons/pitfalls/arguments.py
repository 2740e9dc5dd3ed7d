"""Pitfalls: what a function is given."""

from __future__ import annotations

import types

from comparisons.pitfalls.pitfall import Family

ARGUMENTS = Family("What it is given")


@ARGUMENTS.pitfall("A learning rate that is a Python float", [[0.5], [0.25], [0.125], [0.0625]])
def float_rate(function, tensor, numbers):
    """A number is a constant: either the first one stays, or each is traced and compiled for."""

    @function
    def step(x, rate):
        return x * rate

    return [numbers(step(tensor([1.0]), 0.5**n)) for n in (1, 2, 3, 4)]


@ARGUMENTS.pitfall("An int that is another in each call", [[1.0], [2.0], [4.0], [8.0]])
def int_count(function, tensor, numbers):
    """How often a loop runs is a constant of the graph."""

    @function
    def doubled(x, times):
        for _ in range(times):
            x = x * 2
        return x

    return [numbers(doubled(tensor([1.0]), times)) for times in range(4)]


@ARGUMENTS.pitfall("A str that chooses", [[2.0], [-1.0], [2.0]])
def str_argument(function, tensor, numbers):
    """Some systems take no text as an argument."""

    @function
    def step(x, mode):
        return x * 2 if mode == "double" else -x

    return [numbers(step(tensor([1.0]), mode)) for mode in ("double", "negate", "double")]


@ARGUMENTS.pitfall("1, 1.0 and True", [[1.0], [2.0], [3.0], [1.0]])
def kinds_of_one(function, tensor, numbers):
    """They are equal, and they hash alike: whoever looks them up in a dict finds the first."""

    @function
    def step(x, flag):
        if isinstance(flag, bool):
            return x * 3
        return x * 2 if isinstance(flag, float) else x

    return [numbers(step(tensor([1.0]), one)) for one in (1, 1.0, True, 1)]


@ARGUMENTS.pitfall("A last batch that is smaller", [2.0, 2.0, 3.0])
def last_batch(function, tensor):
    """The size that is divided by is the first one's."""

    @function
    def mean(x):
        total = x[0] + x[1]
        for row in range(2, len(x)):
            total = total + x[row]
        return total / len(x)

    batches = [1.0, 2.0, 3.0], [2.0, 2.0, 2.0], [2.0, 4.0]
    return [float(mean(tensor(batch))) for batch in batches]


@ARGUMENTS.pitfall("Keywords in another order", [[3.0], [3.0], [4.0]])
def keyword_order(function, tensor, numbers):
    """The same keywords with the same values, and Python tells their order."""

    @function
    def step(x, **stages):
        for stage, number in stages.items():
            x = x * number if stage == "double" else x + number
        return x

    found = [numbers(step(tensor([1.0]), double=2.0, add=1.0)) for _ in range(2)]
    return [*found, numbers(step(tensor([1.0]), add=1.0, double=2.0))]


@ARGUMENTS.pitfall("A generator as an argument", [[6.0], [1.0]])
def generator(function, tensor, numbers):
    """It is used up by one call, and gives the next one nothing."""

    @function
    def step(x, factors):
        for factor in factors:
            x = x * factor
        return x

    factors = (factor for factor in (2.0, 3.0))
    return [numbers(step(tensor([1.0]), factors)) for _ in range(2)]


@ARGUMENTS.pitfall("A list that grows", [[1.0], [3.0], [6.0]])
def growing_list(function, tensor, numbers):
    """A cache of what came before, one longer in each call."""
    cache = []

    @function
    def total(parts):
        found = parts[0]
        for part in parts[1:]:
            found = found + part
        return found

    found = []
    for value in (1.0, 2.0, 3.0):
        cache.append(tensor([value]))
        found.append(numbers(total(cache)))
    return found


@ARGUMENTS.pitfall("A list that it is given, and adds to", [1.0, 2.0, 4.0])
def added_to(function, tensor, numbers):
    """What is added is added to a copy, or to nothing."""

    @function
    def extend(cache):
        cache.append(cache[-1] * 2)
        return cache[-1] * 1

    cache = [tensor([1.0])]
    for _ in range(2):
        extend(cache)
    return [numbers(part)[0] for part in cache]


@ARGUMENTS.pitfall("An object whose fields change", [[2.0], [2.0], [5.0]])
def changed_argument(function, tensor, numbers):
    """It is the same object in each call."""
    config = types.SimpleNamespace(scale=2.0)

    @function
    def scaled(x, config):
        return x * config.scale

    found = [numbers(scaled(tensor([1.0]), config)) for _ in range(2)]
    config.scale = 5.0
    return [*found, numbers(scaled(tensor([1.0]), config))]


@ARGUMENTS.pitfall("An argument that is changed in place", [[9.0, 2.0], [9.0, 2.0]])
def in_place(function, tensor, numbers):
    """The caller's array is to be changed, too."""

    @function
    def clear(x):
        x[0] = 9.0
        return x * 1

    found = []
    for _ in range(2):
        x = tensor([1.0, 2.0])
        y = clear(x)
        found = [numbers(x), numbers(y)]
    return found


@ARGUMENTS.pitfall("A result that shares the input's memory", [[7.0, 2.0], [7.0]])
def shared_memory(function, tensor, numbers):
    """What is a view line by line is a copy when a program gives it."""

    @function
    def first(x):
        return x[:1]

    for _ in range(2):
        x = tensor([1.0, 2.0])
        y = first(x)
    y[0] = 7.0
    return [numbers(x), numbers(y)]


@ARGUMENTS.pitfall("NaN as an argument", [True, True, False])
def nan_argument(function, tensor, numbers):
    """NaN is not equal to itself: one NaN is not found by looking for another, nor a number by comparing."""

    @function
    def filled(x, missing):
        return x if missing == missing else x * 0

    found = [numbers(filled(tensor([1.0]), float("nan"))) == [0.0] for _ in range(2)]
    return [*found, numbers(filled(tensor([1.0]), 1.0)) == [0.0]]
