"""Control flow that depends on values: `cond`, `while_loop`, `scan`.

On define-by-run, and on raw arrays, these are Python's own `if`, `while` and `for`. On
define-and-run each becomes one node that holds its branches, or its body, as graphs.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from shared import nest
from shared.dispatch import Engine, engine_in_charge, tensor_engine
from shared.errors import SettingError
from shared.ops.creation import zeros
from shared.ops.joining import stack, unbind
from shared.spec import sizes_match
from shared.touched import holding


def _engine(*structures: Any) -> Engine | None:
    values = [value for structure in structures for value in nest.flatten(structure)[0]]
    return tensor_engine(values) or engine_in_charge()


def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], *args: Any) -> Any:
    """`true_fn(*args)` if `pred`, one bool, is true, else `false_fn(*args)`.

    Static: both functions are called once, when the graph is built, and must give Tensors of the
    same structure, shapes and dtypes; a run computes one of them.
    """
    engine = _engine(pred, args)
    if engine is None:
        return true_fn(*args) if pred else false_fn(*args)
    return engine.cond(pred, true_fn, false_fn, args)


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum: int | None = None
) -> Any:
    """`loop_vars = body(*loop_vars)` for as long as `cond(*loop_vars)` is true.

    `loop_vars` is a list or tuple; each keeps its shape and dtype. `maximum` bounds the trips.
    """
    engine = _engine(loop_vars)
    run = plain_while_loop if engine is None else engine.while_loop
    return run(cond, body, loop_vars, maximum)


def scan(
    fn: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any, length: Any = None, reverse: bool = False
) -> tuple[Any, Any]:
    """`carry, y = fn(carry, x)` for each x along the first axis of `xs`.

    Gives the last carry and the ys, stacked along a new first axis. carry, xs and y may be
    nested in tuples, lists and dicts; xs may be None, then `length` says how many steps. The
    carry keeps its shapes and dtypes. With `reverse` the steps go from the last x to the first,
    and each y stands where its x does.
    """
    engine = _engine(carry, xs)
    return (plain_scan if engine is None else engine.scan)(fn, carry, xs, length, reverse)


# --- what define-by-run does ---------------------------------------------------------------

_trying: ContextVar[bool] = ContextVar("trying", default=False)
"""Whether a step is made on zeros, for the shapes alone of what it gives. Loops in it make no trip: they
keep shapes, and on zeros they might never end."""


def plain_cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], args: Any) -> Any:
    """`cond`, now."""
    return true_fn(*args) if bool(pred) else false_fn(*args)


def plain_while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum: int | None
) -> Any:
    """`while_loop`, now."""
    trips, kind = 0, type(loop_vars)
    maximum = 0 if _trying.get() else maximum
    while bool(cond(*loop_vars)) and (maximum is None or trips < maximum):
        made = body(*loop_vars)
        loop_vars = made if isinstance(made, (list, tuple)) else (made,)
        trips += 1
    return loop_vars if isinstance(loop_vars, kind) else kind(loop_vars)


def plain_scan(
    fn: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any, length: Any, reverse: bool
) -> tuple[Any, Any]:
    """`scan`, now."""
    inputs, build = nest.flatten(xs)
    steps = scan_length(inputs, length)
    columns = [unbind(x) for x in inputs] if steps else []  # cut once: an x[t] has all of x's gradient
    ys: list[list[Any]] = []
    together = None
    for t in reversed(range(steps)) if reverse else range(steps):
        carry, y = fn(carry, build([x[t] for x in columns]))
        values, together = nest.flatten(y)
        ys.append(values)
    if together is None:  # no step at all: one is tried on zeros, to learn what a y looks like
        blank = [zeros(x.shape[1:], x.dtype, like=x) for x in inputs]
        token = _trying.set(True)
        try:
            with holding({}):
                values, together = nest.flatten(fn(carry, build(blank))[1])
        finally:
            _trying.reset(token)
        return carry, together([zeros((0, *y.shape), y.dtype, like=y) for y in values])
    if reverse:
        ys.reverse()
    return carry, together([stack(column) for column in zip(*ys, strict=True)])


def scan_length(inputs: list[Any], length: Any) -> Any:
    """The number of steps: the size of the inputs' first axis, or `length`."""
    if not inputs and length is None:
        raise SettingError("scan: xs is None, so `length` must say how many steps to make")
    if inputs and length is not None and not sizes_match(inputs[0].shape[0], length):
        raise SettingError(f"scan: length is {length}, but xs have {inputs[0].shape[0]} steps; leave it out")
    return length if not inputs else inputs[0].shape[0]
