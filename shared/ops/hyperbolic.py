"""The hyperbolic functions and their inverses; `tanh` stands with the logistic function, in `sigmoids`.

All are elementwise and keep floating dtypes; integers become floats as in NumPy's exp.
"""

from __future__ import annotations

import numpy as np

from shared.op import Rule, elementwise
from shared.ops.angles import one_and_square
from shared.ops.elementwise import sqrt

_FLOATS = "Any shape; floats keep their dtype, integers and bools become floats."

sinh = elementwise(
    "sinh", np.sinh, None,
    Rule(lambda g, y, x: g * cosh(x), reads="x"),
    doc=f"(exp(x) - exp(-x)) / 2, elementwise, exact also near 0.\n{_FLOATS}",
)  # fmt: skip

cosh = elementwise(
    "cosh", np.cosh, None,
    Rule(lambda g, y, x: g * sinh(x), reads="x"),
    doc=f"(exp(x) + exp(-x)) / 2, elementwise.\n{_FLOATS}",
)  # fmt: skip

asinh = elementwise(
    "asinh", np.arcsinh, None,
    Rule(lambda g, y, x: g / one_and_square(x), reads="x"),
    doc=f"The number whose sinh is x, log(x + sqrt(x^2 + 1)), elementwise.\n{_FLOATS}",
)  # fmt: skip

acosh = elementwise(
    "acosh", np.arccosh, None,
    Rule(lambda g, y, x: g / (sqrt(x - 1) * sqrt(x + 1)), reads="x"),  # the root of x^2 - 1
    doc="The number from 0 on whose cosh is x, elementwise; NaN below 1, where there is none. Its\n"
    f"derivative at 1 is infinite.\n{_FLOATS}",
)  # fmt: skip

atanh = elementwise(
    "atanh", np.arctanh, None,
    Rule(lambda g, y, x: g / ((1 - x) * (x + 1)), reads="x"),
    doc="The number whose tanh is x, elementwise: infinite at 1 and -1, NaN beyond.\n"
    f"{_FLOATS}",
)  # fmt: skip
