"""Diptych's define-by-run engine: compute now, remember how.

    import dynamic
    x = dynamic.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    x.grad
"""

from dynamic.backward import grad
from dynamic.engine import ENGINE
from dynamic.modes import no_grad
from dynamic.tape import Node
from dynamic.tensors import Tensor, tensor
from dynamic.views import draw, show, to_networkx

__all__ = ["ENGINE", "Node", "Tensor", "draw", "grad", "no_grad", "show", "tensor", "to_networkx"]
