"""A function as TensorFlow 1 calls it: with its order of arguments, its keywords, and `name=`."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from inspect import signature
from typing import Any

import numpy as np

from shared.dims import Dim
from shared.dispatch import engine_of_type, using
from shared.errors import ArgumentError, SettingError
from shared.usage.door import refused
from static.graph.create import identity
from static.graph.graph import Node, Tensor, get_default_graph
from static.graph.operands import as_tensor
from static.graph.sizes import Sizes
from static.graph.unused import changes_nothing

_NONE: Any = object()


@dataclass(frozen=True)
class Argument:
    """One that TensorFlow 1's function takes.

    names    how it may be called, ours first
    default  what it is unless it is given, or _NONE: our function decides
    array    whether ours takes it by position: a Tensor, or what becomes one
    idle     whether it changes nothing here
    """

    names: tuple[str, ...]
    default: Any
    array: bool
    idle: bool


@cache
def arguments(takes: str) -> tuple[Argument, ...]:
    """What a line of the table says: `"x y / axis|dimension:0 ~validate"`, in TensorFlow 1's order. Before
    the slash stand arrays; `|` stands before other names, `:` before a default, `~` before what is idle."""
    found: list[Argument] = []
    array = "/" in takes.split()
    for token in takes.split():
        if token == "/":
            array = False
            continue
        names, _, default = token.lstrip("~").partition(":")
        value = literal_eval(default) if default else _NONE
        found.append(Argument(tuple(names.split("|")), value, array, token.startswith("~")))
    return tuple(found)


def word(name: str, function: Callable[..., Any], takes: str | None) -> Callable[..., Any]:
    """`function` under a name of TensorFlow 1's, called as `takes` says (None: as it is), with `name=`."""
    own = takes is None and _takes_name(function)

    @wraps(function)
    def said(*args: Any, **settings: Any) -> Any:
        try:
            wish = None if own else settings.pop("name", None)
            if wish is not None and not isinstance(wish, str):
                raise SettingError(f"{name}: name is text, not {wish!r}")
            before = len(get_default_graph().nodes)
            if takes is not None:
                given, settings = _bound(name, arguments(takes), args, settings)
                args = tuple(given)
            with described():
                made = function(*args, **settings)
            if isinstance(made, np.ndarray):
                made = as_tensor(made)
            elif type(made) in (list, tuple) and any(isinstance(part, np.ndarray) for part in made):
                made = type(made)(as_tensor(part) for part in made)
            return made if wish is None else named(made, wish, before)
        except Exception as error:
            refused(name, error, function, args, settings)
            raise

    said.__name__ = said.__qualname__ = name.rpartition(".")[2]
    said.__module__ = "static"
    if takes is not None:
        said.__doc__ = f"`{name}({_told(takes)}, name)` of TensorFlow 1: {function.__doc__}"
        del said.__wrapped__
    return said


def described() -> using:
    """Open while what has no Tensor among its arguments shall be described, too, and not computed."""
    return using(engine_of_type(Tensor))


def _takes_name(function: Callable[..., Any]) -> bool:
    try:
        return "name" in signature(function).parameters
    except (TypeError, ValueError):
        return False


def _told(takes: str) -> str:
    return ", ".join(argument.names[0] for argument in arguments(takes))


def _bound(
    call: str, known: Sequence[Argument], args: Sequence[Any], settings: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments and settings of our function, from those of TensorFlow 1's."""
    if len(args) > len(known):
        raise ArgumentError(f"{call}: takes {_listed(known)}, not {len(args)} arguments")
    by_name = {name: argument for argument in known for name in argument.names}
    given = dict(zip(known, args, strict=False))
    for name, value in settings.items():
        if (argument := by_name.get(name)) is None:
            raise ArgumentError(f"{call}: there is no {name}= here; it takes {_listed(known)}")
        if argument in given:
            raise ArgumentError(f"{call}: {name} is given twice; it takes {_listed(known)}")
        given[argument] = value
    arrays: list[Any] = []
    named: dict[str, Any] = {}
    for argument in known:
        value = given.get(argument, argument.default)
        if value is _NONE:
            continue
        if argument.idle and value is not False:
            changes_nothing(call, "it is so in any case", **{argument.names[0]: value})
        elif argument.idle:
            continue
        elif argument.array:
            arrays.append(as_tensor(value) if isinstance(value, (Dim, Sizes)) else value)
        else:
            named[argument.names[0]] = value
    return arrays, named


def _listed(known: Sequence[Argument]) -> str:
    return ", ".join(" or ".join(argument.names) for argument in known) + ", name"


def named(made: Any, name: str, before: int) -> Any:
    """What a function has made, called `name`: its first node, or, where that is older, an identity of it."""
    first = made[0] if isinstance(made, (list, tuple)) and made else made
    node = first.node if isinstance(first, Tensor) else first
    if not isinstance(node, Node):
        return made
    if node.graph is get_default_graph() and node.order >= before:
        node.graph.rename(node, name)
        return made
    return identity(made, name) if first is made and isinstance(made, Tensor) else made
