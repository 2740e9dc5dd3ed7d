"""Loaders: every example once, in an order that can be left and taken up; threads that end."""

from __future__ import annotations

import gc
import threading
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import dynamic
from shared.data import DataLoader, Dataset, PadCollate, SequenceLoader, TensorDataset, transforms
from shared.errors import SettingError, ShapeError, StateError


def rows(count: int, **settings: Any) -> TensorDataset:
    return TensorDataset(np.arange(count), np.arange(count) * 10, **settings)


def listed(loader: Any) -> list[list[int]]:
    return [x.tolist() for x, _ in loader]


shapes = st.fixed_dictionaries(
    {
        "batch_size": st.integers(1, 7),
        "shuffle": st.booleans(),
        "drop_last": st.booleans(),
        "seed": st.integers(0, 2**40),
        "prefetch": st.integers(0, 3),
    }
)


@given(count=st.integers(7, 30), settings=shapes)
def test_an_epoch_has_every_example_once_with_its_own_label(count: int, settings: dict[str, Any]) -> None:
    loader = DataLoader(rows(count), **settings)
    batches = list(loader)
    assert len(batches) == len(loader)
    assert all((y == x * 10).all() for x, y in batches)
    sizes = [len(x) for x, _ in batches]
    assert set(sizes[:-1]) <= {settings["batch_size"]}
    seen = [i for x, _ in batches for i in x.tolist()]
    assert len(set(seen)) == len(seen)
    left_out = count % settings["batch_size"] if settings["drop_last"] else 0
    assert len(seen) == count - left_out
    if not settings["shuffle"]:
        assert seen == list(range(len(seen)))


@given(count=st.integers(7, 30), settings=shapes, cut=st.integers(0, 60))
def test_a_resumed_loader_gives_the_rest_in_the_same_order(
    count: int, settings: dict[str, Any], cut: int
) -> None:
    """Wherever it was left, in the middle or at the end of any epoch, prefetching or not."""
    loader = DataLoader(rows(count), **settings)
    cut %= 2 * len(loader) + 1
    whole = [
        batch for run in [DataLoader(rows(count), **settings)] for _ in range(3) for batch in listed(run)
    ]
    stream = (batch for _ in range(3) for batch in loader)
    given_out = [x.tolist() for x, _ in islice(stream, cut)]
    state = loader.state_dict()
    again = DataLoader(rows(count), **{**settings, "prefetch": 2 - settings["prefetch"] % 3})
    again.load_state_dict(state)
    rest = [batch for _ in range(4) for batch in listed(again)]
    assert (given_out + rest)[: len(whole)] == whole


def test_each_epoch_and_each_seed_has_an_order_of_its_own() -> None:
    loader = DataLoader(rows(50), 50, shuffle=True)
    orders = [listed(loader)[0] for _ in range(3)] + [
        listed(DataLoader(rows(50), 50, shuffle=True, seed=1))[0]
    ]
    assert len({tuple(order) for order in orders}) == 4
    assert listed(DataLoader(rows(50), 50, shuffle=True))[0] == orders[0]


def test_leaving_an_epoch_half_way_begins_the_next_one() -> None:
    loader = DataLoader(rows(10), 2, shuffle=True)
    whole = DataLoader(rows(10), 2, shuffle=True)
    listed(whole)
    for _ in loader:
        break
    assert listed(loader) == listed(whole)
    assert (loader.epoch, loader.position) == (2, 0)


def test_the_state_says_how_many_batches_were_handed_out_however_many_were_made() -> None:
    loader = DataLoader(rows(20), 2, prefetch=4)
    batches = iter(loader)
    for count in range(1, 4):
        next(batches)
        assert loader.state_dict()["position"] == count


def test_two_iterators_do_not_disturb_each_other() -> None:
    loader = DataLoader(rows(6), 2)
    assert [(a.tolist(), b.tolist()) for (a, _), (b, _) in zip(loader, loader, strict=True)] == [
        ([0, 1], [0, 1]), ([2, 3], [2, 3]), ([4, 5], [4, 5])]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 5}, "seed was 5 and is 0 in this loader"),
        ({"examples": 7}, "examples was 7 and is 6"),
        ({"position": 9}, "there is no batch 9 of the 3"),
        ({"epoch": -1}, "in epoch -1"),
        ({"other": 1}, "takes epoch, position, seed"),
    ],
)
def test_a_state_of_another_order_is_refused(change: dict[str, int], words: str) -> None:
    loader = DataLoader(rows(6), 2, shuffle=True)
    with pytest.raises(StateError, match=words):
        loader.load_state_dict({**loader.state_dict(), **change})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number, 1 or more, not 0"),
        ({"prefetch": -1}, "prefetch must be a whole number, 0 or more, not -1"),
        ({"batch_size": 7, "drop_last": True}, "6 examples do not fill one batch of 7"),
    ],
)
def test_a_loader_that_makes_no_sense_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        DataLoader(rows(6), **settings)


# --- batches -------------------------------------------------------------------------------


