"""Ties, and what NaN does to an order."""

from math import nan

from tests.kinks.row import Row

EVEN = "A tie is a mean of the one-sided answers; no element is favoured for where it stands."
FIRST = "The value is taken from one place, which is handed out, so the gradient goes there."

ROWS = (
    Row("max-tie", "max(x)", [[1.0, 1.0, 0.0]], 1.0, [[0.5, 0.5, 0.0]], EVEN),
    Row("max-tie-along-axis", "max(x, axis=-1)", [[[1.0, 1.0, 0.0]]], [1.0], [[[0.5, 0.5, 0.0]]],
        f"{EVEN} The axis changes nothing."),
    Row("min-tie", "min(x)", [[2.0, 1.0, 1.0, 1.0]], 1.0, [[0.0, 1 / 3, 1 / 3, 1 / 3]], EVEN),
    Row("max-with-place-tie", "values of max with places", [[[1.0, 1.0, 0.0]]], [1.0], [[[1.0, 0.0, 0.0]]],
        FIRST),
    Row("maximum-tie", "maximum(x, y)", [[1.0], [1.0]], [1.0], [[0.5], [0.5]], EVEN),
    Row("minimum-tie", "minimum(x, y)", [[1.0], [1.0]], [1.0], [[0.5], [0.5]], EVEN),
    Row("median-even-count", "median(x)", [[4.0, 1.0, 3.0, 2.0]], 2.5, [[0.0, 0.0, 0.5, 0.5]],
        "The mean of the two in the middle, as in statistics and NumPy; `dynamic.median` is PyTorch's, the "
        "lower."),
    Row("median-tie", "median(x)", [[2.0, 1.0, 2.0]], 2.0, [[1.0, 0.0, 0.0]],
        "Of equal elements the one that a stable sort puts in the middle."),
    Row("sort-tie", "sort(x)", [[2.0, 1.0, 1.0]], [1.0, 1.0, 2.0], [[3.0, 1.0, 2.0]],
        "The sort is stable: equal elements keep their order, and so do their gradients.",
        seed=[1.0, 2.0, 3.0]),
    Row("argsort-descending-tie", "argsort(x, descending)", [[1.0, 2.0, 1.0, 2.0]], [1, 3, 0, 2], None,
        "Stable downwards too, as the Array API asks; an ascending sort turned round would not be."),
    Row("topk-tie", "values of topk(x, 1)", [[1.0, 3.0, 3.0]], [3.0], [[0.0, 1.0, 0.0]], FIRST),
    Row("cummax-tie", "cummax(x)", [[1.0, 1.0, 0.0]], [1.0, 1.0, 1.0], [[1.0, 2.0, 0.0]],
        "The latest of equal elements, as the running maximum meets them, and as PyTorch has it."),
    Row("sort-nan", "sort(x)", [[nan, 2.0, 1.0]], [1.0, 2.0, nan], [[3.0, 2.0, 1.0]],
        "NaN is last, as in NumPy.", seed=[1.0, 2.0, 3.0]),
    Row("argmax-tie", "argmax(x)", [[0.0, 1.0, 1.0]], 1, None, "The first, as in NumPy."),
    Row("argmax-nan", "argmax(x)", [[3.0, nan, 5.0]], 1, None,
        "NaN counts as the largest, as in NumPy: what max gives stands where argmax says."),
    Row("max-nan", "max(x)", [[3.0, nan, 5.0]], nan, [[0.0, 0.0, 0.0]],
        "NaN is seen, not skipped. Nothing that x could change by a little changes it."),
    Row("min-nan", "min(x)", [[3.0, nan, 5.0]], nan, [[0.0, 0.0, 0.0]],
        "As max: NaN is seen, and no small step of x changes it."),
    Row("topk-nan", "values of topk(x, 1)", [[1.0, nan, 5.0]], [nan], [[0.0, 1.0, 0.0]],
        "NaN counts as the largest, as in argmax and in a sort."),
    Row("median-nan", "median(x)", [[nan, 1.0, 3.0]], nan, [[1.0, 0.0, 0.0]],
        "NaN stays to be seen, where it stands; `nanmedian` passes over it."),
    Row("nanmean-all-nan", "nanmean(x)", [[nan, nan]], nan, [[0.0, 0.0]],
        "The mean of nothing, which no element moves."),
    Row("maximum-nan", "maximum(x, y)", [[nan], [1.0]], [nan], [[0.0], [0.0]],
        "As in max: NaN is seen, and neither is the larger."),
    Row("fmax-nan", "fmax(x, y)", [[nan], [1.0]], [1.0], [[0.0], [1.0]],
        "The number, which is what fmax is for."),
)  # fmt: skip
