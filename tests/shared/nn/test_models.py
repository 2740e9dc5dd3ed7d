"""Models: their shapes, their sizes as the literature gives them, and that they train alike on
both engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import models, nn, ops
from shared.data.trees import Tree
from shared.errors import SettingError
from tests.shared.nn.engines import assert_same_bits, on_dynamic, on_static
from tests.shared.nn.entry import flat, integers, normal


def tree(*nodes: tuple[int, int]) -> Tree:
    """From (label, parent) of each node, children first."""
    return Tree("", *np.array(nodes, np.int64).T)


TREE = tree((3, 3), (3, 2), (2, 3), (1, 6), (2, 6), (4, 6), (0, -1))
"""0(1(3, 2(3)), 2, 4)."""
FOREST = [TREE, tree((4, -1)), tree((1, 2), (1, 2), (3, -1))]
LABELS, PARENTS = models.levels(FOREST)


def call_levels(model: Any, xs: Any) -> list[Any]:
    count = len(LABELS)
    return list(model(list(xs[:count]), list(xs[count:])))


def call_plainly(model: Any, xs: Any) -> list[Any]:
    return flat(model(*xs))


SMALL: dict[str, tuple[Callable[[], nn.Module], list[Any], Callable[..., Any], list[Any] | None]] = {
    "MLP": (lambda: models.MLP((None, 8, 3), dropout=0.2), [normal(4, 2, 3)], call_plainly, [("N", 2, 3)]),
    "LeNet": (lambda: models.LeNet(3), [normal(2, 1, 16, 16)], call_plainly, [("N", 1, 16, 16)]),
    "VGG16": (
        lambda: models.VGG16(3, 1, 2, 5, batch_norm=True),
        [normal(2, 1, 32, 32)], call_plainly, [("N", 1, 32, 32)],
    ),
    "ResNet18": (lambda: models.ResNet18(3, 1, 2), [normal(2, 1, 32, 32)], call_plainly, [("N", 1, 32, 32)]),
    "Bottleneck": (
        lambda: models.ResNet(models.Bottleneck, (1, 1), 3, 1, 2),
        [normal(2, 1, 17, 16)], call_plainly, [("N", 1, 17, 16)],
    ),
    "CharLSTM": (lambda: models.CharLSTM(9, 6, 2, 0.2), [integers(9, 5, 3)], call_plainly, [(5, "N")]),
    "CharRNN": (lambda: models.CharRNN(9, 6, 2, 0.2), [integers(9, 5, 3)], call_plainly, [(5, "N")]),
    "Transformer": (
        lambda: models.Transformer(9, 6, 8, 2, 2, 0.2), [integers(9, 3, 5)], call_plainly, [("N", "T")],
    ),
    "TreeLSTM": (lambda: models.TreeLSTM(5, 4), [], lambda model, xs: list(model(TREE)), None),
    "TreeLSTM by levels": (
        lambda: models.TreeLSTM(5, 4), [*LABELS, *PARENTS], call_levels,
        [*((f"M{i}",) for i in range(len(LABELS))), *((f"M{i + 1}",) for i in range(len(PARENTS)))],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_a_small_variant_trains_alike_on_both_engines_to_the_bit(name: str) -> None:
    make, inputs, call, unknown = SMALL[name]
    expected = on_dynamic(make, inputs, call)
    assert_same_bits(expected, on_static(make, inputs, call))
    if unknown is not None:
        assert_same_bits(expected, on_static(make, inputs, call, unknown))
    assert expected.losses[0] != expected.losses[1]


@pytest.mark.parametrize(
    ("make", "parameters", "gmacs"),
    [
        (models.ResNet18, 11_689_512, 1.814),
        (models.ResNet50, 25_557_032, 4.089),
        (models.ResNet101, 44_549_160, 7.801),
        (models.ResNet152, 60_192_808, 11.514),
        (models.VGG16, 138_357_544, 15.47),
    ],
)
def test_a_big_model_has_the_size_and_the_work_that_torchvision_publishes(
    make: Callable[[], nn.Module], parameters: int, gmacs: float
) -> None:
    with nn.init.undrawn():
        model = make()
    table = nn.summary(model, (1, 3, 224, 224))
    assert table.parameters == model.num_parameters() == parameters
    assert table.flops / 2e9 == pytest.approx(gmacs, abs=6e-4)
    assert table.rows[0].output == "(1, 1000)"


def test_lenet_has_the_size_of_lenet_5() -> None:
    """61,706: LeCun's 60,000, with every map of the second convolution seeing all of the first."""
    model = models.LeNet()
    nn.summary(model, (1, 1, 28, 28))
    assert model.num_parameters() == 61_706


