"""Variables by name: `get_variable` and variable scopes.

`variable_scope` says, where TensorFlow 1 left it to chance, whether a name is new or shared:
without `reuse` a name that exists is an error, with `reuse=True` one that does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.casting import cast_number
from shared.durable.interrupts import block, within
from shared.errors import GraphError, SettingError
from shared.spec import as_dtype, in_short
from static.graph.collections import REGULARIZATION_LOSSES, add_to_collection
from static.graph.graph import Graph, Tensor, call_within, current_call, get_default_graph
from static.graph.guard import guarded
from static.graph.variables import Variable

AUTO_REUSE = "auto"


@dataclass
class VariableScope:
    """Where `get_variable` is: a path, whether names in it are shared, and what variables in it get.

    original_name_scope  the name scope that was opened with it: `name_scope(scope.original_name_scope)`
                         enters it once more
    """

    name: str = ""
    reuse: bool | str = False
    initializer: Any = None
    regularizer: Callable[[Any], Any] | None = None
    dtype: Any = None
    original_name_scope: str = ""

    def reuse_variables(self) -> None:
        """Share what there is from here on, as if the scope had been opened with reuse=True."""
        self.reuse = True


_current: ContextVar[VariableScope | None] = ContextVar("variable_scope", default=None)


def get_variable_scope() -> VariableScope:
    """The scope in which `get_variable` is now."""
    scope = _current.get()
    if scope is None:
        graph = get_default_graph().root()
        scope = graph.root_scope = graph.root_scope or VariableScope()
    return scope


@block
def variable_scope(
    name_or_scope: str | VariableScope | None = None,
    default_name: str | None = None,
    values: Any = None,
    initializer: Any = None,
    regularizer: Callable[[Any], Any] | None = None,
    *,
    reuse: bool | str | None = None,
    dtype: Any = None,
) -> within:
    """Variables made within the block by `get_variable` are called `name/...`; a name scope of the last part
    of that name is opened too, in which all else that is made has its name.

    name_or_scope  a name, inside the scope at hand, or "" for that scope itself; what another
                   `variable_scope` gave, to enter that scope once more, wherever this is; or None
    default_name   the name in the place of None; it is numbered where it is taken
    reuse          True: variables must exist already and are shared; AUTO_REUSE: shared if they exist,
                   else made; False: they must be new. A scope inside a reusing one reuses too.
    initializer, dtype  for variables that are given none; see `get_variable`
    regularizer    a function from a new variable to a loss, which goes into REGULARIZATION_LOSSES
    values         changes nothing: the graph is the default one
    """
    outer, graph = get_variable_scope(), get_default_graph().root()
    base = name_or_scope if isinstance(name_or_scope, VariableScope) else outer
    if isinstance(name_or_scope, VariableScope):
        path = name_or_scope.name
        inside = path.rpartition("/")[2]
    elif isinstance(name_or_scope, str):
        inside, path = name_or_scope, _path(outer, name_or_scope)
    elif name_or_scope is None and isinstance(default_name, str):
        if reuse is True:
            raise SettingError("variable_scope: reuse=True shares what has a name; give name_or_scope")
        inside = _numbered(graph, outer, default_name)
        path = _path(outer, inside)
    else:
        raise SettingError(
            f"variable_scope: {name_or_scope!r} is neither a name nor a scope; give a string, or what "
            "another variable_scope gave"
        )
    _opened(graph, path, outer)
    changes, opened = [], current_call.get()
    if inside:
        names = call_within(get_default_graph(), inside, opened)
        changes, opened = list(names.changes), names.gives
    scope = VariableScope(
        path, reuse or base.reuse, initializer or base.initializer, regularizer or base.regularizer,
        dtype or base.dtype, f"{opened.name}/" if opened else "",
    )  # fmt: skip
    return within((_current, scope), *changes, gives=scope)


def _path(outer: VariableScope, name: str) -> str:
    return "/".join(part for part in (outer.name, name.rstrip("/")) if part)


def _numbered(graph: Graph, outer: VariableScope, name: str) -> str:
    """A scope's name that is not taken."""
    found, count = name, 0
    while graph.scopes.get(_path(outer, found)):
        count += 1
        found = f"{name}_{count}"
    return found


