"""Products with zeros, statistics of too little, and reductions of nothing."""

from math import inf, nan

from tests.kinks.row import Raises, Row

FEW = "One number has no spread to estimate: 0 / 0, as in NumPy."

ROWS = (
    Row("prod-one-zero", "prod(x)", [[2.0, 0.0, 3.0]], 0.0, [[0.0, 6.0, 0.0]],
        "The product of the others, not y / x."),
    Row("prod-two-zeros", "prod(x)", [[0.0, 0.0, 3.0]], 0.0, [[0.0, 0.0, 0.0]],
        "The product of the others, not y / x."),
    Row("prod-zero-second", "prod(x), twice", [[2.0, 0.0, 3.0]], [0.0, 6.0, 0.0], [[3.0, 5.0, 2.0]],
        "Products of the others again.", order=2),
    Row("cumprod-zero", "cumprod(x)", [[2.0, 0.0, 3.0]], [2.0, 0.0, 0.0], [[1.0, 8.0, 0.0]],
        "The products of the others, not y / x."),
    Row("var-of-one", "var(x, ddof=1)", [[2.0]], nan, [[nan]], FEW),
    Row("std-of-one", "std(x, ddof=1)", [[2.0]], nan, [[nan]], FEW),
    Row("std-constant", "std(x)", [[2.0, 2.0, 2.0]], 0.0, [[0.0, 0.0, 0.0]],
        "As the norm of zeros: no spread is a minimum, and the slope there 0."),
    Row("sum-of-nothing", "sum(x)", [[]], 0.0, [[]], "The neutral element."),
    Row("prod-of-nothing", "prod(x)", [[]], 1.0, [[]], "The neutral element."),
    Row("mean-of-nothing", "mean(x)", [[]], nan, [[]], "0 / 0, as in NumPy."),
    Row("max-of-nothing", "max(x)", [[]], Raises("ShapeError"), None,
        "There is no largest; -inf would be an answer to a mistake."),
    Row("logsumexp-of-nothing", "logsumexp(x)", [[]], -inf, [[]], "The logarithm of a sum of nothing."),
    Row("mean-of-integers", "mean(i)", [[1, 2]], 1.5, None, "A mean of integers is a fraction, as in NumPy."),
    Row("softmax-masked-row", "softmax(x)", [[-inf, -inf]], [nan, nan], [[nan, nan]],
        "0 / 0: a distribution over nothing. `attention_weights` is where masks are meant, and gives 0.",
        seed=[1.0, 2.0]),
    Row("log_softmax-masked-row", "log_softmax(x)", [[-inf, -inf]], [nan, nan], [[nan, nan]],
        "As softmax.", seed=[1.0, 2.0]),
    Row("softmax-one-inf", "softmax(x)", [[inf, 0.0]], [nan, nan], [[nan, nan]],
        "inf - inf, as in the field.", seed=[1.0, 2.0]),
    Row("softmax-one-masked", "softmax(x)", [[-inf, 0.0]], [0.0, 1.0], [[0.0, 0.0]],
        "What is masked out takes no part.", seed=[1.0, 2.0]),
    Row("logsumexp-masked-row", "logsumexp(x)", [[-inf, -inf]], -inf, [[0.0, 0.0]],
        "The logarithm of a sum of zeros; -inf is moved by nothing."),
    Row("logsumexp-one-inf", "logsumexp(x)", [[inf, 0.0]], inf, [[1.0, 0.0]],
        "The infinite one is all of the sum."),
    Row("logcumsumexp-masked", "logcumsumexp(x)", [[-inf, 0.0]], [-inf, 0.0], [[0.0, 1.0]],
        "As logsumexp, step by step."),
    Row("attention-masked-row", "attention(q, k, v, mask)",
        [[[1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [3.0, 4.0]], [[False, False]]], [[0.0, 0.0]],
        [[[0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]],
        "A query that may look at nothing gets nothing, and a padded row spoils no gradient."),
)  # fmt: skip
