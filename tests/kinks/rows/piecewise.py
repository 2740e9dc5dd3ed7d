"""Functions of pieces, where two pieces meet."""

from math import nan

from tests.kinks.row import Row

FLAT = "Zero lies between the slopes on both sides, and a step of zero is safe at a minimum."
OUTSIDE = "The flat piece is closed: at its end the slope is 0, as in PyTorch."

ROWS = (
    Row("abs-zero", "abs(x)", [[0.0]], [0.0], [[0.0]], FLAT),
    Row("abs-second", "abs(x), twice", [[0.0]], [0.0], [[0.0]],
        "The slope is sign(x), whose own is 0.", order=2),
    Row("sign-zero", "sign(x)", [[0.0]], [0.0], [[0.0]], "Constant on both sides."),
    Row("sign-nan", "sign(x)", [[nan]], [nan], [[0.0]],
        "NaN stays to be seen, as in NumPy and the Array API."),
    Row("relu-zero", "relu(x)", [[0.0]], [0.0], [[0.0]], FLAT),
    Row("relu-nan", "relu(x)", [[nan]], [nan], [[0.0]], "NaN stays to be seen; it is not above 0."),
    Row("maximum-of-zero", "maximum(x, 0)", [[0.0]], [0.0], [[0.5]],
        "A tie of maximum; `relu` is the op whose slope is 0."),
    Row("relu-squared-second", "relu(x)**2, twice", [[0.0]], [0.0], [[0.0]],
        "2 relu'(x)**2, by the slope 0 of relu.", order=2),
    Row("clip-bounds", "clip(x, -1, 1)", [[-1.0, 0.0, 1.0]], [-1.0, 0.0, 1.0], [[1.0, 1.0, 1.0]],
        "What stands on a bound is let through: a parameter that starts there can leave it."),
    Row("clip-crossed", "clip(x, 2, 1)", [[0.5]], [1.0], [[0.0]],
        "The upper bound is applied last, as in NumPy."),
    Row("clip-nan", "clip(x, -1, 1)", [[nan]], [nan], [[0.0]],
        "NaN stays to be seen; it is not within the bounds."),
    Row("leaky_relu-zero", "leaky_relu(x, 0.1)", [[0.0]], [0.0], [[0.1]],
        "0 belongs to the lower piece, as in relu."),
    Row("prelu-zero", "prelu(x, a)", [[0.0], [0.25]], [0.0], [[0.25], [0.0]],
        "0 belongs to the lower piece, as in relu."),
    Row("elu-zero", "elu(x, alpha=2)", [[0.0]], [0.0], [[2.0]], "0 belongs to the lower piece, as in relu."),
    Row("selu-zero", "selu(x)", [[0.0]], [0.0], [[1.7580993]], "0 belongs to the lower piece, as in relu."),
    Row("relu6-ends", "relu6(x)", [[0.0, 6.0]], [0.0, 6.0], [[0.0, 0.0]], OUTSIDE),
    Row("hardtanh-ends", "hardtanh(x)", [[-1.0, 1.0]], [-1.0, 1.0], [[0.0, 0.0]],
        f"{OUTSIDE} It is an activation, as relu6; `clip` is the op that lets bounds through."),
    Row("hardsigmoid-ends", "hardsigmoid(x)", [[-3.0, 3.0]], [0.0, 1.0], [[0.0, 0.0]], OUTSIDE),
    Row("hardswish-ends", "hardswish(x)", [[-3.0, 3.0]], [0.0, 3.0], [[0.0, 1.0]],
        "The outer pieces are closed: 0 below, x above."),
    Row("hardshrink-ends", "hardshrink(x, 0.5)", [[-0.5, 0.5]], [0.0, 0.0], [[0.0, 0.0]], OUTSIDE),
    Row("softshrink-ends", "softshrink(x, 0.5)", [[-0.5, 0.5]], [0.0, 0.0], [[0.0, 0.0]], OUTSIDE),
    Row("threshold-end", "threshold(x, 1, 9)", [[1.0]], [9.0], [[0.0]],
        "Above is above: PyTorch's definition."),
    Row("l1_loss-zero", "l1_loss(x, y)", [[1.0], [1.0]], 0.0, [[0.0], [0.0]], FLAT),
    Row("huber-corner-second", "huber_loss(x, 0), twice", [[1.0]], [1.0], [[0.5]],
        "The mean of the parabola's 1 and the line's 0, as at a tie.", order=2),
    Row("margin_ranking-corner", "margin_ranking_loss(a, b, 1)", [[1.0], [1.0]], 0.0, [[-1.0], [1.0]],
        "PyTorch's: the bound of max(0, -) lets through, so that equal scores are pushed apart."),
    Row("floor-whole", "floor(x)", [[1.0]], [1.0], [[0.0]], "Constant almost everywhere."),
    Row("round-slope", "round(x)", [[0.5, 1.5, 2.5]], [0.0, 2.0, 2.0], [[0.0, 0.0, 0.0]],
        "Half to even, as in IEEE 754; constant almost everywhere."),
    Row("where-nan-branch", "where(x > 0, log(x), 0)", [[0.0, 1.0]], [0.0, 0.0], [[nan, 1.0]],
        "0 from the branch not taken meets the infinite slope of log. Guard x, not log(x)."),
    Row("where-guarded", "where(x > 0, log(where(x > 0, x, 1)), 0)", [[0.0, 1.0]], [0.0, 0.0], [[0.0, 1.0]],
        "The guard that works everywhere."),
)  # fmt: skip