def _opened(graph: Graph, path: str, outer: VariableScope) -> None:
    """Count a scope as opened. One that is not open already numbers what is inside it anew, so that a model
    that is called once more in it meets its layers under their names."""
    graph.scopes[path] = graph.scopes.get(path, 0) + 1
    if path and not f"{outer.name}/".startswith(f"{path}/"):
        for inner in [known for known in graph.scopes if known.startswith(f"{path}/")]:
            del graph.scopes[inner]


@guarded
def get_variable(
    name: str,
    shape: Sequence[int] | int | None = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Callable[[Any], Any] | None = None,
    trainable: bool = True,
    collections: Sequence[str] | None = None,
) -> Variable:
    """The variable of this name in the current variable scope: made, or shared, as the scope says. Name
    scopes have no part in its name.

    dtype        float32 by default, or an initial array's own. GraphError where a shared variable has another
    initializer  an array, a Tensor, or a function of the shape that gives one; by default Glorot's uniform
                 for two axes or more (Glorot and Bengio 2010), zeros for fewer
    regularizer  a function from a new variable to a loss, which goes into REGULARIZATION_LOSSES
    collections  names under which a new variable is remembered, beside those that all are in
    """
    scope, graph = get_variable_scope(), get_default_graph().root()
    path = _path(scope, name)
    known = graph.named_variables.get(path)
    if known is not None:
        if scope.reuse is False:
            raise GraphError(
                f"get_variable: variable {path!r} already exists, disallowed here; did you mean to "
                "share it (variable_scope(..., reuse=True)), or to use another name?"
            )
        if shape is not None and known.shape != _sizes(shape):
            raise GraphError(
                f"get_variable: {path!r} has shape {known.shape}, and {_sizes(shape)} was asked for"
            )
        if dtype is not None and known.dtype != as_dtype(dtype):
            raise GraphError(
                f"get_variable: {path!r} is {known.dtype}, and {as_dtype(dtype)} was asked for; ask for "
                "the dtype that it has, or use another name"
            )
        return known
    if scope.reuse is True:
        raise GraphError(
            f"get_variable: variable {path!r} does not exist, or was not made by get_variable; did "
            "you mean reuse=AUTO_REUSE?"
        )
    with graph.as_default():  # outside of all name scopes
        value = _first(path, initializer, shape, dtype or scope.dtype)
        variable = Variable(value, trainable, path, collections=collections)
        graph.named_variables[path] = variable
        if (charge := regularizer or scope.regularizer) and (loss := charge(variable)) is not None:
            add_to_collection(REGULARIZATION_LOSSES, loss)
    return variable


def _first(path: str, given: Any, shape: Any, dtype: Any) -> Any:
    """The value from which a new variable of this path starts."""
    value = given if given is not None else get_variable_scope().initializer or _glorot
    value = value() if isinstance(value, type) else value
    if callable(value):
        if shape is None:
            raise GraphError(f"get_variable: {path!r} is new, so it needs a shape or an initial array")
        value = value(_sizes(shape))
        value = value if isinstance(value, Tensor) else np.asarray(value)
        if isinstance(value, np.ndarray) and (
            dtype is None or (as_dtype(dtype).kind in "iub" and bool((np.trunc(value) == value).all()))
        ):
            value = value.astype(as_dtype(dtype or "float32"))  # zeros and ones are floats as they are drawn
    if dtype is None:
        return value
    if isinstance(value, Tensor):
        return value.astype(dtype)
    return cast_number("get_variable", f"variable {path!r}", value, as_dtype(dtype))


def _sizes(shape: Sequence[int] | int) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not all(isinstance(size, int | np.integer) and size >= 0 for size in sizes):
        raise SettingError(f"get_variable: a shape is made of sizes from 0 up, not {in_short(shape)}")
    return tuple(int(size) for size in sizes)


def _glorot(shape: tuple[int, ...]) -> Any:
    if len(shape) < 2:
        return np.zeros(shape)
    receptive = int(np.prod(shape[:-2]))
    bound = np.sqrt(6 / (receptive * (shape[-2] + shape[-1])))
    return np.random.default_rng(get_default_graph().root().next_seed()).uniform(-bound, bound, shape)
