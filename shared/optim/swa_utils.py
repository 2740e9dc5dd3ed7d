"""Averages of a model's weights over the steps of training, as in `torch.optim.swa_utils`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import numpy as np

from shared import ops
from shared.dispatch import current_engine
from shared.errors import SettingError
from shared.nn.module import Module
from shared.state import Buffer, Generator, Parameter
from shared.usage import late
from shared.usage.door import methods
from shared.usage.numbers import number

Average = Callable[[Any, Any, Any], Any]
"""`average(averaged, current, count)`, in ops: the next average, after `count` values."""


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential moving average: decay * averaged + (1 - decay) * current (Polyak and Juditsky 1992)."""
    decay = number("get_ema_avg_fn", "decay", decay)
    if decay > 1:
        raise SettingError(f"get_ema_avg_fn: decay must be from 0 to 1, not {decay!r}")
    return lambda averaged, current, count: ops.add(ops.mul(averaged, decay), ops.mul(current, 1 - decay))


def get_swa_avg_fn() -> Average:
    """The mean of all values so far: stochastic weight averaging (Izmailov et al. 2018)."""

    def mean(averaged: Any, current: Any, count: Any) -> Any:
        share = ops.cast(1.0 / (ops.cast(count, "float64") + 1.0), averaged.dtype)
        return ops.add(averaged, ops.mul(ops.sub(current, averaged), share))

    return mean


class AveragedModel(Module):
    """A copy of a model, `module`, whose Parameters are averages of the model's.

        averaged = AveragedModel(model, avg_fn=get_ema_avg_fn(0.99))
        opt.step(); averaged.update_parameters(model)     # dynamic
        update = averaged.update_parameters(model)        # static: built once, under graph.as_default(), and
        session.run(train); session.run(update)           # run after each step

    avg_fn       how: by default the plain mean of all values
    use_buffers  average the Buffers of floats as well; else they are the model's
    It is called as the model is. The first value is taken as it is; `n_averaged` counts.
    """

    def __init__(self, model: Module, avg_fn: Average | None = None, use_buffers: bool = False) -> None:
        for _, state in model.named_states():
            state.value()
        self.module = deepcopy(model)
        self.module.zero_grad()
        self.n_averaged = Buffer(np.int64(0))
        self.avg_fn, self.use_buffers = avg_fn or get_swa_avg_fn(), use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> Any:
        """Take in what the model holds: now or, where a graph is being built, by the operation that is given
        back."""
        own, others = dict(self.module.named_states()), dict(model.named_states())
        if own.keys() != others.keys():
            raise SettingError("update_parameters: the model is not like the one that was copied")
        done = []
        for path, state in own.items():
            current = others[path]
            if isinstance(state, Generator):
                continue
            averages = isinstance(state, Parameter) or (self.use_buffers and state.dtype.kind in "fc")
            value = self._next(state, current) if averages else ops.stop_gradient(current)
            done.append(state.assign(value))
        done.append(self.n_averaged.assign(ops.add(self.n_averaged, 1)))
        return current_engine().train(None, done)

    def _next(self, state: Any, current: Any) -> Any:
        current = ops.stop_gradient(current)
        average = self.avg_fn(ops.stop_gradient(state), current, self.n_averaged)
        return ops.where(ops.equal(self.n_averaged, 0), current, average)


methods(AveragedModel, "update_parameters")


def update_bn(loader: Iterable[Any], model: Module) -> None:
    """Take the running statistics of all batch norms in a model anew: the plain means over the batches of a
    loader (Tensors, or tuples whose first element is the model's input).

    It runs now, where the Parameters hold their values: after training in a session, `session.store(model)`
    first, and `session.load(model)` afterwards. The model's mode stays what it is.
    """
    norms: list[Any] = [module for module in model.modules() if getattr(module, "track_running_stats", False)]
    if not norms:
        return
    before = [(module, module.training) for module in model.modules()]
    momenta = [module.momentum for module in norms]
    for module in norms:
        module.running_mean.assign(np.zeros_like(module.running_mean.value()))
        module.running_var.assign(np.ones_like(module.running_var.value()))
        module.num_batches_tracked.assign(np.zeros_like(module.num_batches_tracked.value()))
    try:
        model.train()
        for module in norms:
            module.momentum = None
        for batch in loader:
            model(batch[0] if isinstance(batch, (tuple, list)) else batch)
    finally:
        for module, training in before:
            late.put_back(module, "training", training)
        for module, momentum in zip(norms, momenta, strict=True):
            late.put_back(module, "momentum", momentum)
