"""Layers: called on either engine's Tensors, written once.

`model(x)` runs on a dynamic Tensor and builds graph on a static one. No layer asks which.
"""

from shared.nn.activation import ReLU, Sigmoid, Tanh
from shared.nn.container import Sequential
from shared.nn.convolutional import Conv2d, MaxPool2d
from shared.nn.initial import manual_seed
from shared.nn.module import Module, evaluating
from shared.nn.regular import BatchNorm2d, Dropout
from shared.nn.simple import Flatten, Linear
from shared.state import Buffer, Parameter

__all__ = [
    "BatchNorm2d", "Buffer", "Conv2d", "Dropout", "Flatten", "Linear", "MaxPool2d", "Module",
    "Parameter", "ReLU", "Sequential", "Sigmoid", "Tanh", "evaluating", "manual_seed",
]  # fmt: skip
