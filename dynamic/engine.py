"""What `shared` asks of define-by-run: an op applied is a value computed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from dynamic import inplace
from dynamic.functional import grad
from dynamic.modes import mode
from dynamic.tape import apply
from dynamic.tensors import Tensor
from dynamic.values import check_detached, raw_array
from shared import dispatch
from shared.device import cuda
from shared.device.cuda import owned
from shared.durable.interrupts import within
from shared.op import Op
from shared.operators import bind
from shared.ops.control import plain_cond, plain_scan, plain_while_loop
from shared.state import State


class DynamicEngine:
    """Define-by-run."""

    name = "dynamic"

    def apply(self, op: Op, args: Sequence[Any], settings: dict[str, Any]) -> Any:
        """See `dynamic.tape.apply`."""
        return apply(op, args, settings)

    def assign(self, state: State, value: Tensor) -> None:
        """At once, and without a gradient."""
        call = mode.get().call
        if call is not None and call.assigned(state, value):
            return
        if cuda.in_use:
            state.data = owned(value.array, state.dtype, beside=state.data)
        else:
            state.data = np.array(value.array, state.dtype, order="C")

    def step(self, optimizer: Any, ready: Sequence[Any]) -> None:
        """At once."""
        call = mode.get().call
        if call is None or not call.stepped(optimizer, ready):
            optimizer.update(ready)

    def change(self, state: State, call: str, write: Any, written: Sequence[Any]) -> None:
        """By the rule for Tensors: see `dynamic.inplace.change`."""
        arrays = [raw_array(value) for value in written]
        inplace.change(state, state.data, call, lambda array: write(array, *arrays), written)

    check_detached = staticmethod(check_detached)

    def gradients(self, loss: Tensor, states: Sequence[State]) -> list[Any]:
        return grad(loss, states, allow_unused=True)

    def train(self, loss: Tensor, assigned: Any, settings: Any = ()) -> None:
        """Nothing is left to do: each assignment was made when it was asked for."""

    cond = staticmethod(plain_cond)
    while_loop = staticmethod(plain_while_loop)
    scan = staticmethod(plain_scan)

    def scope(self, value: Any) -> AbstractContextManager[None]:
        """Arrays are made on the device of a Tensor."""
        if cuda.in_use and isinstance(value, Tensor):
            return within(dispatch.charge(self), *cuda.placing(value.device).changes)
        return dispatch.using(self)

    def call(self, module: Any, value: Any) -> AbstractContextManager[None]:
        return dispatch.using(self)


ENGINE = DynamicEngine()
ENGINE.apply = apply  # type: ignore[method-assign]  # one call less for each op
dispatch.register(ENGINE, Tensor, eager=True)
bind(Tensor, apply)
