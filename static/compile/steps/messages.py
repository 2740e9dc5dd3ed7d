"""Sums over ranks in two halves: what begins one, and what waits for it. Between them others compute."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ranks
from shared.op import Op
from shared.ranks.transfer import Call, Transfer
from shared.spec import Spec

_under_way: dict[int, tuple[ranks.Communicator, Transfer]] = {}


def _begin(*arrays: Any, comm: str, kind: str, weighted: bool, which: tuple[int, ...], at: str) -> Any:
    weight = arrays[-1].reshape(())[()] if weighted else None
    given = arrays[: len(arrays) - weighted]
    found = ranks.called(comm)
    size = sum(array.nbytes for array in given)
    numbers = ", ".join(map(str, which[:16]))
    call = Call(f"all_reduce({kind} of arrays {numbers}: {size:,} bytes of {given[0].dtype})", at)
    transfer = found.begin_sum(call, given, kind, weight)
    _under_way[transfer.number] = found, transfer
    return np.array(transfer.number, np.int64)


def _wait(ticket: Any, *, specs: tuple[Spec, ...], closes: bool) -> tuple[Any, ...]:
    found, transfer = _under_way.pop(int(ticket))
    arrays, _ = found.result(transfer)
    if closes:
        found.step()
    return tuple(arrays)


begin = Op(
    "begin_sum", _begin, lambda *arrays, **settings: Spec((), np.dtype(np.int64)),
    constant=("y",), pure=False, listed=False,
    doc="Begins to add up arrays over the ranks; gives a number to wait for them by.",
)  # fmt: skip
wait = Op(
    "wait_for", _wait, lambda ticket, *, specs, closes: specs, outputs=None, listed=False,
    doc="The sums, waited for. closes: whether they are the last of a training step.",
)  # fmt: skip
