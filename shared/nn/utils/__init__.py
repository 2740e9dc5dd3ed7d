"""What is done to layers and their Parameters beside training, under the names of `torch.nn.utils`."""

import sys

from shared.nn.utils import parametrizations, parametrize, prune
from shared.nn.utils.clipping import clip_grad_norm_, clip_grad_value_
from shared.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from shared.nn.utils.vectors import parameters_to_vector, vector_to_parameters
from shared.usage.absent import NN_UTILS, answer
from shared.usage.door import public

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "fuse_conv_bn_eval", "fuse_linear_bn_eval",
    "parameters_to_vector", "parametrizations", "parametrize", "prune", "vector_to_parameters",
]  # fmt: skip

public(globals(), __all__)


def __getattr__(name: str) -> None:
    raise answer(sys.modules[__name__], name, NN_UTILS)