def test_a_tree_read_node_by_node_is_the_tree_read_level_by_level() -> None:
    """Each root's h and c, up to rounding; trees of different depths in one batch."""
    model = models.TreeLSTM(5, 4)
    h, c = model(LABELS, PARENTS)
    for row, one in enumerate(FOREST):
        h_alone, c_alone = model(one)
        np.testing.assert_allclose(h.numpy()[row], h_alone.numpy()[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(c.numpy()[row], c_alone.numpy()[0], rtol=1e-5, atol=1e-6)


def test_levels_beyond_a_trees_depth_change_nothing() -> None:
    model = models.TreeLSTM(5, 4)
    deep_labels, deep_parents = models.levels(FOREST, depth=len(LABELS) + 2)
    assert [len(level) for level in deep_labels[-2:]] == [0, 0]
    for ours, deep in zip(model(LABELS, PARENTS), model(deep_labels, deep_parents), strict=True):
        np.testing.assert_array_equal(ours.numpy(), deep.numpy())
    with pytest.raises(SettingError, match="more than depth=2 levels"):
        models.levels(FOREST, depth=2)


def test_a_tree_lstm_sums_over_children_in_any_order() -> None:
    model = models.TreeLSTM(5, 4)
    turned = tree((4, 6), (2, 6), (3, 3), (2, 5), (3, 5), (1, 6), (0, -1))
    np.testing.assert_allclose(model(TREE)[0].numpy(), model(turned)[0].numpy(), rtol=1e-5)


def test_a_transformer_never_looks_ahead() -> None:
    model = models.Transformer(9, 8, 8, 2)
    tokens = integers(9, 2, 6)
    later = tokens.copy()
    later[:, 4:] = (later[:, 4:] + 1) % 9
    one, other = (model(dynamic.tensor(t)).numpy() for t in (tokens, later))
    np.testing.assert_array_equal(one[:, :4], other[:, :4])
    assert np.abs(one[:, 4:] - other[:, 4:]).min(axis=-1).max() > 0


def test_a_char_lstm_goes_on_from_the_state_it_gave() -> None:
    model = models.CharLSTM(9, 6, 2).eval()
    tokens = integers(9, 6, 3)
    whole, _ = model(dynamic.tensor(tokens))
    first, state = model(dynamic.tensor(tokens[:4]))
    second, _ = model(dynamic.tensor(tokens[4:]), state)
    apart = np.concatenate([first.numpy(), second.numpy()])
    np.testing.assert_allclose(whole.numpy(), apart, rtol=1e-5, atol=1e-6)


def test_a_model_learns() -> None:
    """A tree is told by its root: more than a shape check, the sign that gradients arrive."""
    from shared import optim

    nn.manual_seed(0)
    model = models.TreeLSTM(5, 8)
    head = nn.Linear(8, 2)
    optimizer = optim.Adam([*model.parameters(), *head.parameters()], lr=0.05)
    losses = []
    for _ in range(30):
        loss = ops.cross_entropy(head(model(LABELS, PARENTS)[0]), np.array([0, 1, 1]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.05 < losses[0]


@pytest.mark.parametrize("sizes", [(3,), (3, None), ()])
def test_an_mlp_without_sizes_is_refused(sizes: Any) -> None:
    with pytest.raises(SettingError, match="MLP: sizes must be"):
        models.MLP(sizes)