def test_any_list_is_a_data_set_and_python_numbers_keep_to_the_usual_dtypes() -> None:
    examples = [(i, i / 2, i > 1, {"name": "abc"[i], "x": np.ones(2, np.float32)}) for i in range(3)]
    ((i, half, big, named),) = DataLoader(examples, 3)
    assert (i.dtype, half.dtype, big.dtype) == (np.int64, np.float32, np.bool_)
    assert named["name"] == ["a", "b", "c"]
    assert named["x"].shape == (3, 2)
    assert named["x"].dtype == np.float32


def test_rows_at_once_and_one_by_one_make_the_same_batches() -> None:
    fast = rows(10)
    slow = rows(10, transform=transforms.Compose())
    for a, b in zip(DataLoader(fast, 4, shuffle=True), DataLoader(slow, 4, shuffle=True), strict=True):
        assert [part.tolist() for part in a] == [part.tolist() for part in b]
        assert [part.dtype for part in a] == [part.dtype for part in b]


def test_dynamic_tensors_make_a_data_set_too() -> None:
    ((x, y),) = DataLoader(TensorDataset(dynamic.tensor([[1.0], [2.0]]), [3, 4]), 2)
    assert x.tolist() == [[1], [2]]
    assert y.tolist() == [3, 4]


def test_examples_of_different_shapes_are_refused_with_the_way_out() -> None:
    with pytest.raises(ShapeError, match=r"\(2,\), \(3,\) do not make one array; pad them"):
        list(DataLoader([np.ones(2), np.ones(3)], 2))


@pytest.mark.parametrize(
    "arrays", [(), (np.ones(3), np.ones(4)), (np.float32(1),)], ids=["none", "unequal", "no axis"]
)
def test_arrays_that_do_not_belong_together_are_refused(arrays: Any) -> None:
    with pytest.raises(ShapeError, match="arrays of equal length"):
        TensorDataset(*arrays)


# --- prefetching ---------------------------------------------------------------------------


class Watched(Dataset):
    """Ten examples; `fail` raises at the sixth."""

    def __init__(self, fail: bool = False) -> None:
        self.fail, self.made = fail, threading.Semaphore(0)
        self.threads: set[str] = set()

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Any:
        if self.fail and index == 5:
            raise OSError("the sixth is broken")
        self.threads.add(threading.current_thread().name)
        self.made.release()
        return index

    def batch(self, indices: Any) -> Any:
        return None


def working() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    if working():
        gc.collect()
    assert not working()


def test_batches_are_made_ahead_in_one_thread_of_their_own() -> None:
    data = Watched()
    batches = iter(DataLoader(data, 2, prefetch=2))
    next(batches)
    for _ in range(6):  # this batch and two ahead, without being asked for
        assert data.made.acquire(timeout=10)
    assert data.threads == {"prefetch"}
    assert [b.tolist() for b in batches] == [[2, 3], [4, 5], [6, 7], [8, 9]]


def test_an_error_arrives_after_the_batches_before_it_with_its_own_traceback() -> None:
    batches = iter(DataLoader(Watched(fail=True), 2, prefetch=3))
    assert [b.tolist() for b in islice(batches, 2)] == [[0, 1], [2, 3]]
    with pytest.raises(OSError, match="the sixth is broken") as caught:
        next(batches)
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert frames[-1] == "__getitem__"


def test_an_error_ends_the_epoch() -> None:
    batches = iter(DataLoader(Watched(fail=True), 5, prefetch=1))
    next(batches)
    with pytest.raises(OSError, match="sixth"):
        next(batches)
    assert next(batches, None) is None


def test_the_thread_ends_when_the_loop_is_left_closed_forgotten_or_never_begun() -> None:
    for _ in DataLoader(Watched(), 1, prefetch=1):
        break
    batches = iter(DataLoader(Watched(), 1, prefetch=3))
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    forgotten = iter(DataLoader(Watched(), 1, prefetch=3))
    next(forgotten)
    del forgotten
    iter(DataLoader(Watched(), 1, prefetch=3))


def test_a_collector_that_runs_in_the_thread_itself_can_close_it() -> None:
    """An abandoned iterator in a reference cycle may be found by the garbage collector anywhere."""
    held: list[Any] = []
    let_go = threading.Event()

    class Collecting(Watched):
        def __getitem__(self, index: int) -> Any:
            if index == 2:
                let_go.wait(10)
                held.clear()
                gc.collect()
            return index

    batches: list[Any] = [iter(DataLoader(Collecting(), 1, prefetch=1))]
    next(batches[0])
    batches.append(batches)
    held.append(batches)
    del batches
    let_go.set()
    for thread in working():
        thread.join(10)


LEVEL: ContextVar[int] = ContextVar("level", default=0)


def test_the_thread_sees_the_context_of_the_loop() -> None:
    class Asking(Watched):
        def __getitem__(self, index: int) -> Any:
            return LEVEL.get()

    token = LEVEL.set(3)
    try:
        assert {int(b[0]) for b in DataLoader(Asking(), 1, prefetch=1)} == {3}
    finally:
        LEVEL.reset(token)


# --- random transforms ---------------------------------------------------------------------


