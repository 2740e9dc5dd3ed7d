"""Whether an op is called as in an earlier call: for each event a function is written that compares, and
takes the call for the event if it is that again. Of a call of an op that is all that is left to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

import numpy as np

from dynamic.node import Leaf
from dynamic.operands import operand
from dynamic.pending import Pending, Read, Remembered, array_of, edge_in
from dynamic.tape import note_views
from dynamic.tensors import Tensor
from shared.errors import DiptychError
from shared.op import TABLE, Op
from shared.spec import is_weak
from shared.state import State
from shared.trace import Applied, Assigned, Differentiated, Known, New, Stepped


def taker(point: Any) -> Callable[..., Any]:
    """A function of (call, arguments, settings) that takes a call of an op for the event that led to a point:
    it gives what the op gives, as Tensors that wait; None, and has done nothing, if it is another call."""
    event: Applied = point.event
    op = event.op
    names = [f"a{i}" for i in range(len(event.args))]
    space: dict[str, Any] = {"event": event, "indices": {}, "point": point}
    arrays = [_is_met(x) or isinstance(x, State) for x in event.args]
    judged = [i for i in op.judged(len(names)) if arrays[i]]
    tests = _tests(event, names, space)
    for key, value in event.settings.items():
        tests.append(_unlike(f"settings.get({key!r}, event)", f"s_{key}", value, space))
    tests.append("call.copied and not call.unchanged(point)")
    if judged:  # of the others, what is known of them is what it was
        space |= {"judged": judged, "specs": [point.spec(x) for x in event.args]}
        tests.append("not call.admitted(event, args, judged, specs)")
    lines = [f"if len(args) != {len(names)} or len(settings) != {len(event.settings)}: return None"]
    lines += [f"{', '.join(names)}, = args"] if names else []
    waiting = [f"type({names[i]}) is Pending" for i in op.judged(len(names))]
    lines += [f"if {' or '.join(waiting)}: call.flush()"] if waiting else []
    lines += ["values = call.values", *[f"if {test}: return None" for test in tests]]
    lines.append("with call.tree.lock:")
    for number in dict.fromkeys(point.known):
        k = _index(number, space)
        lines += [f"    x = values[{k}]"]
        lines += [f"    if type(x) is not Pending and type(x) is not Read: call.needs({k})"]
    for name, argument in zip(names, event.args, strict=True):
        if isinstance(argument, New):
            lines.append(f"    call.read({name}, n{name})")
    for i, state in enumerate(point.states):
        space[f"state{i}"] = state
        lines.append(f"    if state{i} not in call.waiting: call.hold(state{i})")
    made = [f"y{i}" for i in range(len(point.outputs))]
    given = made[0] if op.single else f"({', '.join(made)},)"
    noted = [f"note_views(op, args, {f'({given},)' if op.single else given})"] if op.alias else []
    space |= {"op": op} if op.alias else {}
    if _makes_views(event):
        met = [(name, x) for name, x in zip(names, event.args, strict=True) if _is_met(x)]
        space["compute"] = op.on_arrays
        lines.append(f"    if {' and '.join([f'type({name}) is not Pending' for name, _ in met])}:")
        held = {name: f"call.held({_index(x.number, space)})" for name, x in met}
        shown = ", ".join([held.get(name, name) for name in names])
        lines.append(f"        {given} = call.show(point, compute(({shown},), settings))")
        lines += [f"        {line}" for line in (*noted, f"return {given}")]
    for name, foretold in zip(made, point.outputs, strict=True):
        space[f"o{name}"] = foretold
        lines += [f"    {name} = new(Pending)", f"    {name}.foretold, {name}.by = o{name}, call"]
        lines += [f"    values.append({name})"]
    lines += ["    call.point = point", *noted, f"return {given}"]
    space |= {name: number for number, name in space.pop("indices").items()}
    return _maker(tuple(space), "\n".join(lines))(*space.values())


@lru_cache(maxsize=4096)
def _maker(names: tuple[str, ...], text: str) -> Callable[..., Any]:
    """What makes such a function of what tells an event from others that look alike: they have their text in
    common, and each has its values in cells, for what is looked up by name in a module is slow where each
    function has one of its own."""
    body = text.replace("\n", "\n        ")
    head = f"def make({', '.join(names)}):\n    def take(call, args, settings):\n"
    space: dict[str, Any] = {
        "Pending": Pending, "Read": Read, "edge_in": edge_in, "exactly": exactly, "fits": fits,
        "new": object.__new__, "note_views": note_views,
    }  # fmt: skip
    exec(compile(f"{head}        {body}\n    return take", "<matcher>", "exec"), space)
    return space["make"]


def _index(number: int, space: dict[str, Any]) -> str:
    """The name by which the number of a Tensor goes."""
    return space["indices"].setdefault(number, f"k{len(space['indices'])}")


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
            k = _index(argument.number, space)
            test = f"{name} is not values[{k}] and not call.holds({k}, {name})"
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
                f"or (d := {name}._data).shape != shape{name} or d.dtype is not dtype{name}"
            )
        else:
            test = _unlike(name, name, argument, space)
        tests.append(test)
    return tests


def _unlike(given: str, name: str, value: Any, space: dict[str, Any]) -> str:
    """The text of whether what is given, which may be called by a name from there on, is another setting or
    number than a value: what `exactly` says, without a call where that is possible."""
    called = given if given == name else f"({name} := {given})"
    if value is None or type(value) is bool:
        return f"{called} is not {value}"
    if type(value) in (int, str) or (type(value) is float and value - value == 0 != value):
        space[f"v{name}"] = value
        return f"type({called}) is not {type(value).__name__} or {name} != v{name}"
    if type(value) is tuple:
        parts = [_unlike(f"{name}[{i}]", f"{name}_{i}", part, space) for i, part in enumerate(value)]
        return " or ".join([f"type({called}) is not tuple", f"len({name}) != {len(value)}", *parts])
    if type(value) is slice:
        parts = [
            _unlike(f"{name}.{end}", f"{name}_{end}", getattr(value, end), space)
            for end in ("start", "stop", "step")
        ]
        return " or ".join([f"type({called}) is not slice", *parts])
    space[f"v{name}"] = value
    return f"not exactly({given}, v{name})"


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


def same(a: Any, b: Any) -> bool:
    """Whether two events are one: in what happened, to what, and in what came of it."""
    kind = type(a)
    return kind is type(b) and all([exactly(getattr(a, name), getattr(b, name)) for name in FIELDS[kind]])


KINDS = (Applied, Differentiated, Assigned, Stepped)
FIELDS: dict[Any, Any] = {kind: [field.name for field in fields(kind)] for kind in KINDS}


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
