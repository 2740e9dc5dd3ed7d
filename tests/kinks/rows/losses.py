"""Losses, distances and normalisations at zeros and ends."""

from math import inf, log, nan

from tests.kinks.row import Raises, Row

ROWS = (
    Row("cross_entropy-all-ignored", "cross_entropy(x, all ignored)", [[[1.0, 2.0]], [-100]], nan,
        [[[0.0, 0.0]]],
        "The mean of nothing, as in NumPy; the gradient is that of nothing, so a batch of padding moves no "
        "weight."),
    Row("cross_entropy-label-beyond", "cross_entropy(x, label 5 of 2)", [[[1.0, 2.0]], [5]],
        Raises("RangeError"), None,
        "A label without a class is a mistake in the data."),
    Row("cross_entropy-impossible", "cross_entropy(x, label 0)", [[[-inf, 0.0]], [0]], inf, [[[-1.0, 1.0]]],
        "The loss is infinite; softmax - onehot is as it always is."),
    Row("nll-no-weight", "nll_loss(x, label of weight 0)", [[[-1.0, -2.0]], [1], [1.0, 0.0]], nan, None,
        "A weighted mean without weight: 0 / 0."),
    Row("bce-wrong-ends", "binary_cross_entropy(p, t)", [[0.0, 1.0], [1.0, 0.0]], 100.0,
        [[-5e11, 5e11], [50.0, -50.0]],
        "PyTorch's bounds: logarithms from -100, denominators from 1e-12."),
    Row("bce-right-ends", "binary_cross_entropy(p, t)", [[0.0, 1.0], [0.0, 1.0]], 0.0,
        [[0.0, 0.0], [50.0, -50.0]],
        "0 log 0 is 0; by t the logarithms keep their bound, -100."),
    Row("bce_logits-sure", "binary_cross_entropy_with_logits(x, t)", [[inf, -inf], [1.0, 0.0]], nan,
        [[0.0, 0.0], [-inf, inf]],
        "0 * inf: the other class's part of an infinite logit. Logits are finite numbers."),
    Row("bce_logits-wrong", "binary_cross_entropy_with_logits(x, 0)", [[100.0]], 100.0, [[1.0]],
        "The line that it nears; nothing overflows."),
    Row("kl_div-zero-target", "sum of kl_div(x, t)", [[log(0.5)], [0.0]], 0.0, [[0.0], [-log(0.5)]],
        "0 log 0 is the constant 0, as in xlogy: by t -x is left."),
    Row("huber-corner", "huber_loss(x, 0)", [[1.0]], 0.5, [[1.0]], "Both pieces agree."),
    Row("cosine_similarity-zeros", "cosine_similarity(a, b)", [[[0.0, 0.0]], [[1.0, 0.0]]], [0.0], None,
        "No direction is like no other; 0 / eps."),
    Row("normalize-zeros", "normalize(x)", [[[0.0, 0.0]]], [[0.0, 0.0]], [[[1e12, 1e12]]],
        "x / eps around 0, as the definition says."),
    Row("pairwise_distance-equal", "pairwise_distance(a, b)", [[[1.0, 2.0]], [[1.0, 2.0]]], [1.4142135e-6],
        [[[0.70710678, 0.70710678]], [[-0.70710678, -0.70710678]]],
        "PyTorch's definition adds 1e-6 to each difference."),
    Row("cdist-equal", "cdist(a, b)", [[[1.0, 2.0]], [[1.0, 2.0]]], [[0.0]], [[[0.0, 0.0]], [[0.0, 0.0]]],
        "As the norm of zeros."),
    Row("batch_norm-of-one", "batch_norm(x) of one, training", [[[3.0, 5.0]]], [[0.0, 0.0]], [[[0.0, 0.0]]],
        "x less itself: a last batch of one ends no training, and moves nothing."),
    Row("layer_norm-of-one", "layer_norm(x) of one feature", [[[3.0], [5.0]]], [[0.0], [0.0]],
        [[[0.0], [0.0]]],
        "x less itself.", seed=[[1.0], [2.0]]),
    Row("group_norm-constant", "group_norm(x, 1)", [[[3.0, 3.0]]], [[0.0, 0.0]], [[[-158.11388, 158.11388]]],
        "1 / sqrt(eps) times the seed less its mean.", seed=[[1.0, 2.0]]),
)  # fmt: skip
