"""Pitfalls: names that a function reads, and what they stand for by the time it is called."""

from __future__ import annotations

import os
import types

from comparisons.pitfalls.pitfall import Family

NAMES = Family("What it reads by name")


@NAMES.pitfall("A closure that is changed", [[2.0], [2.0], [5.0]])
def closure(function, tensor, numbers):
    """The value that it had when the function was traced."""
    scale = 2.0

    @function
    def scaled(x):
        return x * scale

    found = [numbers(scaled(tensor([1.0]))) for _ in range(2)]
    scale = 5.0
    return [*found, numbers(scaled(tensor([1.0])))]


SCALE = 2.0


@NAMES.pitfall("A global that is changed", [[2.0], [2.0], [5.0]])
def a_global(function, tensor, numbers):
    """The same of a name of the module."""
    global SCALE
    SCALE = 2.0

    @function
    def scaled(x):
        return x * SCALE

    found = [numbers(scaled(tensor([1.0]))) for _ in range(2)]
    SCALE = 5.0
    return [*found, numbers(scaled(tensor([1.0])))]


@NAMES.pitfall("A setting two attributes deep", [[2.0], [2.0], [5.0]])
def deep_attribute(function, tensor, numbers):
    """Whoever watches `config` does not see `config.model.scale`."""
    config = types.SimpleNamespace(model=types.SimpleNamespace(scale=2.0))

    @function
    def scaled(x):
        return x * config.model.scale

    found = [numbers(scaled(tensor([1.0]))) for _ in range(2)]
    config.model.scale = 5.0
    return [*found, numbers(scaled(tensor([1.0])))]


@NAMES.pitfall("An attribute that a helper method reads", [[2.0], [2.0], [5.0]])
def helper_method(function, tensor, numbers):
    """The decorated text does not name it at all."""

    class Model:
        def __init__(self):
            self.scale = 2.0
            self.forward = function(self.called)

        def called(self, x):
            return self.scaled(x)

        def scaled(self, x):
            return x * self.scale

    model = Model()
    found = [numbers(model.forward(tensor([1.0]))) for _ in range(2)]
    model.scale = 5.0
    return [*found, numbers(model.forward(tensor([1.0])))]


@NAMES.pitfall("A property", [[2.0], [2.0], [5.0]])
def a_property(function, tensor, numbers):
    """What looks like an attribute is computed from another one."""

    class Settings:
        percent = 200

        @property
        def scale(self):
            return self.percent / 100

    settings = Settings()

    @function
    def scaled(x):
        return x * settings.scale

    found = [numbers(scaled(tensor([1.0]))) for _ in range(2)]
    settings.percent = 500
    return [*found, numbers(scaled(tensor([1.0])))]


@NAMES.pitfall("A setting in a module of one's own", [[2.0], [2.0], [5.0]])
def module_setting(function, tensor, numbers):
    """`import settings`, and `settings.scale` in the function."""
    settings = types.ModuleType("settings")
    settings.scale = 2.0

    @function
    def scaled(x):
        return x * settings.scale

    found = [numbers(scaled(tensor([1.0]))) for _ in range(2)]
    settings.scale = 5.0
    return [*found, numbers(scaled(tensor([1.0])))]


@NAMES.pitfall("An object whose identity chooses", [[1.0], [-1.0], [1.0], [-1.0]])
def identity(function, tensor, numbers):
    """The branch of the object that was there first, for ever."""
    left, right = object(), object()
    turn = types.SimpleNamespace(left=left, right=right, current=left)

    @function
    def step(x):
        if turn.current is turn.left:
            turn.current = turn.right
            return x
        turn.current = turn.left
        return -x

    return [numbers(step(tensor([1.0]))) for _ in range(4)]


