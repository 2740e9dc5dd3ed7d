"""Activations as layers, for use in Sequential."""

from __future__ import annotations

import math
from typing import Any

from shared import ops
from shared.errors import ShapeError
from shared.nn.module import Module
from shared.spec import str_shape


class Activation(Module):
    """One without settings of its own. `inplace` is PyTorch's, and makes no difference: a new value is
    made."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class ReLU(Activation):
    """max(x, 0)."""

    def forward(self, x: Any) -> Any:
        return ops.relu(x)


class LeakyReLU(Module):
    """x, times `negative_slope` where it is negative: Maas, Hannun and Ng 2013."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def settings(self) -> str:
        return f"{self.negative_slope}"

    def forward(self, x: Any) -> Any:
        return ops.leaky_relu(x, self.negative_slope)


class ELU(Module):
    """x, or alpha (exp(x) - 1) where it is negative: Clevert, Unterthiner and Hochreiter 2016."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def settings(self) -> str:
        return f"{self.alpha}"

    def forward(self, x: Any) -> Any:
        return ops.elu(x, self.alpha)


class CELU(Module):
    """x, or alpha (exp(x / alpha) - 1) where it is negative: Barron 2017."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def settings(self) -> str:
        return f"{self.alpha}"

    def forward(self, x: Any) -> Any:
        return ops.celu(x, self.alpha)


class SELU(Activation):
    """An ELU that keeps mean 0 and variance 1 from layer to layer: Klambauer and others 2017."""

    def forward(self, x: Any) -> Any:
        return ops.selu(x)


class GELU(Module):
    """x times the normal distribution's function of x, or, with `approximate="tanh"`, nearly:
    Hendrycks and Gimpel 2016."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def settings(self) -> str:
        return "" if self.approximate == "none" else f"approximate={self.approximate!r}"

    def forward(self, x: Any) -> Any:
        return ops.gelu(x, self.approximate)


class SiLU(Activation):
    """x sigmoid(x): Elfwing, Uchibe and Doya 2018."""

    def forward(self, x: Any) -> Any:
        return ops.silu(x)


class Mish(Activation):
    """x tanh(softplus(x)): Misra 2019."""

    def forward(self, x: Any) -> Any:
        return ops.mish(x)


class GLU(Module):
    """a sigmoid(b) of the halves of x along `axis`: Dauphin, Fan, Auli and Grangier 2017."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def settings(self) -> str:
        return f"axis={self.axis}"

    def forward(self, x: Any) -> Any:
        return ops.glu(x, self.axis)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, x: Any) -> Any:
        return ops.sigmoid(x)


class LogSigmoid(Module):
    """The logarithm of Sigmoid, finite where Sigmoid itself would be 0."""

    def forward(self, x: Any) -> Any:
        return ops.log_sigmoid(x)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, x: Any) -> Any:
        return ops.softsign(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Any) -> Any:
        return ops.tanh(x)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, x: Any) -> Any:
        return ops.tanhshrink(x)


class Softplus(Module):
    """log(1 + exp(beta x)) / beta, a smooth ReLU: see `ops.softplus`."""

    def __init__(self, beta: float = 1.0, threshold: float = math.inf) -> None:
        self.beta, self.threshold = beta, threshold

    def settings(self) -> str:
        return "" if self.beta == 1 else f"beta={self.beta}"

    def forward(self, x: Any) -> Any:
        return ops.softplus(x, self.beta, self.threshold)


class Softmax(Module):
    """exp(x) scaled to add up to 1 along `axis`."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def settings(self) -> str:
        return f"axis={self.axis}"

    def forward(self, x: Any) -> Any:
        return ops.softmax(x, self.axis)


class Softmin(Softmax):
    """Softmax of -x."""

    def forward(self, x: Any) -> Any:
        return ops.softmin(x, self.axis)


class Softmax2d(Module):
    """Softmax over the channels of (N, C, H, W) or (C, H, W), at each place of the image."""

    def forward(self, x: Any) -> Any:
        if len(x.shape) not in (3, 4):
            raise ShapeError(f"Softmax2d: x {str_shape(tuple(x.shape))} must be (N, C, H, W) or (C, H, W)")
        return ops.softmax(x, -3)


class LogSoftmax(Module):
    """The logarithm of Softmax, finite where Softmax itself would underflow."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def settings(self) -> str:
        return f"axis={self.axis}"

    def forward(self, x: Any) -> Any:
        return ops.log_softmax(x, self.axis)
