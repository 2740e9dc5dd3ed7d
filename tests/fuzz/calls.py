"""Which calls are made: those that mean something, with something in them changed."""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import dynamic
import static
from shared import data, nn, ops, optim
from tests.cases import all_cases
from tests.fuzz import garbage, objects
from tests.shared.nn.layers import LAYERS

SPACES: tuple[Any, ...] = (ops, ops.linalg, ops.fft)
"""What has public names of ops."""


@dataclass(frozen=True)
class Template:
    """A call that means something. name: what an error of it holds. method: whether that of another call
    which it makes will do."""

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()
    method: bool = False


def _t(function: Any, *args: Any, name: str = "", **settings: Any) -> Template:
    return Template(name or function.__name__, function, args, tuple(settings.items()))


@contextmanager
def _recorded(found: list[Template]) -> Iterator[None]:
    """Within the block each outermost call of a public op is noted."""
    before = {(space, name): getattr(space, name) for space in SPACES for name in space.__all__}
    depth = 0

    def noting(name: str, function: Any) -> Any:
        def call(*args: Any, **settings: Any) -> Any:
            nonlocal depth
            if not depth:
                found.append(Template(name, function, args, tuple(settings.items())))
            depth += 1
            try:
                return function(*args, **settings)
            finally:
                depth -= 1

        return call

    for (space, name), function in before.items():
        setattr(space, name, noting(name, function))
    try:
        yield
    finally:
        for (space, name), function in before.items():
            setattr(space, name, function)


@cache
def templates() -> dict[str, list[Template | str]]:
    """By the name of the public function. A name in `objects` stands for a call that is made when it is
    drawn."""
    found: list[Template] = []
    with _recorded(found):
        for case in all_cases():
            with suppress(Exception):
                case.call(*case.arrays("float32"))
    found += [_t(getattr(space, name), name=name) for space in SPACES for name in space.__all__]
    found += _of_the_engines() + _of_layers() + _of_optimisers() + _of_data()
    by_name: dict[str, list[Template | str]] = {}
    for template in found:
        by_name.setdefault(template.name, []).append(template)
    return by_name | {f"{name} of an object": [name] for name in objects.CALLS}


METHODS = (
    "sum", "mean", "reshape", "transpose", "max", "argmax", "astype", "flatten", "squeeze", "item",
    "backward", "detach", "clone", "fill_", "copy_", "to",
)  # fmt: skip

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def _add(i: Any) -> Any:
    return i + 1


def _of_the_engines() -> list[Template]:
    t = dynamic.tensor(X, requires_grad=True)
    found = [
        _t(dynamic.tensor, X, requires_grad=True, dtype="float32"), _t(dynamic.arange, 0, 5, 1),
        _t(dynamic.eye, 3), _t(dynamic.full, (2, 3), 1.0), _t(dynamic.linspace, 0, 1, 5),
        _t(dynamic.ones, (2, 3)), _t(dynamic.zeros, (2, 3)), _t(dynamic.rand, 2, 3), _t(dynamic.randn, 2, 3),
        _t(dynamic.manual_seed, 0),
        _t(dynamic.from_numpy, X), _t(dynamic.grad, ops.sum(t * t), [t]), _t(dynamic.vjp, ops.exp, [X], X),
        _t(dynamic.jvp, ops.exp, [X], [X]), _t(dynamic.hvp, lambda x: ops.sum(x * x), [X], [X]),
        _t(dynamic.jacobian, ops.exp, X), _t(dynamic.hessian, lambda x: ops.sum(x * x), X),
        _t(dynamic.value_and_grad, ops.sum), _t(dynamic.checkpoint, ops.exp, t), _t(dynamic.show, t),
        _t(dynamic.set_default_device, "cpu"), _t(dynamic.to_networkx, t),
        _t(static.placeholder, "float32", (None, 3), name_="x"), _t(static.constant, X),
        _t(static.placeholder_with_default, X, (None, 3)), _t(static.get_variable, "v", (2, 3)),
        _t(static.set_random_seed, 0), _t(static.random_normal, (2, 3)), _t(static.random_uniform, (2, 3)),
        _t(static.cond, static.constant(True), lambda: X, lambda: X), _t(static.group, static.constant(1.0)),
        _t(static.while_loop, lambda i: i < 3, _add, [static.constant(0)]), _t(static.identity, X),
        _t(static.scan, lambda c, x: (c + x, c), static.constant(0.0), static.constant([1.0, 2.0])),
        _t(static.map_fn, _add, static.constant([1.0, 2.0])),
        _t(static.case, [(static.constant(True), lambda: X)]),
        _t(static.gradients, ops.sum(static.constant(X)), [static.constant(X)]), _t(static.stop_gradient, X),
        _t(static.check_numerics, X, "message"), _t(static.Print, X, [X]), _t(static.Assert, True, [X]),
        _t(static.py_func, np.exp, [X], "float32"), _t(static.show, static.get_default_graph()),
        _t(static.Variable, X, name="Variable"), _t(static.Session), _t(static.Saver),
        _t(static.add_to_collection, "c", 1), _t(static.get_collection, "c"),
    ]
    found += [_t(getattr(t, name), name=name) for name in METHODS]
    return [
        Template(x.name, x.function, x.args, tuple((k.rstrip("_"), v) for k, v in x.settings)) for x in found
    ]


