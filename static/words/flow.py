"""Loops, and settings around a graph, in TensorFlow 1's words."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from shared import nest
from shared.errors import SettingError
from static import differentiate
from static.control import while_loop as loops
from static.graph.create import group
from static.graph.effects import stop_gradient
from static.graph.graph import Node
from static.graph.unused import NoEffectWarning, changes_nothing
from static.graph.variables import Variable

TRAIN, EVAL, PREDICT = "train", "eval", "infer"
"""What a function that builds a model is told that it is for."""

_ORDER = "steps run one after the other"


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, shape_invariants: Any = None,
    parallel_iterations: int | None = None, back_prop: bool = True, swap_memory: bool = False,
    *, maximum_iterations: int | None = None, return_same_structure: bool = True, maximum: int | None = None,
) -> Any:  # fmt: skip
    """`loop_vars = body(*loop_vars)` while `cond(*loop_vars)` is true; gives a structure as `loop_vars` is.

    maximum_iterations (or `maximum`) bounds the trips; back_prop=False lets no gradient through. Each
    variable keeps its shape and dtype: shape_invariants, parallel_iterations and swap_memory change nothing.
    """
    changes_nothing(
        "while_loop", _ORDER, parallel_iterations=parallel_iterations, swap_memory=swap_memory or None
    )
    changes_nothing(
        "while_loop", "a loop variable keeps its shape; pad it, or stack with static.scan",
        shape_invariants=shape_invariants,
    )  # fmt: skip
    bound = maximum if maximum_iterations is None else maximum_iterations
    made = loops.while_loop(cond, body, loop_vars, bound)
    if back_prop:
        return made
    values, build = nest.flatten(made)
    return build([stop_gradient(value) for value in values])


def variables_initializer(var_list: Sequence[Variable], name: str = "init") -> Node:
    """The operation that gives these variables their first values."""
    return group(*[variable.initializer for variable in var_list], name=name)


def no_op() -> Node:
    """An operation that does nothing."""
    return group()


def device(device_name_or_function: Any) -> AbstractContextManager[None]:
    """A block that changes nothing: a whole run computes where its session does, `Session(device="cuda")`."""
    why = 'a whole run computes in one place: Session(device="cuda")'
    changes_nothing("device", why, device_name=device_name_or_function)
    return nullcontext()


def hessians(ys: Any, xs: Any) -> list[Any]:
    """The second derivatives of the number `ys` by each of xs: a Tensor of its shape twice."""
    many = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    slopes = differentiate.gradients(ys, many, unconnected="zero")
    return [differentiate.jacobian(slope, x) for slope, x in zip(slopes, many, strict=True)]


def run_app(main: Callable[..., Any] | None = None, argv: Sequence[str] | None = None) -> None:
    """Call `main(argv)`, or `__main__`'s, and leave with what it gives."""
    chosen = main or getattr(sys.modules["__main__"], "main", None)
    if chosen is None:
        raise SettingError("app.run: there is no main() to call; pass it")
    sys.exit(chosen(list(sys.argv if argv is None else argv)))


def set_verbosity(level: int) -> None:
    """What there is to be heard are Python's own warnings: from ERROR on, those of settings that change
    nothing are left out."""
    warnings.simplefilter("ignore" if level >= 40 else "default", NoEffectWarning)