@NAMES.pitfall("A class that chooses", [[1.0], [1.0], [-1.0]])
def isinstance_branch(function, tensor, numbers):
    """`isinstance` of an object that is replaced by one of another class."""

    class Up:
        pass

    class Down:
        pass

    holder = types.SimpleNamespace(way=Up())

    @function
    def step(x):
        return x if isinstance(holder.way, Up) else -x

    found = [numbers(step(tensor([1.0]))) for _ in range(2)]
    holder.way = Down()
    return [*found, numbers(step(tensor([1.0])))]


@NAMES.pitfall("The order of a dict", [[3.0], [3.0], [4.0]])
def dict_order(function, tensor, numbers):
    """Equal dicts, as `==` sees them, that are gone through in another order."""
    stages = {"double": 2.0, "add": 1.0}

    @function
    def step(x):
        for stage, number in stages.items():
            x = x * number if stage == "double" else x + number
        return x

    found = [numbers(step(tensor([1.0]))) for _ in range(2)]
    stages["double"] = stages.pop("double")
    return [*found, numbers(step(tensor([1.0])))]


@NAMES.pitfall("An object in a list", [[2.0], [2.0], [5.0]])
def list_of_objects(function, tensor, numbers):
    """The list is the same, and so is the object: what it holds is not."""
    stages = [types.SimpleNamespace(scale=2.0)]

    @function
    def step(x):
        for stage in stages:
            x = x * stage.scale
        return x

    found = [numbers(step(tensor([1.0]))) for _ in range(2)]
    stages[0].scale = 5.0
    return [*found, numbers(step(tensor([1.0])))]


@NAMES.pitfall("A helper that is replaced", [[2.0], [2.0], [5.0]])
def replaced_helper(function, tensor, numbers):
    """A function that is patched, by a test or by hand, is still the old one."""

    class Library:
        @staticmethod
        def act(x):
            return x * 2

    @function
    def step(x):
        return Library.act(x)

    found = [numbers(step(tensor([1.0]))) for _ in range(2)]
    Library.act = staticmethod(lambda x: x * 5)
    return [*found, numbers(step(tensor([1.0])))]


@NAMES.pitfall("An attribute of a class", [[2.0], [2.0], [5.0]])
def class_attribute(function, tensor, numbers):
    """Settings that stand in a class, and no object of it."""

    class Settings:
        scale = 2.0

    @function
    def scaled(x):
        return x * Settings.scale

    found = [numbers(scaled(tensor([1.0]))) for _ in range(2)]
    Settings.scale = 5.0
    return [*found, numbers(scaled(tensor([1.0])))]


@NAMES.pitfall("A variable of the environment", [[2.0], [2.0], [5.0]])
def environment(function, tensor, numbers):
    """Set from outside, and read once."""
    os.environ["SCALE"] = "2.0"

    @function
    def scaled(x):
        return x * float(os.environ["SCALE"])

    found = [numbers(scaled(tensor([1.0]))) for _ in range(2)]
    os.environ["SCALE"] = "5.0"
    found.append(numbers(scaled(tensor([1.0]))))
    del os.environ["SCALE"]
    return found


@NAMES.pitfall("A method whose text is loaded anew", [[2.0], [2.0], [5.0]])
def reloaded(function, tensor, numbers):
    """As an editor's autoreload does it: the function is the same, its code another."""

    class Model:
        def forward(self, x):
            return x * 2

    def again(self, x):
        return x * 5

    model = Model()

    @function
    def step(x):
        return model.forward(x)

    found = [numbers(step(tensor([1.0]))) for _ in range(2)]
    Model.forward.__code__ = again.__code__
    return [*found, numbers(step(tensor([1.0])))]


@NAMES.pitfall("A default that is changed in place", [[1.0], [2.0], [3.0]])
def mutable_default(function, tensor, numbers):
    """`seen=[]` is one list for all calls."""

    @function
    def step(x, seen=[]):
        seen.append(1)
        return x * len(seen)

    return [numbers(step(tensor([1.0]))) for _ in range(3)]
