"""Learning rates that follow a count of steps, as Tensors; and that count. All are computed in float64."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.errors import SettingError
from static.graph.collections import GraphKeys, add_to_collection, get_collection
from static.graph.graph import Graph, get_default_graph
from static.graph.operands import as_tensor
from static.graph.variables import Variable


def _number(value: Any) -> Any:
    """A rate or a count, a number or a Tensor of one, in float64."""
    return ops.cast(ops.reshape(as_tensor(value, "float64"), ()), "float64")


def _part(global_step: Any, decay_steps: Any, staircase: bool) -> Any:
    part = _number(global_step) / _number(decay_steps)
    return ops.floor(part) if staircase else part


def exponential_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False
) -> Any:
    """learning_rate decay_rate ** (global_step / decay_steps); staircase: with the exponent's whole part."""
    return _number(learning_rate) * ops.pow(_number(decay_rate), _part(global_step, decay_steps, staircase))


def natural_exp_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False
) -> Any:
    """learning_rate exp(-decay_rate global_step / decay_steps)."""
    part = _part(global_step, decay_steps, staircase)
    return _number(learning_rate) * ops.exp(ops.neg(_number(decay_rate) * part))


def inverse_time_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False
) -> Any:
    """learning_rate / (1 + decay_rate global_step / decay_steps)."""
    return _number(learning_rate) / (1 + _number(decay_rate) * _part(global_step, decay_steps, staircase))


def polynomial_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, end_learning_rate: Any = 0.0001, power: Any = 1.0,
    cycle: bool = False,
) -> Any:  # fmt: skip
    """From learning_rate to end_learning_rate in decay_steps, as (1 - step / decay_steps) ** power. cycle:
    decay_steps is taken as often as it takes to be no less than the step."""
    step, whole, end = _number(global_step), _number(decay_steps), _number(end_learning_rate)
    if cycle:
        whole = whole * ops.maximum(ops.ceil(step / whole), 1.0)
    else:
        step = ops.minimum(step, whole)
    return (_number(learning_rate) - end) * ops.pow(1 - step / whole, power) + end


def cosine_decay(learning_rate: Any, global_step: Any, decay_steps: Any, alpha: float = 0.0) -> Any:
    """Along half a cosine from learning_rate to alpha learning_rate in decay_steps (Loshchilov and Hutter
    2017)."""
    part = ops.minimum(_number(global_step) / _number(decay_steps), 1.0)
    return _number(learning_rate) * ((1 - alpha) * 0.5 * (1 + ops.cos(part * math.pi)) + alpha)


def piecewise_constant(x: Any, boundaries: Sequence[Any], values: Sequence[Any]) -> Any:
    """values[0] up to and with boundaries[0], values[1] from there to boundaries[1], and so on."""
    if len(values) != len(boundaries) + 1:
        raise SettingError(
            f"piecewise_constant: {len(boundaries)} boundaries stand between {len(boundaries) + 1} values, "
            f"not {len(values)}"
        )
    step, rate = _number(x), _number(values[0])
    for boundary, value in zip(boundaries, values[1:], strict=True):
        rate = ops.where(ops.greater(step, boundary), _number(value), rate)
    return rate


# --- the count of steps ----------------------------------------------------------------------------


def get_global_step(graph: Graph | None = None) -> Variable | None:
    """The variable that counts the steps of training, or None if none was made."""
    with (graph or get_default_graph()).as_default():
        found = get_collection(GraphKeys.GLOBAL_STEP)
        named = get_default_graph().root().named_variables.get("global_step")
        others = [v for v in get_default_graph().root().variables if v.name == "global_step"]
    return next((v for v in (*found, named, *others) if v is not None), None)


def create_global_step(graph: Graph | None = None) -> Variable:
    """The variable that counts the steps of training, made: an int64 that starts at 0."""
    if get_global_step(graph) is not None:
        raise SettingError("create_global_step: there is one already; get_global_step() gives it")
    with (graph or get_default_graph()).root().as_default():
        made = Variable(np.int64(0), False, "global_step")
        add_to_collection(GraphKeys.GLOBAL_STEP, made)
    return made


def get_or_create_global_step(graph: Graph | None = None) -> Variable:
    """The same, made if there is none."""
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The count that a session holds."""
    return int(sess.run(global_step_tensor))
