"""Whether an op is called as in an earlier call: for each event a function is written that compares, and
takes the call for the event if it is that again. Of a call of an op that is all that is left to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dynamic.node import Leaf
from dynamic.operands import operand
from dynamic.pending import Pending, Read, Remembered, array_of, edge_in, put_array, put_edge
from dynamic.tensors import Tensor
from shared.errors import DiptychError
from shared.op import TABLE, Op
from shared.spec import is_weak
from shared.state import State
from shared.trace import Applied, Known, New


def taker(point: Any) -> Callable[..., Any]:
    """A function of (call, arguments, settings) that takes a call of an op for the event that led to a point:
    it gives what the op gives, as Tensors that wait; None, and has done nothing, if it is another call."""
    event: Applied = point.event
    names = [f"a{i}" for i in range(len(event.args))]
    space: dict[str, Any] = {
        "Pending": Pending, "edge_in": edge_in, "event": event, "exactly": exactly, "fits": fits,
        "Read": Read, "new": object.__new__, "point": point, "put_array": put_array, "put_edge": put_edge,
    }  # fmt: skip
    judged = event.op.judged(len(names))
    other_settings = "not exactly(settings, event.settings)" if event.settings else "settings"
    tests = [*_tests(event, names, space), other_settings, "call.copied and not call.unchanged(point)"]
    if any([_is_met(x) or isinstance(x, State) for x in map(event.args.__getitem__, judged)]):
        tests.append("not call.admitted(event, args, settings)")
    lines = ["def take(call, args, settings):", f"    if len(args) != {len(names)}: return None"]
    lines += [f"    {', '.join(names)}, = args"] if names else []
    lines += ["    values = call.values", *[f"    if {test}: return None" for test in tests]]
    lines.append("    with call.tree.lock:")
    for number in dict.fromkeys(point.known):
        waits = "type(x) is not Pending and type(x) is not Read"
        lines += [f"        x = values[{number}]", f"        if {waits}: call.needs(x)"]
    for name, argument in zip(names, event.args, strict=True):
        if isinstance(argument, New):
            lines.append(f"        call.read({name}, n{name})")
    for i, state in enumerate(point.states):
        space[f"state{i}"] = state
        lines.append(f"        if state{i} not in call.waiting: call.hold(state{i})")
    if _makes_views(event):
        waits = [f"type({n}) is not Pending" for n, x in zip(names, event.args, strict=True) if _is_met(x)]
        lines += [f"        if {' and '.join(waits)}:", "            return call.show(point)"]
    made = [f"y{i}" for i in range(len(point.outputs))]
    for name, foretold in zip(made, point.outputs, strict=True):
        space[f"o{name}"] = foretold
        lines += [f"        {name} = new(Pending)", f"        put_array({name}, o{name})"]
        lines += [f"        put_edge({name}, call)", f"        values.append({name})"]
    given = made[0] if event.op.single else f"({', '.join(made)},)"
    lines += ["        call.point = point", f"    return {given}"]
    exec("\n".join(lines), space)
    return space["take"]


def _makes_views(event: Applied) -> bool:
    """Whether an op made nothing but views, of Tensors and through which no gradient flows: then it can be
    done at once where those are computed, for it costs no more than to put it off."""
    shown = [event.args[i] for i in event.op.alias if i < len(event.args)]
    return (
        bool(shown) and not any(event.fresh) and not any(event.history) and all(map(_is_met, shown))
        and not any([isinstance(x, State) for x in event.args])
    )  # fmt: skip


def _is_met(argument: Any) -> bool:
    """Whether it is a Tensor, or an array, that has a number."""
    return isinstance(argument, (Known, New))


def _tests(event: Applied, names: Sequence[str], space: dict[str, Any]) -> list[str]:
    """What is true of one of the arguments if this is another call; `space` gets the names for it."""
    tests, leaves = list[str](), list[str]()
    fresh: dict[int, str] = {}  # by number, those that are met in this very event
    for name, argument in zip(names, event.args, strict=True):
        if isinstance(argument, Known) and argument.number in fresh:
            test = f"{name} is not {fresh[argument.number]}"
        elif isinstance(argument, Known):
            number = argument.number
            test = f"{name} is not values[{number}] and not call.holds({number}, {name})"
        elif isinstance(argument, New):
            space[f"n{name}"] = argument
            fresh[argument.number] = name
            test = f"not fits({name}, n{name}, call)"
            if argument.leaf:
                test += "".join([f" or edge_in({name})[0] is edge_in({leaf})[0]" for leaf in leaves])
                leaves.append(name)
        elif isinstance(argument, State):
            space |= {
                f"s{name}": argument, f"r{name}": argument.requires_grad, f"shape{name}": argument.shape,
                f"dtype{name}": argument.dtype,
            }  # fmt: skip
            test = (
                f"{name} is not s{name} or {name}.requires_grad is not r{name} "
                f"or {name}._data.shape != shape{name} or {name}._data.dtype is not dtype{name}"
            )
        else:
            space[f"v{name}"] = argument
            test = f"not exactly({name}, v{name})"
            if argument is None:
                test = f"{name} is not None"
            elif type(argument) in (int, str) or (type(argument) is float and argument == argument != 0):
                test = f"type({name}) is not {type(argument).__name__} or {name} != v{name}"
        tests.append(test)
    return tests


TAKE_NUMBERS = (
    "add", "sub", "mul", "div", "maximum", "minimum", "greater", "greater_equal", "less", "less_equal",
    "equal", "not_equal",
)  # fmt: skip
"""Ops to which a number is what an array of the other argument's dtype with that number in it is."""


