"""Optimisers: each one pure rule, run on arrays by `step()` and as graph by `minimize()`.

With them go learning-rate schedules, which are functions of the step count, and the clipping of
gradients.
"""

from shared.nn.utils.clipping import (
    clip_by_global_norm,
    clip_by_value,
    clip_grad_norm_,
    clip_grad_value_,
    global_norm,
)
from shared.optim import lr_scheduler
from shared.optim.adaptive import Adadelta, Adagrad, Adam, AdamW, RMSprop
from shared.optim.cycles import (
    SWALR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    LambdaLR,
    MultiplicativeLR,
    OneCycleLR,
)
from shared.optim.descent import ASGD, SGD
from shared.optim.lbfgs import LBFGS
from shared.optim.moments import Adamax, NAdam, RAdam
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
from shared.optim.sharded import Sharded
from shared.optim.signs import Lion, Rprop
from shared.optim.swa_utils import AveragedModel, get_ema_avg_fn, get_swa_avg_fn, update_bn
from shared.usage.door import public

__all__ = [
    "ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "AveragedModel", "ChainedScheduler",
    "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "ExponentialLR", "LBFGS",
    "LambdaLR", "LinearLR", "Lion", "MultiStepLR", "MultiplicativeLR", "NAdam", "OneCycleLR", "Optimizer",
    "PolynomialLR", "RAdam", "RMSprop", "ReduceLROnPlateau", "Rprop", "SGD", "SWALR", "SequentialLR",
    "Sharded", "StepLR", "clip_by_global_norm", "clip_by_value", "clip_grad_norm_", "clip_grad_value_",
    "get_ema_avg_fn", "get_swa_avg_fn", "global_norm", "lr_scheduler", "update_bn",
]  # fmt: skip

public(globals(), __all__)
