"""Cases for the activation functions and erf."""

from __future__ import annotations

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, distinct, integers, normal
from tests.cases.oracle import torch_op

_far = np.array([-1000.0, -40.0, -25.0, 25.0, 40.0, 1000.0])


def _smooth(name: str, torch: str) -> list[Case]:
    """Around zero, far out where exp would overflow, on integers, and on an argument out of C order."""
    op = TABLE[name]
    return [
        Case(name, op, [normal(3, 4) * 2], torch=torch_op(torch), unknown=[("a", "b")]),
        Case(name, op, [_far], torch=torch_op(torch), smooth=False, name="saturated"),
        Case(name, op, [integers(-3, 4, 4)], smooth=False, name="integers"),
        Case(name, lambda x: op(ops.transpose(x)), [normal(3, 2)], unknown=[("a", "b")], name="transposed"),
    ]


CASES = [
    *_smooth("sigmoid", "sigmoid"),
    *_smooth("log_sigmoid", "nn.functional.logsigmoid"),
    *_smooth("softplus", "nn.functional.softplus"),
    Case("softplus", lambda x: ops.softplus(x, 3.0, 0.2), [normal(3, 4)], unknown=[("a", "b")],
         torch=torch_op("nn.functional.softplus", beta=3.0, threshold=0.2), smooth=False, name="settings"),
    *_smooth("silu", "nn.functional.silu"),
    *_smooth("tanhshrink", "nn.functional.tanhshrink"),
    *_smooth("softsign", "nn.functional.softsign"),
    Case("tanhshrink", ops.tanhshrink, [np.linspace(-3, 3, 41)], smooth=False,
         torch=torch_op("nn.functional.tanhshrink"), name="where the two ways meet"),
    Case("softplus", ops.mish, [normal(3, 4) * 2], torch=torch_op("nn.functional.mish"),
         unknown=[("a", "b")], name="mish"),
    Case("softplus", ops.mish, [_far], torch=torch_op("nn.functional.mish"), smooth=False,
         second=False, name="mish, saturated"),
    Case("sigmoid", lambda x: ops.glu(x, 0), [normal(4, 3)], torch=torch_op("nn.functional.glu", dim=0),
         unknown=[("a", "b")], name="glu"),
    Case("softmax", ops.softmin, [normal(3, 4)], torch=torch_op("nn.functional.softmin", dim=-1),
         unknown=[("a", "b")], name="softmin"),
    *_smooth("erf", "erf"),
    *_smooth("erfc", "erfc"),
    *(
        Case("gaussian", lambda x, s=scale: TABLE["gaussian"](x, scale=s), [normal(3, 4) * 2],
             torch=lambda x, s=scale: (-s * x * x).exp(), unknown=[("a", "b")], name=f"{scale}")
        for scale in (1.0, 0.5)
    ),
    Case("sigmoid_slope", TABLE["sigmoid_slope"], [normal(3, 4) * 2], unknown=[("a", "b")],
         torch=lambda x: x.sigmoid() * (-x).sigmoid()),
    *_smooth("normal_cdf", "special.ndtr"),
    Case("gelu", ops.gelu, [normal(3, 4) * 2], torch=torch_op("nn.functional.gelu"), unknown=[("a", "b")]),
    Case("gelu", ops.gelu, [_far], torch=torch_op("nn.functional.gelu"), smooth=False, name="saturated"),
    Case("gelu", TABLE["gelu"], [np.linspace(-5.0, 4.0, 12).reshape(3, 4)], unknown=[("a", "b")],
         torch=lambda x: (torch_op("nn.functional.gelu")(x), torch_op("special.ndtr")(x)),
         name="every output"),
    Case("gelu_grad", TABLE["gelu_grad"], list(np.linspace(-3.0, 2.0, 36).reshape(3, 3, 4)),
         unknown=[("a", "b")] * 3,
         torch=lambda g, x, cdf: g * (cdf + x * (x * x / -2).exp() * (2 * np.pi) ** -0.5)),
    Case("relu", ops.relu, [distinct(3, 4)], torch=torch_op("relu"), unknown=[("a", "b")]),
    Case("relu", ops.relu, [np.array([0.0, -0.0, 1.0])], torch=torch_op("relu"), smooth=False,
         name="at zero"),
    Case("relu", ops.relu, [integers(-3, 4, 4)], smooth=False, name="integers"),
    Case("relu_grad", lambda g, y: TABLE["relu_grad"](g, y), [normal(3, 4), distinct(3, 4)],
         composed=lambda g, y: TABLE["gate"](g, y > 0), unknown=[("a", "b"), ("a", "b")]),
    Case("relu_grad", lambda g, y: TABLE["relu_grad"](g, y), [normal(3, 1), distinct(2, 1, 4)],
         unknown=[("a", 1), ("c", 1, "b")], name="broadcast"),
    Case("relu", lambda x: ops.relu(ops.transpose(x)), [distinct(3, 2)], unknown=[("a", "b")],
         name="transposed"),
    *(
        Case("leaky_relu", lambda x, s=slope: ops.leaky_relu(x, s), [distinct(3, 4)], unknown=[("a", "b")],
             torch=torch_op("nn.functional.leaky_relu", negative_slope=slope), name=f"{slope}")
        for slope in (0.01, 0.0, 1.5)
    ),
    Case("leaky_relu", ops.leaky_relu, [integers(-3, 4, 4)], smooth=False, name="integers"),
    *(
        Case("elu", lambda x, a=alpha: ops.elu(x, a), [distinct(3, 4)], unknown=[("a", "b")],
             torch=torch_op("nn.functional.elu", alpha=alpha), name=f"{alpha}")
        for alpha in (1.0, 0.5)
    ),
    Case("elu", ops.elu, [_far], torch=torch_op("nn.functional.elu"), smooth=False, name="saturated"),
    Case("elu", ops.elu, [integers(-3, 4, 4)], smooth=False, name="integers"),
    Case("elu", ops.selu, [distinct(3, 4)], torch=torch_op("nn.functional.selu"), unknown=[("a", "b")],
         name="selu"),
    Case("expm1", lambda x: ops.celu(x, 0.5), [distinct(3, 4)], unknown=[("a", "b")],
         torch=torch_op("nn.functional.celu", alpha=0.5), name="celu"),
    Case("expm1", ops.celu, [np.array([-1000.0, -0.0, 0.0, 1000.0])], smooth=False, second=False,
         torch=torch_op("nn.functional.celu"), name="celu at zero and far out"),
    Case("gelu_tanh", lambda x: ops.gelu(x, approximate="tanh"), [normal(3, 4) * 2], unknown=[("a", "b")],
         torch=torch_op("nn.functional.gelu", approximate="tanh")),
    Case("gelu_tanh", lambda x: ops.gelu(x, approximate="tanh"), [_far], smooth=False,
         torch=torch_op("nn.functional.gelu", approximate="tanh"), name="saturated"),
    Case("erf", ops.erf, [np.linspace(-6.5, 6.5, 20001)], torch=torch_op("erf"), smooth=False, name="long"),
]  # fmt: skip
