"""Data sets that need no download, and how data sets are divided and joined."""

from __future__ import annotations

import ast
import inspect
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from shared.data import (
    NODE_TYPES,
    ConcatDataset,
    DataLoader,
    Subset,
    TensorDataset,
    Vocabulary,
    library,
    load_library_text,
    load_library_trees,
    load_noisy_sine,
    load_sine_curve,
    load_spiral,
    random_split,
    trees,
)
from shared.errors import DataError, RangeError, SettingError

# --- toys ----------------------------------------------------------------------------------


def book_spiral(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Point by point, as the book draws it."""
    random = np.random.RandomState(seed)
    x, t = np.zeros((300, 2)), np.zeros(300, int)
    for arm in range(3):
        for i in range(100):
            rate = i / 100
            theta = arm * 4.0 + 4.0 * rate + random.randn() * 0.2
            x[100 * arm + i] = rate * math.sin(theta), rate * math.cos(theta)
            t[100 * arm + i] = arm
    order = random.permutation(300)
    return x[order], t[order]


def test_the_spiral_is_the_books() -> None:
    found = load_spiral()
    for (x, y), seed in (((found.train_x, found.train_y), 1984), ((found.test_x, found.test_y), 2020)):
        points, arms = book_spiral(seed)
        np.testing.assert_allclose(x, points, atol=1e-6)
        assert (y == arms).all()
        assert (x.dtype, y.dtype) == (np.float32, np.int64)


def test_sines() -> None:
    curve = load_sine_curve()
    assert [part.shape for part in curve] == [(999, 1)] * 4
    assert (curve.train_x[1:] == curve.train_y[:-1]).all()
    at = np.linspace(0, 2 * np.pi, 1000)[:-1, None]
    assert np.abs(curve.train_x - np.sin(at)).max() <= 0.0501
    np.testing.assert_allclose(curve.test_x, np.cos(at), atol=1e-6)
    noisy = load_noisy_sine()
    above = noisy.train_y - np.sin(2 * np.pi * noisy.train_x)
    assert above.min() > -1e-6
    assert above.max() < 1
    assert noisy.train_x.dtype == np.float32


# --- text ----------------------------------------------------------------------------------


@given(st.text(st.sampled_from("ab Z~!\n\t\x00\x7fé\u200b\ufffd\U0001f600\ud800"), max_size=60))
def test_what_the_vocabulary_has_comes_back_and_all_else_is_one_sign(text: str) -> None:
    vocabulary = Vocabulary()
    codes = vocabulary.encode(text)
    assert codes.dtype == np.int64
    expected = "".join(c if c in vocabulary.characters else "\ufffd" for c in text)
    assert vocabulary.decode(codes) == expected


def test_a_vocabulary_of_ones_own_may_have_any_characters() -> None:
    vocabulary = Vocabulary("aé😀\ufffd")
    assert vocabulary.encode("é😀ab").tolist() == [1, 2, 0, 3]
    assert vocabulary.decode([2, 1]) == "😀é"
    with pytest.raises(SettingError, match="must differ"):
        Vocabulary("aa\ufffd")
    with pytest.raises(RangeError, match="from 0 to 3"):
        vocabulary.decode([4])


def test_the_librarys_text_is_code_and_always_the_same() -> None:
    text = load_library_text(200_000)
    assert len(text.vocabulary) == 97
    assert (len(text.train), len(text.test)) == (180_000, 20_000)
    source = text.vocabulary.decode(np.concatenate([text.train, text.test]))
    assert source.count("def ") > 100
    assert source.count("\ufffd") < 200
    assert "\t" not in source
    again = load_library_text(100_000, held_out=0.5)
    assert (again.train == text.train[:50_000]).all()


# --- trees ---------------------------------------------------------------------------------


def test_trees_are_the_syntax_of_functions_and_always_the_same() -> None:
    found = load_library_trees(60, held_out=0.25, max_nodes=80)
    assert (len(found.train), len(found.test)) == (45, 15)
    for tree in (*found.train, *found.test):
        size = len(tree)
        assert size <= 80
        assert tree.parents[-1] == -1
        assert (tree.parents[:-1] > np.arange(size - 1)).all()
        assert (tree.parents < size).all()
        assert NODE_TYPES[tree.labels[-1]] in ("FunctionDef", "AsyncFunctionDef")
        heights = tree.heights()
        for place, children in enumerate(tree.children()):
            assert heights[place] == (1 + max(heights[c] for c in children) if children else 0)
    again = load_library_trees(10, max_nodes=80)
    assert [tree.name for tree in again.train] == [tree.name for tree in found.train[:9]]


def test_a_tree_has_the_nodes_of_its_function_in_order() -> None:
    source = "def f(a):\n    return g(a, 1) + -a"
    (function,) = ast.parse(source).body
    tree = trees._tree("m.f", function)
    names = [NODE_TYPES[label] for label in tree.labels]

    def written(place: int) -> str:
        inner = " ".join(written(c) for c in tree.children()[place])
        return f"({names[place]} {inner})" if inner else names[place]

    assert written(len(tree) - 1) == (
        "(FunctionDef (arguments arg) (Return (BinOp (Call Name Name Constant) Add (UnaryOp USub Name))))"
    )


def test_deep_syntax_makes_a_tree_without_recursion() -> None:
    (function,) = ast.parse("def f():\n    return " + "-" * 80 + "1").body
    node = function.body[0].value  # type: ignore[attr-defined]
    for _ in range(5000):
        node = ast.UnaryOp(ast.USub(), node)
    function.body[0].value = node  # type: ignore[attr-defined]
    assert trees._tree("m.f", function).heights()[-1] > 5000


def test_a_python_without_its_librarys_source_is_told_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(library.sysconfig, "get_paths", lambda: {"stdlib": str(tmp_path)})
    with pytest.raises(DataError, match="source is not installed"):
        load_library_text(10)


def test_library_modules_are_named_and_leave_out_tests_and_packages_from_elsewhere() -> None:
    names = [name for name, _ in library.modules()]
    assert {"inspect", "json", "json.decoder"} <= set(names)
    assert not {"numpy", "pytest"} & {name.partition(".")[0] for name in names}
    source = dict(library.modules())["inspect"]
    assert source == Path(inspect.__file__).read_text(encoding="utf-8")


# --- division ------------------------------------------------------------------------------


def test_subsets_splits_and_joins() -> None:
    data = TensorDataset(np.arange(10), np.arange(10) * 2)
    part = Subset(data, [3, 1, -1])
    assert [int(x) for x, _ in (part[i] for i in range(3))] == [3, 1, 9]
    assert [x.tolist() for x, _ in DataLoader(part, 2)] == [[3, 1], [9]]
    joined = ConcatDataset([part, data])
    assert [int(joined[i][0]) for i in (0, 2, 3, 12, -1)] == [3, 9, 0, 9, 9]
    assert [x.tolist() for x, _ in DataLoader(joined, 5)] == [[3, 1, 9, 0, 1], [2, 3, 4, 5, 6], [7, 8, 9]]


@pytest.mark.parametrize(
    ("lengths", "sizes"), [([7, 3], [7, 3]), ([0.75, 0.25], [8, 2]), ([0.5, 0.5], [5, 5])]
)
def test_a_random_split_is_disjoint_whole_and_decided_by_its_seed(
    lengths: list[float], sizes: list[int]
) -> None:
    data = list(range(10))
    parts = random_split(data, lengths, seed=3)
    assert [len(part) for part in parts] == sizes
    assert sorted(part[i] for part in parts for i in range(len(part))) == data
    assert (random_split(data, lengths, seed=3)[0].indices == parts[0].indices).all()
    assert (random_split(data, lengths, seed=4)[0].indices != parts[0].indices).any()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(SettingError, match="must add up to the 10 examples"):
        random_split(list(range(10)), [5, 4])
    with pytest.raises(RangeError, match="index 10 is outside the 10"):
        Subset(list(range(10)), [10])
    with pytest.raises(RangeError, match="index 3 is outside"):
        ConcatDataset([[1, 2], [3]])[3]
