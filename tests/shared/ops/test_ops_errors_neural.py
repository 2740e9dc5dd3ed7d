"""Every way to misuse the neural ops that we could think of gives the same error on both engines:
of the class one expects, with the call, the shapes or values, and the way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import AxisError, DiptychError, DTypeError, RangeError, SettingError, ShapeError

STATE = ops.generator_state(1)


@dataclass(frozen=True)
class Mistake:
    """A call on arguments (arrays, or shapes of float32 ones) and what must be said of it.

    late  whether it shows in the values alone, so that a graph can be built and fails when run
    """

    call: Callable[..., Any]
    args: list[Any]
    error: type[DiptychError]
    words: tuple[str, ...]
    late: bool = False

    def arrays(self) -> list[Any]:
        return [np.ones(a, np.float32) if isinstance(a, tuple) else np.asarray(a) for a in self.args]


_image = (2, 3, 5, 5)
_labels = np.array([0, 1])

MISTAKES = {
    "channels that differ": Mistake(ops.conv2d, [_image, (4, 2, 3, 3)],
        ShapeError, ("conv2d", "(2, 3, 5, 5)", "x has 3 channels", "takes 2")),
    "no channels' axis": Mistake(ops.conv2d, [(5, 5), (4, 3, 3, 3)],
        ShapeError, ("conv2d", "add a batch axis?")),
    "weights that do not divide": Mistake(lambda x, w: ops.conv2d(x, w, groups=3), [_image, (4, 1, 3, 3)],
        ShapeError, ("conv2d", "4 weights", "3 groups")),
    "a bias of one": Mistake(ops.conv2d, [_image, (4, 3, 3, 3), (1,)],
        ShapeError, ("bias (1,)", "(4,)")),
    "a kernel too large": Mistake(ops.conv2d, [_image, (4, 3, 6, 3)],
        ShapeError, ("conv2d", "(6, 3)", "(5, 5)", "pad")),
    "a stride of 0": Mistake(lambda x, w: ops.conv2d(x, w, stride=(1, 0)), [_image, (4, 3, 3, 3)],
        SettingError, ("conv2d", "stride", "at least 1", "(1, 0)")),
    "half a group": Mistake(lambda x, w: ops.conv2d(x, w, groups=0.5), [_image, (4, 3, 3, 3)],
        SettingError, ("conv2d", "groups", "0.5")),
    "a word for padding": Mistake(lambda x, w: ops.conv2d(x, w, padding="full"), [_image, (4, 3, 3, 3)],
        SettingError, ("conv2d", "padding", "'full'", "'same' or 'valid'")),
    "an image into conv1d": Mistake(ops.conv1d, [_image, (4, 3, 3)],
        ShapeError, ("conv1d", "3 axes, N C L")),
    "channels into a transposed one": Mistake(ops.conv_transpose2d, [_image, (4, 3, 3, 3)],
        ShapeError, ("conv_transpose2d", "x has 3 channels", "takes 4")),
    "more output padding than stride": Mistake(
        lambda x, w: ops.conv_transpose2d(x, w, stride=2, output_padding=2), [_image, (3, 4, 3, 3)],
        SettingError, ("conv_transpose2d", "output_padding (2, 2)", "stride (2, 2)", "dilation (1, 1)")),
    "padding that takes all": Mistake(
        lambda x, w: ops.conv_transpose2d(x, w, padding=5), [_image, (3, 4, 3, 3)],
        ShapeError, ("conv_transpose2d", "padding (5, 5)")),
    "a transposed bias of one": Mistake(ops.conv_transpose2d, [_image, (3, 4, 3, 3), (1,)],
        ShapeError, ("conv_transpose2d", "bias (1,)", "(4,)")),
    "im2col of a sequence": Mistake(lambda x: ops.im2col(x, 2), [(3, 5)],
        ShapeError, ("im2col", "4 axes")),
    "columns of another image": Mistake(lambda x: ops.col2im(x, (4, 4), 2), [(1, 8, 8)],
        ShapeError, ("col2im", "3 x 3", "8")),
    "columns of half a kernel": Mistake(lambda x: ops.col2im(x, (4, 4), 2), [(1, 6, 9)],
        ShapeError, ("col2im", "6 rows", "(2, 2)")),
    "an image of one size": Mistake(lambda x: ops.col2im(x, (4,), 2), [(1, 4, 9)],
        SettingError, ("col2im", "output_size", "(4,)")),
    "padding past half the kernel": Mistake(lambda x: ops.max_pool2d(x, 2, padding=2), [_image],
        SettingError, ("max_pool2d", "padding (2, 2)", "half")),
    "a pool too large": Mistake(lambda x: ops.max_pool2d(x, 6), [_image],
        ShapeError, ("max_pool2d", "(6, 6)", "(5, 5)")),
    "steps over the image": Mistake(lambda x: ops.max_pool2d(x, 2, 1, 1, dilation=3), [(1, 1, 2, 2)],
        ShapeError, ("max_pool2d", "dilation (3, 3)", "(2, 2)")),
    "a pool of truths": Mistake(lambda x: ops.max_pool2d(x, 2), [np.ones((1, 1, 2, 2), bool)],
        DTypeError, ("max_pool2d", "bool", "cast")),
    "a pool of a sequence": Mistake(lambda x: ops.avg_pool2d(x, 2), [(3, 4)],
        ShapeError, ("avg_pool2d", "4 axes")),
    "a 1-d pool of an image": Mistake(lambda x: ops.max_pool1d(x, 2), [_image],
        ShapeError, ("max_pool1d", "3 axes")),
    "no windows": Mistake(lambda x: ops.adaptive_avg_pool2d(x, 0), [_image],
        SettingError, ("adaptive_avg_pool2d", "output_size", "at least 1")),
    "no pixels": Mistake(lambda x: ops.adaptive_avg_pool2d(x, 2), [(1, 2, 0, 3)],
        ShapeError, ("no pixels",)),
    "a window of padding": Mistake(lambda x: ops.avg_pool2d(x, 2, padding=((2, 0), 0)), [_image],
        SettingError, ("avg_pool2d", "half")),
    "divided by nothing": Mistake(lambda x: ops.avg_pool2d(x, 2, divisor_override=0), [_image],
        SettingError, ("avg_pool2d", "divisor_override", "0")),
    "no norm": Mistake(lambda x: ops.lp_pool2d(x, 0, 2), [_image], SettingError, ("lp_pool2d", "norm_type")),
    "windows of truths": Mistake(lambda x: ops.adaptive_max_pool2d(x, 2), [np.ones((1, 1, 2, 2), bool)],
        DTypeError, ("adaptive_max_pool2d", "bool", "cast")),
    "an image for a volume": Mistake(ops.conv3d, [_image, (4, 3, 3, 3)], ShapeError, ("conv3d", "5 axes")),
    "channels of a volume": Mistake(ops.conv3d, [(2, 3, 5, 5, 5), (4, 2, 3, 3, 3)],
        ShapeError, ("conv3d", "x has 3 channels", "takes 2")),
    "places of another shape": Mistake(
        lambda x, i: ops.max_unpool2d(x, i, 2), [_image, np.ones((2, 3, 5, 4), int)],
        ShapeError, ("max_unpool2d", "(2, 3, 5, 4)", "one shape")),
    "a size far from the usual": Mistake(
        lambda x, i: ops.max_unpool2d(x, i, 2, output_size=(5, 5)), [_image, np.ones(_image, int)],
        SettingError, ("max_unpool2d", "(5, 5)", "(10, 10)")),
    "a mode for others": Mistake(lambda x: ops.interpolate(x, 2, mode="linear"), [_image],
        SettingError, ("interpolate", "'linear'", "'bilinear'")),
    "two sizes": Mistake(lambda x: ops.interpolate(x, 2, 2.0), [_image],
        SettingError, ("interpolate", "one of the two")),
    "a size of 0": Mistake(lambda x: ops.interpolate(x, scale_factor=0.1), [_image],
        SettingError, ("interpolate", "0.1", "at least 1")),
    "corners of the nearest": Mistake(lambda x: ops.interpolate(x, 2, align_corners=True), [_image],
        SettingError, ("interpolate", "align_corners", "'nearest'")),
    "a grid of three": Mistake(ops.grid_sample, [_image, (2, 4, 4, 3)],
        ShapeError, ("grid_sample", "N OH OW 2")),
    "a grid for one": Mistake(ops.grid_sample, [_image, (1, 4, 4, 2)],
        ShapeError, ("grid_sample", "broadcast_to")),
    "a strange outside": Mistake(
        lambda x, g: ops.grid_sample(x, g, padding_mode="wrap"), [_image, (2, 4, 4, 2)],
        SettingError, ("grid_sample", "'wrap'", "border")),
    "a map of three rows": Mistake(lambda t: ops.affine_grid(t, (2, 1, 3, 3)), [(2, 3, 3)],
        ShapeError, ("affine_grid", "(N, 2, 3)")),
    "boxes without images": Mistake(lambda x, b: ops.roi_align(x, b, 2), [_image, (4, 4)],
        ShapeError, ("roi_align", "(K, 5)")),
    "a box of no image": Mistake(lambda x, b: ops.roi_align(x, b, 2), [_image, np.float32([[2, 0, 0, 1, 1]])],
        RangeError, ("index 2",), late=True),
    "channels that do not shuffle": Mistake(lambda x: ops.pixel_shuffle(x, 2), [_image],
        ShapeError, ("pixel_shuffle", "3 of x", "4 parts")),
    "an axis that is not there": Mistake(lambda x: ops.softmax(x, 2), [(2, 3)],
        AxisError, ("softmax", "axis 2")),
    "statistics of too many": Mistake(ops.batch_norm, [(4, 3), (3,), (3,), (3,), (2,)],
        ShapeError, ("batch_norm", "running_var (2,)", "(3,)")),
    "one weight for all": Mistake(ops.batch_norm, [(4, 3), (1,), (3,), (3,), (3,)],
        ShapeError, ("batch_norm", "weight (1,)", "(3,)")),
    "no batch": Mistake(ops.batch_norm, [(0, 3), (3,), (3,), (3,), (3,)],
        ShapeError, ("batch_norm", "no elements")),
    "no channels": Mistake(ops.batch_norm, [(3,), (3,), (3,), (3,), (3,)],
        ShapeError, ("batch_norm", "2 axes")),
    "integers to normalise": Mistake(ops.batch_norm, [np.ones((2, 3), int), (3,), (3,), (3,), (3,)],
        DTypeError, ("batch_norm", "int64", "cast")),
    "another last axis": Mistake(lambda x: ops.layer_norm(x, (4, 3)), [(2, 3, 4)],
        ShapeError, ("layer_norm", "(2, 3, 4)", "(4, 3)")),
    "a weight of one axis": Mistake(lambda x, w: ops.layer_norm(x, (3, 4), w), [(2, 3, 4), (4,)],
        ShapeError, ("layer_norm", "weight (4,)", "(3, 4)")),
    "labels as floats": Mistake(ops.cross_entropy, [(2, 3), (2,)],
        DTypeError, ("cross_entropy", "integers", "probabilities")),
    "labels one hot": Mistake(ops.cross_entropy, [(2, 3), np.eye(3, dtype=int)[:2]],
        ShapeError, ("cross_entropy", "labels (2, 3)", "(2,)")),
    "integers for logits": Mistake(ops.cross_entropy, [np.ones((2, 3), int), _labels],
        DTypeError, ("cross_entropy", "logits", "int64")),
    "no classes": Mistake(ops.cross_entropy, [(2, 0), _labels],
        ShapeError, ("cross_entropy", "classes")),
    "a label too large": Mistake(ops.cross_entropy, [(2, 3), np.array([1, 3])],
        RangeError, ("cross_entropy", "label 3 (at position 1)", "from 0 to 2"), late=True),
    "a negative label": Mistake(ops.nll_loss, [(2, 3), np.array([-1, 2])],
        RangeError, ("nll_loss", "label -1 (at position 0)", "-100 is ignored"), late=True),
    "weights of other classes": Mistake(ops.cross_entropy, [(2, 3), _labels, (2,)],
        ShapeError, ("cross_entropy", "weight (2,)", "(3,)")),
    "an unknown reduction": Mistake(
        lambda x, y: ops.cross_entropy(x, y, reduction="avg"), [(2, 3), _labels],
        SettingError, ("cross_entropy", "mean, sum, none", "'avg'")),
    "smoothing in per cent": Mistake(
        lambda x, y: ops.cross_entropy(x, y, label_smoothing=10), [(2, 3), _labels],
        SettingError, ("cross_entropy", "label_smoothing", "10")),
    "a column against a row": Mistake(ops.mse_loss, [(3, 1), (3,)],
        ShapeError, ("mse_loss", "(3, 1)", "(3,)", "broadcast")),
    "no delta": Mistake(lambda x: ops.huber_loss(x, 0, delta=0), [(3,)],
        SettingError, ("huber_loss", "delta", "0")),
    "integers for log odds": Mistake(ops.binary_cross_entropy_with_logits, [np.ones(2, int), (2,)],
        DTypeError, ("binary_cross_entropy_with_logits", "int64")),
    "log odds for probabilities": Mistake(ops.binary_cross_entropy, [np.float32([0.5, 2.0]), (2,)],
        RangeError, ("1 of 2", "2.0", "with_logits"), late=True),
    "vectors of other sizes": Mistake(ops.cosine_similarity, [(2, 3), (2, 4)],
        ShapeError, ("cosine_similarity", "broadcast")),
    "gates that do not fit": Mistake(ops.lstm_cell, [(2, 12), (2, 4)],
        ShapeError, ("lstm_cell", "(2, 12)", "4 H")),
    "one state for all": Mistake(ops.lstm_cell, [(2, 16), (1, 4)],
        ShapeError, ("lstm_cell", "(1, 4)")),
    "whole states": Mistake(ops.lstm_cell, [(2, 4), np.ones((2, 1), int)],
        DTypeError, ("lstm_cell", "int64")),
    "gates of another size": Mistake(ops.gru_cell, [(2, 12), (2, 9), (2, 4)],
        ShapeError, ("gru_cell", "(2, 9)", "3 H")),
    "whole gates": Mistake(ops.gru_cell, [(2, 3), np.ones((2, 3), int), (2, 1)],
        DTypeError, ("gru_cell", "int64")),
    "whole sums": Mistake(ops.rnn_cell, [(2, 3), np.ones((2, 3), int)],
        DTypeError, ("rnn_cell", "int64")),
    "another nonlinearity": Mistake(lambda x: ops.rnn_cell(x, nonlinearity="gelu"), [(2, 3)],
        SettingError, ("rnn_cell", "'tanh' or 'relu'", "'gelu'")),
    "keys of other features": Mistake(ops.scaled_dot_product_attention, [(2, 3), (4, 5), (4, 5)],
        ShapeError, ("attention", "3 features", "5")),
    "values of other keys": Mistake(ops.scaled_dot_product_attention, [(2, 3), (4, 3), (5, 3)],
        ShapeError, ("attention", "(4, 3)", "(5, 3)", "one value")),
    "queries of no features": Mistake(ops.scaled_dot_product_attention, [(3,), (4, 3), (4, 3)],
        ShapeError, ("attention", "2 axes")),
    "a mask of numbers": Mistake(
        ops.scaled_dot_product_attention, [(2, 3), (4, 3), (4, 3), np.ones((2, 4), int)],
        DTypeError, ("mask", "int64", "bool")),
    "a mask that does not fit": Mistake(ops.scaled_dot_product_attention, [(2, 3), (4, 3), (4, 3), (2, 5)],
        ShapeError, ("attention", "mask", "(2, 5)")),
    "whole queries": Mistake(ops.attention_weights, [np.ones((2, 3), int), (4, 3)],
        DTypeError, ("attention", "int64")),
    "a seed for a state": Mistake(lambda s: ops.uniform(s, 3), [np.array([1, 2])],
        ShapeError, ("uniform", "uint64 (2,)", "generator_state")),
    "half a number": Mistake(lambda s: ops.normal(s, 2.5), [STATE],
        SettingError, ("normal", "2.5")),
    "less than none": Mistake(lambda s: ops.normal(s, (2, -1)), [STATE],
        SettingError, ("normal", "(2, -1)")),
    "whole draws": Mistake(lambda s: ops.normal(s, 2, "int32"), [STATE],
        SettingError, ("normal", "int32", "cast")),
    "no dtype": Mistake(lambda s: ops.normal(s, 2, "real"), [STATE],
        DTypeError, ("'real'",)),
    "odds for probabilities": Mistake(lambda s, p: ops.bernoulli(s, p), [STATE, np.float32([0.5, 3.0])],
        RangeError, ("bernoulli", "from 0 to 1"), late=True),
    "a whole coin": Mistake(lambda s, p: ops.bernoulli(s, p), [STATE, np.array([1])],
        DTypeError, ("bernoulli", "int64")),
    "dropout by per cent": Mistake(lambda x, s: ops.dropout(x, s, 50), [(3,), STATE],
        SettingError, ("dropout", "50")),
    "dropout of integers": Mistake(ops.dropout, [np.arange(3), STATE],
        DTypeError, ("dropout", "int64")),
}  # fmt: skip

each_mistake = pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())


def check(mistake: Mistake, error: DiptychError) -> None:
    assert type(error) is mistake.error, error
    for word in mistake.words:
        assert word in error.message, f"{word!r} is missing: {error.message}"


@each_mistake
def test_dynamic_says_what_is_wrong(mistake: Mistake) -> None:
    with pytest.raises(DiptychError) as caught:
        mistake.call(*map(dynamic.tensor, mistake.arrays()))
    check(mistake, caught.value)


def on_static(mistake: Mistake, shapes: list[Any]) -> None:
    """The call on placeholders of these shapes, and then a run of it."""
    graph = static.Graph()
    with graph.as_default(), static.Session(graph=graph) as session:
        arrays = mistake.arrays()
        xs = [static.placeholder(a.dtype, shape) for a, shape in zip(arrays, shapes, strict=True)]
        made = mistake.call(*xs)
        assert mistake.late or shapes != [a.shape for a in arrays], "the graph was built"
        session.run(made, feed_dict=dict(zip(xs, arrays, strict=True)))


@each_mistake
def test_static_says_what_is_wrong(mistake: Mistake) -> None:
    """When the graph is built, or, where values alone show it, when it runs."""
    with pytest.raises(DiptychError) as caught:
        on_static(mistake, [a.shape for a in mistake.arrays()])
    check(mistake, caught.value)


@each_mistake
def test_a_size_unknown_until_run_hides_no_mistake(mistake: Mistake) -> None:
    """The first axis of each argument is unknown: the graph may be built, but its run fails then."""
    with pytest.raises(DiptychError):
        on_static(mistake, [(None, *a.shape[1:]) for a in mistake.arrays()])
