"""Batch normalisation put into the weights of the layer before it: one layer less in evaluation."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np

from shared.errors import SettingError
from shared.nn.convolutional import Conv1d
from shared.nn.regular import BatchNorm1d
from shared.nn.simple import Linear
from shared.state import Parameter

_Convolution: Any = Conv1d.__mro__[1]
_BatchNorm: Any = BatchNorm1d.__mro__[1]


def fuse_conv_bn_eval(conv: Any, bn: Any) -> Any:
    """A convolution, transposed or not, that gives what `bn(conv(x))` gives in evaluation: a copy, with a
    bias. SettingError unless both are in evaluation and bn has running statistics."""
    fused = _copied("fuse_conv_bn_eval", conv, bn, _Convolution)
    scale, shift = _affine(bn)
    weight = conv.weight.numpy()
    if conv.turned:  # (in, out / groups, *kernel), the groups one after the other along the first axis
        grouped = weight.reshape(conv.groups, -1, *weight.shape[1:])
        scaled = grouped * scale.reshape(conv.groups, 1, -1, *[1] * (weight.ndim - 2))
        return _filled(fused, conv, scaled.reshape(weight.shape), scale, shift)
    return _filled(fused, conv, weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), scale, shift)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """The same of a Linear layer and a BatchNorm1d."""
    fused = _copied("fuse_linear_bn_eval", linear, bn, Linear)
    scale, shift = _affine(bn)
    return _filled(fused, linear, linear.weight.numpy() * scale[:, None], scale, shift)


def _copied(call: str, layer: Any, bn: Any, kind: Any) -> Any:
    if not isinstance(layer, kind) or not isinstance(bn, _BatchNorm):
        given = f"{type(layer).__name__} and {type(bn).__name__}"
        raise SettingError(f"{call}: takes a layer and the batch norm that follows it, not {given}")
    if layer.training or bn.training:
        raise SettingError(f"{call}: in training the statistics are each batch's own; call eval() first")
    if not bn.track_running_stats:
        raise SettingError(f"{call}: the batch norm has no running statistics to put into a weight")
    outputs = layer.weight.value().shape[0] if kind is Linear else layer.out_channels
    if outputs != bn.num_features:
        raise SettingError(f"{call}: the layer gives {outputs} features, not {bn.num_features}")
    return deepcopy(layer)


def _affine(bn: Any) -> tuple[Any, Any]:
    """What a batch norm does in evaluation: x * scale + shift, in double precision."""
    mean, var = (state.numpy().astype(np.float64) for state in (bn.running_mean, bn.running_var))
    scale = 1 / np.sqrt(var + bn.eps) * (1.0 if bn.weight is None else bn.weight.numpy())
    return scale, (0.0 if bn.bias is None else bn.bias.numpy()) - mean * scale


def _filled(fused: Any, layer: Any, weight: Any, scale: Any, shift: Any) -> Any:
    kind = layer.weight.dtype
    bias = shift if layer.bias is None else layer.bias.numpy() * scale + shift
    fused.weight.hold(np.ascontiguousarray(weight, kind))
    fused.bias = Parameter(np.asarray(bias, kind))
    return fused
