"""Layers: called on either engine's Tensors, written once.

`model(x)` runs on a dynamic Tensor and builds graph on a static one. No layer asks which.
`nn.init` holds the initialisers.
"""

from shared.nn import initial as init
from shared.nn.activation import (
    ELU,
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from shared.nn.attentive import MultiheadAttention
from shared.nn.cells import GRUCell, LSTMCell, RNNCell
from shared.nn.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from shared.nn.container import ModuleDict, ModuleList, Sequential
from shared.nn.convolutional import Conv1d, Conv2d, ConvTranspose2d
from shared.nn.initial import manual_seed
from shared.nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CosineSimilarity,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
)
from shared.nn.module import Module, evaluating
from shared.nn.overview import Summary, summary
from shared.nn.pooling import AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from shared.nn.recurrent import GRU, LSTM, RNN, forget_gate_bias_
from shared.nn.regular import BatchNorm1d, BatchNorm2d, Dropout, LayerNorm
from shared.nn.simple import Embedding, Flatten, Identity, Linear
from shared.state import Buffer, Generator, Parameter
from shared.usage.door import public

__all__ = [
    "AdaptiveAvgPool2d", "AvgPool1d", "AvgPool2d", "BCELoss", "BCEWithLogitsLoss", "BatchNorm1d",
    "BatchNorm2d", "Buffer", "Checkpoint", "Conv1d", "Conv2d", "ConvTranspose2d", "CosineSimilarity",
    "CrossEntropyLoss", "Dropout", "ELU", "Embedding", "Flatten", "GELU", "GRU", "GRUCell",
    "Generator", "HuberLoss", "Identity", "KLDivLoss", "L1Loss", "LSTM", "LSTMCell", "LayerNorm",
    "LeakyReLU", "Linear", "LogSoftmax", "MSELoss", "MaxPool1d", "MaxPool2d", "Module",
    "ModuleDict", "ModuleList", "MultiheadAttention", "NLLLoss", "Parameter", "RNN", "RNNCell",
    "ReLU", "Sequential", "SiLU", "Sigmoid", "Softmax", "Softplus", "Summary", "Tanh", "evaluating",
    "forget_gate_bias_", "init", "load_checkpoint", "manual_seed", "save_checkpoint", "summary",
]  # fmt: skip

public(globals(), __all__)