def _of_layers() -> list[Template]:
    made: dict[str, Template] = {}
    for entry in LAYERS:
        given = inspect.signature(entry.layer).parameters
        needed = [2 for p in given.values() if p.default is p.empty]
        made.setdefault(entry.layer.__name__, _t(entry.layer, *needed))
    calls = [_t(entry.make(), *entry.inputs, name=entry.layer.__name__) for entry in LAYERS]
    run = [Template(c.name, c.function.__call__, c.args) for c in calls]
    return [*made.values(), *run, _t(nn.manual_seed, 0), _t(nn.summary, nn.Linear(3, 2), (2, 3))]


def _of_optimisers() -> list[Template]:
    def parameters() -> list[Any]:
        return [nn.Parameter(np.ones(3, np.float32), "p")]

    kinds = [kind for kind in vars(optim).values() if isinstance(kind, type) and kind is not optim.Optimizer]
    rules = [kind for kind in kinds if issubclass(kind, optim.Optimizer)]
    return [_t(kind, parameters(), lr=0.1) for kind in rules]


def _of_data() -> list[Template]:
    sets = data.TensorDataset(X, X)
    return [
        _t(data.TensorDataset, X, X), _t(data.DataLoader, sets, 1, shuffle=True, seed=0),
        _t(data.SequenceLoader, X, batch_size=1, length=1), _t(data.random_split, sets, [1, 1], seed=0),
        _t(data.batches, X, X, 1, seed=0),
        _t(data.default_collate, [X, X]),
    ]


def _made(name: str) -> Template:
    """A call of something new."""
    call = objects.CALLS[name]()
    words = re.sub(r"^\w+\.(?=\w)", "", name.partition(" ")[0])
    return Template(words, call.function, call.args, tuple(call.settings.items()), method=True)


def drawn(rng: random.Random) -> Template:
    """A call with something in it changed: an argument, a setting, how many there are."""
    named = templates()
    template = rng.choice(named[rng.choice(list(named))])
    if isinstance(template, str):
        template = _made(template)
    args, settings = list(template.args), dict(template.settings)
    for i, x in enumerate(args):
        if type(x) is np.ndarray and rng.random() < 0.3:
            args[i] = garbage.wrapped(rng, x)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        known = _settings_of(template.function)
        choice = rng.random()
        if choice < 0.55 and args:
            args[rng.randrange(len(args))] = garbage.value(rng)
        elif choice < 0.9 and known:
            settings[rng.choice(known)] = garbage.value(rng)
        elif choice < 0.95 and args:
            args.pop(rng.randrange(len(args)))
        else:
            args.insert(rng.randrange(len(args) + 1), garbage.value(rng))
    return Template(template.name, template.function, tuple(args), tuple(settings.items()), template.method)


def _settings_of(function: Any) -> list[str]:
    try:
        given = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in given if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name != "self"]