def varying(event: Any, op: Op, args: Sequence[Any], settings: dict[str, Any]) -> set[int]:
    """The positions of the Python floats in which alone a call of an op differs from an event: they change
    from call to call, and are to be fed."""
    if type(event) is not Applied or event.op is not op or op.name not in TAKE_NUMBERS:
        return set()
    if len(args) != len(event.args) or not exactly(settings, event.settings):
        return set()
    return {
        i for i, (x, y) in enumerate(zip(args, event.args, strict=True))
        if type(x) is type(y) is float and getattr(getattr(args[1 - i], "dtype", None), "kind", "") == "f"
    }  # fmt: skip


def exactly(a: Any, b: Any) -> bool:
    """Whether two settings or numbers are the same, type and sign included."""
    if a is b:
        return True
    if type(a) is not type(b) or isinstance(a, (State, Tensor)):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all([exactly(a[key], b[key]) for key in a])
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all([exactly(x, y) for x, y in zip(a, b, strict=True)])
    if isinstance(a, slice):
        return exactly((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    if isinstance(a, (float, complex)):
        return repr(a) == repr(b)
    return bool(a == b)


def fits(x: Any, new: New, call: Any) -> bool:
    """Whether an argument may stand where `new` was met."""
    kind = type(x)
    if kind is float or new.weak:
        return kind is float and new.weak
    if kind is Tensor or kind is Remembered:
        array, edge = x.array, edge_in(x)
        node = None if edge is None else edge[0] if kind is Tensor else edge
        leaf = isinstance(node, Leaf) and not call.has_met(node)
        if leaf is not new.leaf or (node is not None and not leaf) is not new.made:
            return False
    elif kind is Read:
        array, edge = array_of(x), edge_in(x)
        if edge is not None or new.leaf or new.made:
            return False
    elif kind is Pending or isinstance(x, (State, Tensor)) or new.leaf or new.made:
        return False
    else:
        try:
            array = x if kind is np.ndarray else operand(TABLE["add"], x)
        except DiptychError:  # the op itself says it in the words of its call
            return False
        if is_weak(array):
            return False
    spec = new.spec
    return array.shape == spec.shape and array.dtype == spec.dtype
