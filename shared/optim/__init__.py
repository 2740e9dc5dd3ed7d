"""Optimisers: each one pure rule, run on arrays by `step()` and as graph by `minimize()`.

With them go learning-rate schedules, which are functions of the step count, and the clipping of
gradients.
"""

from shared.optim import lr_scheduler
from shared.optim.adaptive import Adadelta, Adagrad, Adam, AdamW, RMSprop
from shared.optim.clipping import (
    clip_by_global_norm,
    clip_by_value,
    clip_grad_norm_,
    clip_grad_value_,
    global_norm,
)
from shared.optim.descent import SGD
from shared.optim.optimizer import Optimizer
from shared.optim.plateau import ReduceLROnPlateau
from shared.optim.schedules import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    SequentialLR,
    StepLR,
)
from shared.usage.door import public

__all__ = [
    "Adadelta", "Adagrad", "Adam", "AdamW", "ChainedScheduler", "ConstantLR", "CosineAnnealingLR",
    "ExponentialLR", "LinearLR", "MultiStepLR", "Optimizer", "PolynomialLR", "RMSprop", "ReduceLROnPlateau",
    "SGD", "SequentialLR", "StepLR", "clip_by_global_norm", "clip_by_value", "clip_grad_norm_",
    "clip_grad_value_", "global_norm", "lr_scheduler",
]  # fmt: skip

public(globals(), __all__)