def augmented() -> TensorDataset:
    images = np.arange(20 * 3 * 6 * 6, dtype=np.float32).reshape(20, 3, 6, 6)
    change = transforms.Compose(
        [transforms.RandomHorizontalFlip(seed=3), transforms.RandomCrop(6, 2, seed=3)]
    )
    return TensorDataset(images, np.arange(20), transform=change)


def by_label(loader: Any) -> dict[int, bytes]:
    return {int(y): x.tobytes() for xs, ys in loader for x, y in zip(xs, ys, strict=True)}


def test_a_random_change_depends_on_seed_epoch_and_example_and_on_nothing_else() -> None:
    plain = DataLoader(augmented(), 4)
    first, second = by_label(plain), by_label(plain)
    assert sum(first[i] != second[i] for i in range(20)) > 10
    assert by_label(DataLoader(augmented(), 7, prefetch=2)) == first
    assert by_label(DataLoader(augmented(), 3, drop_last=True)) == {i: first[i] for i in range(18)}
    half = DataLoader(augmented(), 4)
    next(iter(half))
    resumed = DataLoader(augmented(), 4)
    resumed.load_state_dict(half.state_dict())
    assert by_label(resumed) == {i: first[i] for i in range(4, 20)}
    assert by_label(DataLoader(augmented(), 4, seed=1)) != first


# --- sequences -----------------------------------------------------------------------------


@given(
    steps=st.integers(12, 60), batch_size=st.integers(1, 4), length=st.integers(1, 3),
    batch_first=st.booleans(), drop_last=st.booleans(), prefetch=st.integers(0, 1),
)  # fmt: skip
def test_windows_put_together_are_contiguous_streams(
    steps: int, batch_size: int, length: int, batch_first: bool, drop_last: bool, prefetch: int
) -> None:
    x = np.arange(steps + 1)
    loader = SequenceLoader(
        x[:-1], x[1:], batch_size=batch_size, length=length, batch_first=batch_first, drop_last=drop_last,
        prefetch=prefetch,
    )  # fmt: skip
    windows = [[part if batch_first else part.T for part in pair] for pair in loader]
    assert len(windows) == len(loader)
    inputs, targets = (np.concatenate(parts, axis=1) for parts in zip(*windows, strict=True))
    assert (targets == inputs + 1).all()
    assert (np.diff(inputs, axis=1) == 1).all()
    stream = steps // batch_size
    assert inputs[:, 0].tolist() == [row * stream for row in range(batch_size)]
    assert inputs.shape[1] == (stream - stream % length if drop_last else stream)
    assert all(window.shape[1] == length for window, _ in windows[:-1])


def test_windows_keep_further_axes_and_are_the_callers_own() -> None:
    frames = np.zeros((10, 2, 3), np.float32)
    ((window,), *_) = SequenceLoader(frames, batch_size=2, length=4)
    assert window.shape == (4, 2, 2, 3)
    window += 1
    assert (frames == 0).all()


def test_a_sequence_loader_resumes_too() -> None:
    def make() -> SequenceLoader:
        return SequenceLoader(np.arange(40), batch_size=2, length=3)

    whole, loader, again = make(), make(), make()
    given_out = [w.tolist() for (w,) in islice(loader, 4)]
    again.load_state_dict(loader.state_dict())
    assert given_out + [w.tolist() for (w,) in again] == [w.tolist() for (w,) in whole]


@pytest.mark.parametrize(
    ("arrays", "settings", "words"),
    [
        ((np.ones(5), np.ones(6)), {}, "arrays of equal length"),
        ((np.ones(3),), {"batch_size": 4}, "3 steps do not fill"),
        ((np.ones(9),), {"length": 10, "drop_last": True}, "do not fill one window of 10 steps"),
        ((np.ones(9),), {"length": 0}, "must be a whole number, 1 or more"),
    ],
)
def test_sequences_that_do_not_fit_are_refused(arrays: Any, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SequenceLoader(*arrays, **{"batch_size": 1, "length": 2, **settings})


# --- padding -------------------------------------------------------------------------------


def test_padding_gives_arrays_and_true_lengths() -> None:
    examples = [(np.arange(n, dtype=np.float32), n, np.arange(2)) for n in (3, 1, 2)]
    loader = DataLoader(examples, 3, collate_fn=PadCollate(-1, batch_first=True, parts=(0,)))
    (((x, lengths), n, pair),) = loader
    assert x.tolist() == [[0, 1, 2], [0, -1, -1], [0, 1, -1]]
    assert x.dtype == np.float32
    assert lengths.tolist() == n.tolist() == [3, 1, 2]
    assert pair.shape == (3, 2)


def test_padding_puts_time_first_and_rounds_up_if_asked() -> None:
    x, lengths = PadCollate(multiple_of=4)([np.ones((5, 2)), np.ones((3, 2))])
    assert x.shape == (8, 2, 2)
    assert x.flags.c_contiguous
    assert x.sum() == 16
    assert lengths.tolist() == [5, 3]
    with pytest.raises(ShapeError, match="first axis alone"):
        PadCollate()([np.ones((5, 2)), np.ones((3, 3))])
