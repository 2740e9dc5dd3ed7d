"""The tape: every op of define-by-run is computed here and, where a gradient could flow, remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamic import instrument
from dynamic.modes import mode
from dynamic.node import Edge, Node, lines
from dynamic.operands import operand
from dynamic.sharing import note
from dynamic.tensors import Tensor
from dynamic.versions import next_order
from shared.device.cuda import owned
from shared.op import Op, in_single_precision, single_floats
from shared.pullback import pullback_of
from shared.source import user_line
from shared.spec import Spec, is_weak, spec_of
from shared.state import State
from shared.watch import hooks

_new = object.__new__


def apply(op: Op, args: Sequence[Any], settings: dict[str, Any]) -> Any:
    """Compute now; if a gradient could flow and the mode records, remember how.

    Every op of define-by-run comes through here, so a microsecond in this function is a
    microsecond of every op: hence the few cases that are written out.
    """
    now = mode.get()
    if now.call is not None:
        return now.call.applied(op, args, settings, now)
    arrays: list[Any] = []
    edges: list[Edge | None] = []
    floats = foreign = False
    for arg in args:
        if type(arg) is Tensor:
            arrays.append(arg.array)
            edges.append(arg.edge)
        elif isinstance(arg, State):
            arrays.append(arg.value())
            edges.append(arg.edge)
        elif isinstance(arg, Tensor):
            arrays.append(arg.array)
            edges.append(arg.edge)
        else:
            array = operand(op, arg)
            if array is arg and type(arg) is not float and type(arg) is not int and not is_weak(arg):
                if len(arrays) in op.alias:
                    array = owned(arg)
                else:
                    foreign = True
            arrays.append(array)
            edges.append(None)
            if type(array) is float and op.together:
                floats = True
    if floats:
        arrays = single_floats(op, arrays, in_single_precision)
    y = instrument.compute(op, arrays, settings) if hooks.active else op.on_arrays(arrays, settings)

    wanted: tuple[bool, ...]
    if len(edges) == 2:
        wanted = edges[0] is not None, edges[1] is not None
    elif len(edges) == 1:
        wanted = (edges[0] is not None,)
    else:
        wanted = tuple([edge is not None for edge in edges])
    made: Any
    if True not in wanted or not now.recording:
        made = Tensor(y) if op.single else tuple([Tensor(part) for part in y])
        if op.alias:
            note_views(op, args, (made,) if op.single else made)
        return made
    pullback = op.pullbacks.get(wanted) or pullback_of(op, wanted)

    for i in pullback.unread_inputs:
        array = arrays[i]
        if edges[i] is not None:
            arrays[i] = None
        elif type(array) is np.ndarray or not is_weak(array):
            arrays[i] = Spec(array.shape, array.dtype)
    if foreign:
        arrays = [
            owned(x) if x is arg and not is_weak(x) else x for x, arg in zip(arrays, args, strict=True)
        ]
    if op.single:
        dtype = y.dtype
        if dtype.kind not in "fc" or op.constant:
            made = Tensor(y)
            if op.alias:
                note_views(op, args, (made,))
            return made
        node = _new(Node)  # Node(...) and Tensor(...), without the cost of two calls of __init__
        node.pullback = pullback
        node.settings = settings
        node.edges = edges
        node.inputs = arrays
        if pullback.keeps_outputs:
            node.outputs = (y,)
        else:
            (spec,) = node.outputs = pullback.unread_output
            if spec.dtype is not dtype or spec.shape != y.shape:
                node.outputs = pullback.unread_output = (Spec(y.shape, dtype),)
        node.order = next_order()
        node.hooks = None
        made = _new(Tensor)
        made.array = y
        made.edge = (node, 0)
    else:
        kept = pullback.reads_outputs or (False,) * len(y)
        outputs = [part if keep else spec_of(part) for part, keep in zip(y, kept, strict=True)]
        node = Node(pullback, settings, edges, arrays, outputs)
        made = tuple(
            [
                Tensor(part, (node, i) if op.carries_gradient(i, part.dtype) else None)
                for i, part in enumerate(y)
            ]
        )
    if op.alias:
        note_views(op, args, (made,) if op.single else made)
    if hooks.active or now.tracing:
        lines[node] = user_line()
    return made


def note_views(op: Op, args: Sequence[Any], made: Sequence[Tensor]) -> None:
    """What an op made may be views of some of its arguments."""
    for position in op.alias:
        if position < len(args) and isinstance(args[position], Tensor):
            note(args[position], made)
