"""Ops in which all ranks take part: each gets a value that others' arguments went into.

Every rank must make the same calls in the same order. They are computed where they stand, on either engine,
and none is merged, moved past another or dropped; their gradients are collectives too. The derivative of a
rank's argument is that of the sum of all ranks' losses.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ranks
from shared.dims import divide
from shared.errors import CollectiveError, DTypeError, SettingError, ShapeError
from shared.op import ZERO, Joint, Op, Rule, array_module
from shared.ops.choosing import cast, equal
from shared.ops.creation import zeros
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like
from shared.ranks import Communicator
from shared.ranks.communicator import told
from shared.ranks.transfer import FOLDS, Call
from shared.rules import Wanted
from shared.source import user_line
from shared.spec import Spec, is_weak, spec_of, str_shape

KINDS = tuple(FOLDS)


def _at() -> str:
    line = user_line()
    return "" if line is None else str(line)


def _behind(at: str) -> str:
    """The line of a gradient is that of its op."""
    return at if at.endswith("its gradient") else f"{at}, its gradient"


def _communicator(comm: Communicator | None) -> Communicator:
    return ranks.world() if comm is None else comm


def _of_size(name: str, size: int) -> Communicator:
    comm = ranks.called(name)
    if comm.size != size:
        raise CollectiveError(
            f"{name}: this graph was built for {size} ranks, and there are {comm.size}; build it again, or "
            f"start {size}"
        )
    return comm


# --- sums --------------------------------------------------------------------------------------


def _reduced(x: Any, weight: Any = None, *, comm: str, kind: str, at: str) -> Any:
    call = Call(told("all_reduce", x, op=kind), at)
    found = ranks.called(comm)
    (y,), _ = found.result(
        found.begin_sum(call, [x], kind, None if weight is None else weight.reshape(())[()])
    )
    return y


def _infer_reduced(x: Any, *, comm: str, kind: str, at: str) -> Spec:
    spec = spec_of(x)
    if is_weak(x):
        raise DTypeError(f"all_reduce: {x!r} is a number, not an array; pass an array")
    if spec.dtype.kind not in {"sum": "iufc", "mean": "fc"}.get(kind, "iuf"):
        raise DTypeError(f"all_reduce: there is no {kind} of {spec.dtype} values; cast them")
    return spec


def _infer_weighted(x: Any, weight: Any, *, comm: str, kind: str, at: str) -> Spec:
    if spec_of(weight).shape or spec_of(weight).dtype.kind not in "iuf":
        raise ShapeError(
            f"all_reduce: a weight is one number for all of a rank's array, not {spec_of(weight)}"
        )
    return _infer_reduced(x, comm=comm, kind=kind, at=at)


def _sum_rule(g: Any, y: Any, x: Any, *, comm: str, kind: str, at: str) -> Any:
    total = _all_reduce(g, comm=comm, kind="sum", at=_behind(at))
    return total if kind == "sum" else total / ranks.called(comm).size


def _extreme_rule(g: Any, y: Any, x: Any, *, comm: str, kind: str, at: str) -> Any:
    where = cast(equal(x, y), y.dtype)
    total = _all_reduce(g, comm=comm, kind="sum", at=_behind(at))
    return total * where / _all_reduce(where, comm=comm, kind="sum", at=_behind(at))


def _weighted_rule(
    g: Any, y: Any, x: Any, weight: Any, *, wanted: Wanted, comm: str, kind: str, at: str
) -> list[Any]:  # fmt: skip
    total = _all_reduce(g, comm=comm, kind="sum", at=_behind(at))
    one = cast(weight, y.dtype)
    share = total / _all_reduce(one, comm=comm, kind="sum", at=_behind(at))
    return [share * one if wanted[0] else None, sum(share * (x - y)) if wanted[1] else None]


_all_reduce = Op(
    "all_reduce", _reduced, _infer_reduced, [Rule(_sum_rule)], check=True, pure=False,
    doc="The sum or mean of everybody's `x`, elementwise.",
)  # fmt: skip
_weighted = Op(
    "all_reduce_weighted", _reduced, _infer_weighted,
    Joint(_weighted_rule, reads=lambda wanted: {"x", "y", "weight"} if wanted[1] else {"weight"}),
    check=True, pure=False,
    doc="The mean of everybody's `x`, in which a rank counts as its `weight`, one number: sum(w x) / sum(w).",
)  # fmt: skip
_extreme = Op(
    "all_reduce_extreme", _reduced, _infer_reduced, [Rule(_extreme_rule, reads="x y")],
    check=True, pure=False,
    doc="The largest or smallest of everybody's `x`, elementwise. Ranks that have it share its gradient.",
)  # fmt: skip


def all_reduce(x: Any, weight: Any = None, *, op: str = "sum", comm: Communicator | None = None) -> Any:
    """On every rank the sum, mean, max or min of everybody's `x`, elementwise: x's shape and dtype.

    weight  of a mean: one number, by which a rank counts, such as the rows that it holds: sum(w x) / sum(w)
    comm    by default all ranks, `ranks.world()`

    It is added rank by rank, 0 first, so it is the same to the bit in every run on so many ranks. Half
    precision is added in single. Where several ranks have the largest value, they share its gradient.
    """
    if op not in KINDS:
        raise SettingError(f"all_reduce: op={op!r} is not one of {', '.join(map(repr, KINDS))}")
    settings = {"comm": _communicator(comm).name, "kind": op, "at": _at()}
    if weight is not None:
        if op != "mean":
            raise SettingError(f"all_reduce: a weight is for op='mean', not for {op!r}; multiply x by it")
        return _weighted(x, _number(weight, x), **settings)
    return (_extreme if op in ("max", "min") else _all_reduce)(x, **settings)


def _number(weight: Any, like: Any) -> Any:
    """A weight as a value of the engine: numbers and sizes become 0-d float64."""
    return zeros((), np.float64, like=like) + weight if is_weak(weight) else as_tensor_like(weight)


# --- from one to all, and back -------------------------------------------------------------------


def _spread(x: Any, *, comm: str, root: int, at: str) -> Any:
    found = ranks.called(comm)
    return found.result(found.begin_spread(Call(told("broadcast", x, root=root), at), x, root))


def _brought(x: Any, *, comm: str, root: int, at: str) -> Any:
    found = ranks.called(comm)
    (y,), _ = found.result(found.begin_sum(Call(told("reduce", x, root=root), at), [x]))
    return y if found.rank == root else np.zeros_like(y)


_broadcast = Op(
    "broadcast", _spread, lambda x, **settings: spec_of(x),
    [Rule(lambda g, y, x, *, comm, root, at: _reduce(g, comm=comm, root=root, at=_behind(at)))],
    check=True, pure=False, doc="What rank `root` holds.",
)  # fmt: skip
_reduce = Op(
    "reduce", _brought, lambda x, **settings: spec_of(x),
    [Rule(lambda g, y, x, *, comm, root, at: _broadcast(g, comm=comm, root=root, at=_behind(at)))],
    check=True, pure=False,
    doc="On rank `root` the sum of everybody's `x`, elsewhere zeros: the gradient of broadcast.",
)  # fmt: skip


def broadcast(x: Any, *, root: int = 0, comm: Communicator | None = None) -> Any:
    """On every rank what `x` is on rank `root`; shapes and dtypes must be the same.

    The gradient of root's x is the sum of everybody's; that of the others is zero.
    """
    comm = _communicator(comm)
    if not isinstance(root, int) or not 0 <= root < comm.size:
        raise SettingError(f"broadcast: there is no rank root={root!r}; there are 0 to {comm.size - 1}")
    return _broadcast(x, comm=comm.name, root=int(root), at=_at())


# --- rows of all -----------------------------------------------------------------------------------


def _gathered(x: Any, *, comm: str, ranks: int, at: str) -> Any:
    found = _of_size(comm, ranks)
    return found.result(found.begin_gather(Call(told("all_gather", x), at), x))


def _infer_gathered(x: Any, *, comm: str, ranks: int, at: str) -> Spec:
    spec = spec_of(x)
    if not spec.shape:
        raise ShapeError(
            "all_gather: a single number has no rows to put behind each other; reshape it to (1,)"
        )
    return Spec((spec.shape[0] * ranks, *spec.shape[1:]), spec.dtype)


def _scattered(x: Any, *, comm: str, ranks: int, at: str) -> Any:
    found = _of_size(comm, ranks)
    return found.result(found.begin_scatter(Call(told("reduce_scatter", x), at), x))


def _infer_scattered(x: Any, *, comm: str, ranks: int, at: str) -> Spec:
    spec = spec_of(x)
    if not spec.shape or (isinstance(spec.shape[0], int) and spec.shape[0] % ranks):
        raise ShapeError(
            f"reduce_scatter: the rows of {str_shape(spec.shape)} can not be cut into {ranks} equal parts; "
            "pad them"
        )
    return Spec((divide(spec.shape[0], ranks), *spec.shape[1:]), spec.dtype)


_all_gather = Op(
    "all_gather", _gathered, _infer_gathered,
    [Rule(lambda g, y, x, *, comm, ranks, at: _reduce_scatter(g, comm=comm, ranks=ranks, at=_behind(at)))],
    check=True, pure=False, doc="Everybody's rows, rank 0's first.",
)  # fmt: skip
_reduce_scatter = Op(
    "reduce_scatter", _scattered, _infer_scattered,
    [Rule(lambda g, y, x, *, comm, ranks, at: _all_gather(g, comm=comm, ranks=ranks, at=_behind(at)))],
    check=True, pure=False, doc="This rank's share of the rows of the sum.",
)  # fmt: skip


def _placed(count: Any, *, comm: str, at: str) -> Any:
    found = ranks.called(comm)
    rows = count.reshape(1).astype(np.int64)
    held = found.result(found.begin_gather(Call(told("rows_before", rows), at), rows))
    return array_module(held).stack([held[: found.rank].sum(), held[found.rank], held.sum()])


def _infer_placed(count: Any, *, comm: str, at: str) -> Spec:
    spec = spec_of(count)
    if spec.shape or spec.dtype.kind not in "iu":
        raise ShapeError(f"rows_before: takes the number of this rank's rows, one whole number, not {spec}")
    return Spec((3,), np.dtype(np.int64))


_rows_before = Op(
    "rows_before", _placed, _infer_placed, [ZERO], constant=("y",), check=True, pure=False,
    doc="How many rows the ranks before this one hold, how many this one, and how many all: int64 (3,).",
)  # fmt: skip


def rows_before(count: Any, *, like: Any, comm: Communicator) -> Any:
    """How many rows the ranks before this one hold, how many this one, which are `count`, and how many all:
    int64 (3,), of the engine of `like`."""
    return _rows_before(zeros((), np.int64, like=like) + count, comm=comm.name, at=_at())


def all_gather(x: Any, *, comm: Communicator | None = None) -> Any:
    """On every rank everybody's `x` behind each other along axis 0, rank 0's first: (ranks * n, ...) of (n,
    ...)."""
    comm = _communicator(comm)
    return _all_gather(x, comm=comm.name, ranks=comm.size, at=_at())


def reduce_scatter(x: Any, *, comm: Communicator | None = None) -> Any:
    """The sum of everybody's `x`, of which each rank gets its share of the rows: (n / ranks, ...) of (n,
    ...).

    ShapeError if the rows can not be cut into equal parts.
    """
    comm = _communicator(comm)
    return _reduce_scatter(x, comm=comm.name, ranks=comm.size, at=_at())
