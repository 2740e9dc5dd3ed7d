"""Signs, taken and given: those of zeros count."""

from __future__ import annotations

import numpy as np

from shared.op import ZERO, Rule, elementwise
from shared.ops.choosing import BROADCAST, PROMOTE, equal, gate
from shared.ops.elementwise import sign

signbit = elementwise(
    "signbit", np.signbit, None, ZERO,
    doc="Whether x has a minus, elementwise: negative numbers and -0. Gives bool, and no gradient.",
)  # fmt: skip

copysign = elementwise(
    "copysign", np.copysign, None,
    Rule(lambda g, y, a, b: g * (sign(a) * sign(y)), reads="y a"),
    ZERO,
    doc="`a` with the sign of `b`, elementwise, that of -0 too; its derivative by a, 1 or -1, is taken as 0\n"
    f"where a is 0, as in PyTorch. Floats keep their dtype, integers become floats. {BROADCAST} {PROMOTE}",
)  # fmt: skip


heaviside = elementwise(
    "heaviside", np.heaviside, "({1} if {0} == 0 else (0 if {0} < 0 else (1 if {0} > 0 else {0})))",
    ZERO,
    Rule(lambda g, y, a, b: gate(g, equal(a, 0)), reads="a"),
    doc="0 where `a` is negative, 1 where it is positive, `b` where it is 0, elementwise; NaN stays NaN.\n"
    f"To b flows a gradient where a is 0. {BROADCAST} {PROMOTE}",
)  # fmt: skip
