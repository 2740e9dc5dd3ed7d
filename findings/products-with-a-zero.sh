#!/bin/sh
# The gradient of a product with one zero in it is NaN in autograd and Paddle.
#
# One would guess: prod of [0, 2, 3] has the gradient [6, 0, 0]: the product of the others.
# What happens: both divide the product by the factor, 0 / 0. cumprod in Paddle, and prod in PyTorch, JAX
#     and TensorFlow, are right.
# Who is hurt: whoever multiplies probabilities, masks or gates some of which are exactly 0.
# Bears on:
#     tests/shared/ops/test_ops_values.py::test_a_product_has_its_third_derivative_where_three_factors_are_0.
# Guessed before the run (guesses.md, 53 and 55; suspected): reflex "[6, 0, 0] in both", wrong; manual "[6,
#     0, 0] in both", wrong; build "NaN in both", right.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet autograd==1.9.1 paddlepaddle==3.3.1 numpy==2.4.6
venv/bin/python - <<'END'
from importlib.metadata import version

import autograd
import numpy as np
import paddle

print("Paddle", paddle.__version__, " autograd", version("autograd"))


def by_paddle(f):
    x = paddle.to_tensor([0.0, 2.0, 3.0], stop_gradient=False)
    f(x).sum().backward()
    return x.grad.numpy().tolist()


with np.errstate(invalid="ignore"):
    by_autograd = autograd.grad(autograd.numpy.prod)(np.array([0.0, 2.0, 3.0])).tolist()
found = by_autograd, by_paddle(paddle.prod), by_paddle(lambda x: paddle.cumprod(x, 0))
print("autograd prod:", found[0], " Paddle prod:", found[1], " cumprod:", found[2])
still = np.isnan(found[0][0]) and np.isnan(found[1][0]) and found[2] == [9, 0, 0]

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
