"""Variables by name: `get_variable` and variable scopes; and collections.

`variable_scope` says, where TensorFlow 1 left it to chance, whether a name is new or shared:
without `reuse` a name that exists is an error, with `reuse=True` one that does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shared.casting import cast_number
from shared.durable.interrupts import block, within
from shared.errors import GraphError, SettingError
from shared.spec import as_dtype, in_short
from static.graph.graph import Node, call_within, current_call, get_default_graph
from static.graph.guard import guarded
from static.graph.variables import Variable

AUTO_REUSE = "auto"
TRAINABLE_VARIABLES, GLOBAL_VARIABLES, UPDATE_OPS = "trainable_variables", "variables", "update_ops"


@dataclass(frozen=True)
class VariableScope:
    """Where `get_variable` is: a path, and whether names in it are shared.

    original_name_scope  the name scope that was opened with it: `name_scope(scope.original_name_scope)`
                         enters it once more
    """

    name: str = ""
    reuse: bool | str = False
    initializer: Callable[[tuple[int, ...]], Any] | None = None
    original_name_scope: str = ""


_ROOT = VariableScope()
_current: ContextVar[VariableScope] = ContextVar("variable_scope", default=_ROOT)


@block
def variable_scope(
    name_or_scope: str | VariableScope,
    reuse: bool | str | None = None,
    initializer: Callable[[tuple[int, ...]], Any] | None = None,
) -> within:
    """Variables made within the block by `get_variable` are called `name/...`; a name scope of the last part
    of that name is opened too, in which all else that is made has its name.

    name_or_scope  a name, inside the scope at hand, or "" for that scope itself; or what another
                   `variable_scope` gave, to enter that scope once more, wherever this is
    reuse          True: variables must exist already and are shared; AUTO_REUSE: shared if they exist,
                   else made; False: they must be new. A scope inside a reusing one reuses too.
    initializer    shape -> array, for variables that are given none
    """
    outer = _current.get()
    if isinstance(name_or_scope, VariableScope):
        base, path = name_or_scope, name_or_scope.name
        inside = path.rpartition("/")[2]
    elif isinstance(name_or_scope, str):
        base, inside = outer, name_or_scope
        path = "/".join(part for part in (outer.name, name_or_scope.rstrip("/")) if part)
    else:
        raise SettingError(
            f"variable_scope: {name_or_scope!r} is neither a name nor a scope; give a string, or what "
            "another variable_scope gave"
        )
    changes, opened = [], current_call.get()
    if inside:
        names = call_within(get_default_graph(), inside, opened)
        changes, opened = list(names.changes), names.gives
    scope = VariableScope(
        path, reuse or base.reuse, initializer or base.initializer, f"{opened.name}/" if opened else ""
    )
    return within((_current, scope), *changes, gives=scope)


@guarded
def get_variable(
    name: str,
    shape: Sequence[int] | int | None = None,
    dtype: Any = None,
    initializer: Any = None,
    trainable: bool = True,
) -> Variable:
    """The variable of this name in the current variable scope: made, or shared, as the scope says. Name
    scopes have no part in its name.

    dtype        float32 by default, or an initial array's own. GraphError where a shared variable has another
    initializer  an array, or a function shape -> array; by default Glorot's uniform for two
                 axes or more (Glorot and Bengio 2010), zeros for fewer
    """
    scope, graph = _current.get(), get_default_graph().root()
    path = f"{scope.name}/{name}" if scope.name else name
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
    value = initializer if initializer is not None else scope.initializer or _glorot
    if callable(value):
        if shape is None:
            raise GraphError(f"get_variable: {path!r} is new, so it needs a shape or an initial array")
        value = np.asarray(value(_sizes(shape)))
        if dtype is None or (as_dtype(dtype).kind in "iub" and bool((np.trunc(value) == value).all())):
            value = value.astype(as_dtype(dtype or "float32"))  # zeros and ones are floats as they are drawn
    if dtype is not None:
        value = cast_number("get_variable", f"variable {path!r}", value, as_dtype(dtype))
    with graph.as_default():  # outside of all name scopes
        variable = Variable(value, trainable, path)
    graph.named_variables[path] = variable
    return variable


def _sizes(shape: Sequence[int] | int) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not all(isinstance(size, int | np.integer) and size >= 0 for size in sizes):
        raise SettingError(f"get_variable: a shape is made of sizes from 0 up, not {in_short(shape)}")
    return sizes


def _glorot(shape: tuple[int, ...]) -> Any:
    if len(shape) < 2:
        return np.zeros(shape)
    receptive = int(np.prod(shape[:-2]))
    bound = np.sqrt(6 / (receptive * (shape[-2] + shape[-1])))
    return np.random.default_rng(get_default_graph().root().next_seed()).uniform(-bound, bound, shape)


def get_variable_scope() -> VariableScope:
    """The scope in which `get_variable` is now."""
    return replace(_current.get())


# --- collections ---------------------------------------------------------------------------


def global_variables() -> list[Variable]:
    """Every variable of the default graph."""
    return list(get_default_graph().root().variables)


def trainable_variables() -> list[Variable]:
    """The variables of the default graph that optimisers may change."""
    return [variable for variable in get_default_graph().root().variables if variable.trainable]


def add_to_collection(name: str, value: Any) -> None:
    """Remember a value in the default graph under a name."""
    get_default_graph().root().collections.setdefault(name, []).append(value)


def get_collection(name: str) -> list[Any]:
    """What was remembered under a name; UPDATE_OPS are the assignments that modules made when they
    were called (running statistics), be it inside a loop or branch; `minimize` runs them by itself."""
    graph = get_default_graph().root()
    built_in: dict[str, Callable[[], list[Any]]] = {
        TRAINABLE_VARIABLES: trainable_variables,
        GLOBAL_VARIABLES: global_variables,
        UPDATE_OPS: lambda: [node for node in graph.assigns if _is_update(node)],
    }
    return [*(built_in[name]() if name in built_in else []), *graph.collections.get(name, [])]


def _is_update(node: Node) -> bool:
    return node.settings["update"] or (node.call is not None and any(node.call.modules()))
