"""Ops that do more than compute: they print, check, or call a user's own function.

They run when something that is fetched needs them (or stands under their
`control_dependencies`), in program order, and are never merged or dropped.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.device.cuda import device_of, to_device, to_host
from shared.dims import UNKNOWN_RANK, Dim
from shared.durable.interrupts import block, within
from shared.errors import CheckFailedError, DTypeError, GraphError, NotFiniteError
from shared.op import Joint, Op
from shared.spec import Spec, as_dtype, sizes_match
from static.graph.create import ASSIGNED, IDENTITY
from static.graph.graph import GROUP, Node, Tensor, controls, get_default_graph
from static.graph.operands import apply, as_tensor


def _through(name: str, compute: Callable[..., Any]) -> Op:
    """An op that gives its first argument on unchanged, after doing something."""
    return Op(
        name, compute, lambda x, *rest, **settings: x,
        Joint(lambda g, y, *args, wanted, **settings: [g] + [None] * (len(args) - 1)),
        alias=(0,), pure=False, listed=False,
    )  # fmt: skip


@block
def control_dependencies(operations: Sequence[Any]) -> within:
    """What is made within the block runs after these Tensors or operations, and makes them run.

    As in TensorFlow 2's control flow: if some were made outside of the loop or branch in which the block
    stands, it is the whole loop or branch that waits for them, and makes them run, whatever it does then.
    """
    nodes = tuple([_node_of(operation) for operation in operations])
    return within((controls, (*controls.get(), *nodes)))


def _node_of(operation: Any) -> Node:
    if not isinstance(operation, Node):
        return as_tensor(operation).node
    if not get_default_graph().is_inside(operation.graph):
        raise GraphError(
            f"control_dependencies: the operation {operation.name!r} is of another graph, or of a loop or "
            "branch that this is not inside of; wait for what the loop gives"
        )
    return operation


def stop_gradient(x: Any) -> Tensor:
    """The same value as a Tensor, taken as a constant: no gradient flows back through it. See
    `shared.ops.stop_gradient`."""
    return ops.stop_gradient(as_tensor(x))


# --- printing and checking -----------------------------------------------------------------


def _print(x: Any, *data: Any, message: str, summarize: int) -> Any:
    shown = " ".join(
        np.array2string(np.asarray(to_host(value)), threshold=summarize, edgeitems=max(summarize // 2, 1))
        for value in data
    )
    print(f"{message}{shown}", file=sys.stderr)
    return x


_print_op = _through("print", _print)


def Print(x: Any, data: Sequence[Any], message: str = "", summarize: int = 10) -> Tensor:
    """`x`, and when it runs, `message` and the values of `data` on standard error.

    Only a run that needs the Tensor it gives prints: use it in place of `x`.
    """
    settings = {"message": message, "summarize": summarize}
    return apply(_print_op, [as_tensor(x), *(as_tensor(d) for d in data)], settings)


def _assert(condition: Any, *data: Any, message: str) -> Any:
    if not condition.all():
        shown = ", ".join(np.array2string(np.asarray(to_host(value)), threshold=20) for value in data)
        raise CheckFailedError(f"Assert: {message or 'the condition does not hold'}; data: {shown or 'none'}")
    return condition


_assert_op = _through("assert", _assert)


def Assert(condition: Any, data: Sequence[Any], message: str = "") -> Node:
    """An operation that raises CheckFailedError with the values of `data` unless all of
    `condition` is true. Put what relies on it under `control_dependencies([it])`."""
    inputs = [as_tensor(condition), *(as_tensor(d) for d in data)]
    made = apply(_assert_op, inputs, {"message": message})
    return Node(get_default_graph(), GROUP, [made], {}, [], "Assert")


def _check(x: Any, *, message: str) -> Any:
    if not np.isfinite(x).all():
        kind = "NaN" if np.isnan(x).any() else "infinity"
        raise NotFiniteError(f"check_numerics: {message}: the value has {kind}")
    return x


_check_op = _through("check_numerics", _check)


def check_numerics(x: Any, message: str) -> Tensor:
    """`x`; NotFiniteError with `message` if a run finds NaN or infinity in it."""
    tensor = as_tensor(x)
    if tensor.dtype.kind not in "fc":
        raise DTypeError(f"check_numerics: {tensor.dtype} values are always finite; pass floats")
    return apply(_check_op, [tensor], {"message": message})


LOOKING = (_print_op, _assert_op, _check_op)
"""Those that give their first argument on, and have looked at it when it was computed."""

OPS = (ASSIGNED, IDENTITY, _print_op, _assert_op, _check_op)
"""Ops that stand in no table because only this engine has them."""


# --- a user's own function -----------------------------------------------------------------


def py_func(
    func: Callable[..., Any], inp: Sequence[Any], Tout: Any, shapes: Any = None, name: str | None = None
) -> Any:
    """`func(*arrays)` when the graph runs: any Python, on NumPy arrays. No gradient.

    func gets arrays of its own, which it may keep, but not change. It is called once where it stands, and
    again by a gradient that makes what it stands in again: of a branch, of a while_loop, and of a scan in
    which sizes vary.

    Tout    the dtype that it gives, or a list of them
    shapes  the shape that it gives, None for unknown sizes in it (or a list of shapes); without one not even
            the number of axes is known: tell the Tensor, by set_shape

    The result's dtype and shape are checked at run. A graph with one can not be saved.
    """
    many = isinstance(Tout, (list, tuple))
    dtypes = [as_dtype(t) for t in (Tout if many else [Tout])]
    listed = [None] * len(dtypes) if shapes is None else list(shapes) if many else [shapes]
    specs = tuple(
        Spec(UNKNOWN_RANK if s is None else tuple(Dim() if size is None else size for size in s), dtype)
        for s, dtype in zip(listed, dtypes, strict=True)
    )

    def compute(*arrays: Any) -> Any:
        made = func(*[_read_only(array) for array in arrays])
        values: Any = tuple(np.array(v, order="C") for v in (made if many else [made]))
        for value, spec in zip(values, specs, strict=True):
            open_ = spec.shape is UNKNOWN_RANK
            fits = open_ or (value.ndim == len(spec.shape) and all(map(sizes_match, spec.shape, value.shape)))
            if not fits or value.dtype != spec.dtype:
                raise DTypeError(
                    f"py_func: {getattr(func, '__name__', 'the function')} gave {value.dtype} "
                    f"{value.shape} where {spec} was promised"
                )
        values = tuple(to_device(value, device_of(arrays[0] if arrays else None)) for value in values)
        return values if many else values[0]

    op = Op(
        name or "py_func", compute, lambda *_: specs if many else specs[0], (),
        outputs=tuple(f"y{i}" for i in range(len(specs))) if many else ("y",),
        constant=tuple(f"y{i}" for i in range(len(specs))) if many else ("y",),
        pure=False, listed=False,
    )  # fmt: skip
    return apply(op, [as_tensor(x) for x in inp], {})


def _read_only(array: Any) -> Any:
    """A copy that can not be written to: what was changed in it would change nothing else. The
    array itself may be a variable's, or memory that the next run fills anew."""
    copy = np.array(to_host(array))
    copy.flags.writeable = False
    return copy
