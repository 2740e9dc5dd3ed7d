"""Every method of a public class that takes something has a door, or a reason why it needs none."""

from __future__ import annotations

import inspect
from types import FunctionType

import pytest

import dynamic
import static
from shared import data, models, nn, optim
from shared.data import transforms
from shared.errors import DiptychError
from shared.source import is_ours

CALLED = ("__call__", "__getitem__", "__setitem__")

WITHIN = {
    "Module.__call__", "Optimizer.step", "Session.run", "Loaded.run", "Loaded.__call__", "Graph.save",
    "Graph.export_onnx", "TensorDataset.__getitem__",
}  # fmt: skip
"""Called so often that the door stands in the method itself: there it costs nothing."""

CHECKED = {
    "Optimizer.slots", "Kept.slots", "Optimizer.zero_grad", "Module.zero_grad", "_Characters.state_shapes",
    "Operators.__getitem__", "InPlace.__setitem__", "Tensor.__setitem__", "Tensor.backward",
}  # fmt: skip
"""They check what they are given, or hand it to an op, which has a door."""

WRITTEN_BY_USERS = {
    "Hook.before", "Hook.after", "Module.forward", "Module.settings", "Optimizer.check", "Optimizer.starts",
    "Optimizer.rates", "Optimizer.rule", "Optimizer.tally", "Dataset.batch", "Dataset.__getitem__",
    "Loader.made",
}  # fmt: skip
"""What subclasses write, and others call that have a door."""

OF_THE_PACKAGE = {
    "Graph": {
        "add", "assign", "capture", "check_open", "dim", "find", "is_inside", "named", "note_sizes", "read",
        "source_of", "unique_name", "waits_for",
    },
    "Node": {"free", "residuals", "check_unchanged"},
    "State": {"called", "hold"},
    "Block": {"off"},
    "Optimizer": {"assignments", "named_states", "update"},
    "Kept": {"named_states"},
    "ContextDecorator": {"__call__"},
}  # fmt: skip
"""What one part of Diptych asks of another."""


def public_classes() -> list[type]:
    found: dict[type, None] = {}
    for package in (dynamic, static, nn, optim, data, models):
        named = [getattr(package, name) for name in package.__all__]
        found |= dict.fromkeys(kind for kind in named if isinstance(kind, type))
    found |= dict.fromkeys(kind for kind in vars(transforms).values() if isinstance(kind, type))
    kinds = [kind for kind in found if not issubclass(kind, Exception)]
    bases = dict.fromkeys(base for kind in kinds for base in kind.__mro__)
    return [base for base in bases if is_ours(getattr(inspect.getmodule(base), "__file__", None) or "")]


def takes_something(method: FunctionType) -> bool:
    return any(name != "self" for name in inspect.signature(method).parameters)


def names_of(kind: type, name: str) -> set[str]:
    """By what a method may go in the tables above: the class, or a base of it that has the method."""
    return {f"{base.__name__}.{name}" for base in kind.__mro__ if name in vars(base)}


EXCUSED = WITHIN | CHECKED | WRITTEN_BY_USERS | {
    f"{owner}.{one}" for owner, names in OF_THE_PACKAGE.items() for one in names
}


@pytest.mark.parametrize("kind", public_classes(), ids=lambda kind: kind.__qualname__)
def test_a_method_that_takes_something_has_a_door(kind: type) -> None:
    for name, method in vars(kind).items():
        if not isinstance(method, FunctionType) or (name.startswith("_") and name not in CALLED):
            continue
        has_door = hasattr(method, "__wrapped__") or not takes_something(method)
        assert has_door or names_of(kind, name) & EXCUSED, (
            f"no door before {kind.__name__}.{name}: methods({kind.__name__}, {name!r}), or a line above"
        )


def test_a_method_names_its_class_what_it_was_given_and_what_it_takes() -> None:
    with pytest.raises(DiptychError, match=r"^StepLR.__call__\('x'\): .*as StepLR.__call__\(step\)"):
        optim.StepLR(0.1, 3)("x")


def test_a_method_leaves_an_error_that_names_a_call_as_it_is() -> None:
    with pytest.raises(DiptychError, match=r"^MLP: sizes must be"):
        nn.Sequential(nn.Identity()).apply(lambda module: models.MLP((1,)))


def test_a_group_of_parameters_that_does_not_fit_changes_nothing() -> None:
    first, second = nn.Parameter([1.0], "first"), nn.Parameter([1.0], "second")
    optimizer = optim.SGD([first], lr=0.1)
    for wrong in ({"params": [second, first]}, {"params": [second, 3]}, {"params": [second], "lr": "x"}, {}):
        with pytest.raises(DiptychError):
            optimizer.add_param_group(wrong)
    assert optimizer.parameters == [first]
    optimizer.add_param_group({"params": [second]})
    assert optimizer.parameters == [first, second]
