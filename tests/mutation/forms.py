"""Wrong scalar forms, out of which kernels are made."""

from __future__ import annotations

from tests.mutation.mutation import Mutation, rows

ALONE = "an_op_gives_the_same_alone"

MUTATIONS: list[Mutation] = [
    Mutation(one.kind, one.file, one.at, one.old, one.new, f"{ALONE} and {one.only}")
    for one in [
        *rows("form", "shared/ops/elementwise.py", [
            ('"add", np.add', "({0} + {1})", "({0} - {1})", "add"),
            ('"sub", np.subtract', "({0} - {1})", "({1} - {0})", "sub"),
            ('"mul", np.multiply', "({0} * {1})", "({0} * {0})", "mul"),
            ('"div", np.true_divide', "({0} / {1})", "({1} / {0})", "div"),
            ('"neg", np.negative', "(-{0})", "(0 - {0})", "neg"),
            ('"reciprocal", lambda', "(1 / {0})", "(2 / {0})", "reciprocal"),
            ('"abs", np.absolute', '"abs({0})"', '"({0} if {0} > 0 else -{0})"', "abs"),
            ('"sign", np.sign', '"sign({0})"', '"(1 if {0} > 0 else -1)"', "sign"),
            ('"sqrt", np.sqrt', '"sqrt({0})"', '"sqrt(abs({0}))"', "sqrt"),
            ('"rsqrt", lambda', "(1 / sqrt({0}))", "(1 / sqrt(abs({0})))", "rsqrt"),
            ('"square", np.square', "({0} * {0})", "({0} + {0})", "square"),
            ('"exp", np.exp', '"exp({0})"', '"expm1({0})"', "exp"),
            ('"expm1", np.expm1', '"expm1({0})"', '"(exp({0}) - 1)"', "expm1"),
            ('"log1p", np.log1p', '"log1p({0})"', '"log(1 + {0})"', "log1p"),
            ('"floor", np.floor', '"floor({0})"', '"round({0})"', "floor"),
            ('"ceil", np.ceil', '"ceil({0})"', '"(floor({0}) + 1)"', "ceil"),
            ('"round", lambda', '"round({0})"', '"floor({0} + 0.5)"', "round"),
        ]),
        *rows("form", "shared/ops/choosing.py", [
            ('"equal", np.equal', "({0} == {1})", "({0} >= {1})", "equal"),
            ('"not_equal", np.not_equal', "({0} != {1})", "({0} > {1})", "not_equal"),
            ('"less", np.less', "({0} < {1})", "({0} <= {1})", "less"),
            ('"less_equal", np.less_equal', "({0} <= {1})", "({0} < {1})", "less_equal"),
            ('"greater", np.greater', "({0} > {1})", "({0} >= {1})", "greater"),
            ('"logical_xor", np.logical_xor', "({0} != 0) != ({1} != 0)", "({0} != {1})", "logical_xor"),
            ('"logical_not", np.logical_not', "({0} == 0)", "({0} <= 0)", "logical_not"),
            ('"isnan", np.isnan', '"isnan({0})"', '"({0} == {0})"', "isnan"),
            ('"isfinite", np.isfinite', "(({0} - {0}) == 0)", "({0} == {0})", "isfinite"),
            ('"gate", _compute_gate', "({0} if {1} else 0)", "({0} * {1})", "gate"),
            ('"where", _compute_where', "({1} if {0} else {2})", "({2} if {0} else {1})", "where"),
            ('"maximum", np.maximum', '"max({0}, {1})"', '"({0} if {0} > {1} else {1})"', "maximum"),
            ('"minimum", np.minimum', '"min({0}, {1})"', '"({0} if {0} < {1} else {1})"', "minimum"),
            ("_clip = elementwise(", '"min(max({0}, {1}), {2})"', '"max(min({0}, {2}), {1})"', "clip"),
        ]),
        *rows("form", "shared/ops/remainders.py", [
            ('"trunc", np.trunc', "if {0} > 0 else ceil({0})", "if {0} > 0 else floor({0})", "trunc"),
        ]),
        *rows("form", "shared/ops/infinities.py", [
            ('"isinf", np.isinf', "(abs({0}) == 1e999)", "({0} == 1e999)", "isinf"),
        ]),
        *rows("form", "shared/ops/signs.py", [
            ('"heaviside", np.heaviside', "({1} if {0} == 0", "({1} if {0} != 0", "heaviside"),
        ]),
        *rows("form", "shared/ops/blends.py", [
            ("lerp = elementwise(", "* (1 - {2})", "* {2}", "lerp"),
        ]),
        *rows("form", "shared/ops/activations.py", [
            ('"relu_grad", _compute_relu_grad', "{1} > 0", "{1} >= 0", "relu_grad"),
            ('"relu", lambda', '"max({0}, 0)"', '"({0} if {0} > 0 else 0)"', "relu"),
            ('"leaky_relu", _compute', "{0} * {slope}", "{0} * {slope} * 2", "leaky_relu"),
            ('"elu", _compute', "{alpha} * expm1", "expm1", "elu"),
        ]),
        *rows("form", "shared/ops/piecewise.py", [
            ("_hardtanh = elementwise(", '"min(max({0}, {low}), {high})"', '"max({0}, {low})"', "hardtanh"),
        ]),
        *rows("form", "shared/ops/sigmoids.py", [
            ('"softsign", _compute_softsign', "1 + abs({0})", "1 + {0}", "softsign"),
        ]),
    ]
]  # fmt: skip
