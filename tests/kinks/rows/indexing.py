"""Places that are named twice, left out, or not there; windows with ties."""

from math import inf, nan

from tests.kinks.row import Raises, Row

ROWS = (
    Row("index-repeated", "x[[0, 0, 1]]", [[1.0, 2.0], [0, 0, 1]], [1.0, 1.0, 2.0], [[3.0, 3.0]],
        "Each use adds.", seed=[1.0, 2.0, 3.0]),
    Row("index-beyond", "x[[5]]", [[1.0, 2.0], [5]], Raises("RangeError"), None,
        "A wrong place is a mistake; a clamped one a wrong number."),
    Row("index-negative", "take(x, [-1])", [[1.0, 2.0, 3.0], [-1]], [3.0], [[0.0, 0.0, 1.0]],
        "From the end, as in Python."),
    Row("scatter-set-twice", "scatter(x, [0, 0], v)", [[7.0, 8.0], [0, 0], [1.0, 2.0]], [2.0, 8.0],
        [[0.0, 1.0], [0.0, 1.0]],
        "The last one stays, as in NumPy; what was overwritten has no gradient.", seed=[1.0, 1.0]),
    Row("scatter-add-twice", "scatter_add(x, [0, 0], v)", [[7.0, 8.0], [0, 0], [1.0, 2.0]], [10.0, 8.0],
        [[1.0, 2.0], [1.0, 1.0]],
        "Each adds.", seed=[1.0, 2.0]),
    Row("scatter-max-tie", "scatter(x, [0, 0], v, max)", [[2.0, 8.0], [0, 0], [2.0, 1.0]], [2.0, 8.0],
        [[0.5, 1.0], [0.5, 0.0]],
        "A tie is shared, as in max."),
    Row("embedding-padding", "embedding([0, 1], w, padding 0)", [[0, 1], [[1.0, 2.0], [3.0, 4.0]]],
        [[1.0, 2.0], [3.0, 4.0]], [[[0.0, 0.0], [1.0, 1.0]]],
        "Padding is read and never learnt."),
    Row("one_hot-beyond", "one_hot(5, 2)", [[5]], Raises("RangeError"), None,
        "A row of zeros would be a class that nobody named."),
    Row("max_pool-tie", "max_pool(x, 2)", [[[[1.0, 1.0, 3.0, 3.0]]]], [[[1.0, 3.0]]],
        [[[[1.0, 0.0, 1.0, 0.0]]]],
        "The first in the window: a pool hands out places."),
    Row("max_pool-nan", "max_pool(x, 2)", [[[[1.0, nan, 3.0, 4.0]]]], [[[nan, 4.0]]],
        [[[[0.0, 1.0, 0.0, 1.0]]]],
        "NaN stays to be seen, and is the place that the pool took."),
    Row("max_pool-minus-inf", "max_pool(x, 2)", [[[[-inf, -inf]]]], [[[-inf]]], [[[[1.0, 0.0]]]],
        "The first in the window, whatever it holds."),
    Row("lp_pool-zeros", "lp_pool(x, 2, 2)", [[[[0.0, 0.0]]]], [[[0.0]]], [[[[0.0, 0.0]]]],
        "As the norm of zeros."),
)  # fmt: skip
