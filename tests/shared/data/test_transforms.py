"""Transforms: what each does to an example, against PyTorch or by definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shared.data import TensorDataset, transforms

IMAGE = np.random.default_rng(0).integers(0, 256, (3, 7, 10)).astype(np.uint8)


def test_normalize_takes_numbers_or_one_for_each_channel_and_keeps_float_dtypes() -> None:
    x = IMAGE.astype(np.float32)
    np.testing.assert_allclose(transforms.Normalize(128, 64)(x), (x - 128) / 64)
    mean, std = np.array([1.0, 2, 3]), np.array([4.0, 5, 6])
    found = transforms.Normalize(mean, std)(x)
    np.testing.assert_allclose(found, (x - mean[:, None, None]) / std[:, None, None], rtol=1e-6)
    assert found.dtype == np.float32
    assert transforms.Normalize(1, 2)(IMAGE).dtype == np.float32
    assert transforms.Normalize(1, 2)(x.astype(np.float64)).dtype == np.float64


def test_types_shapes_and_classes() -> None:
    assert transforms.ToFloat()(IMAGE).dtype == np.float32
    assert transforms.ToInt()(np.float32(2.7)) == 2
    assert transforms.AsType("float16")(IMAGE).dtype == np.float16
    assert transforms.Flatten()(IMAGE).shape == (210,)
    assert transforms.OneHot(4)(2).tolist() == [0, 0, 1, 0]
    assert transforms.OneHot(3, "int64")([0, 2]).tolist() == [[1, 0, 0], [0, 0, 1]]


def test_a_picture_becomes_channels_height_width_from_0_to_1() -> None:
    picture = np.moveaxis(IMAGE, 0, -1)
    found = transforms.ToArray()(picture)
    np.testing.assert_allclose(found, IMAGE / 255, rtol=1e-6)
    assert found.dtype == np.float32
    assert transforms.ToArray()(picture[..., 0].astype(np.float64)).shape == (1, 7, 10)
    assert transforms.ToArray()(np.full((2, 2), 7.0)).max() == 7


def test_flipping_mirrors_about_as_often_as_it_should() -> None:
    flip = transforms.RandomHorizontalFlip(0.3, seed=5)
    found = [flip(IMAGE) for _ in range(1000)]
    mirrored = [bool((image == IMAGE[..., ::-1]).all()) for image in found]
    assert all(m or (image == IMAGE).all() for image, m in zip(found, mirrored, strict=True))
    assert 250 < sum(mirrored) < 350
    again = transforms.RandomHorizontalFlip(0.3, seed=5)
    assert [bool((again(IMAGE) != IMAGE).any()) for _ in range(1000)] == mirrored


def test_crops() -> None:
    assert (transforms.CenterCrop((3, 4))(IMAGE) == IMAGE[:, 2:5, 3:7]).all()
    crop = transforms.RandomCrop(5, padding=2, seed=1)
    padded = np.pad(IMAGE, [(0, 0), (2, 2), (2, 2)])
    places = set()
    for _ in range(300):
        found = crop(IMAGE)
        at = [(i, j) for i in range(7) for j in range(10) if (padded[:, i : i + 5, j : j + 5] == found).all()]
        assert at
        places.add(at[0])
    assert len(places) > 60


@pytest.mark.parametrize("size", [(3, 4), (14, 20), (7, 10), (5, 17), (1, 1)])
def test_resize_is_pytorchs_antialiased_bilinear(size: tuple[int, int]) -> None:
    torch = pytest.importorskip("torch", reason="the oracle, PyTorch, is not installed")
    x = IMAGE.astype(np.float64)
    theirs = torch.nn.functional.interpolate(torch.tensor(x)[None], size, mode="bilinear", antialias=True)
    np.testing.assert_allclose(transforms.Resize(size)(x), theirs[0].numpy(), rtol=1e-9)


def test_resize_keeps_the_dtype_and_one_number_is_the_shorter_side() -> None:
    small = transforms.Resize(3)(IMAGE)
    assert small.shape == (3, 3, 4)
    assert small.dtype == np.uint8
    assert transforms.Resize(3)(np.swapaxes(IMAGE, 1, 2)).shape == (3, 4, 3)
    assert transforms.Resize((2, 2))(IMAGE.astype(np.float32)).dtype == np.float32
    assert (transforms.Resize((7, 10))(IMAGE) == IMAGE).all()


def test_compose_goes_in_order_and_examples_are_changed_when_fetched() -> None:
    change = transforms.Compose([transforms.ToFloat(), lambda x: x + 1, transforms.Flatten()])
    data = TensorDataset(IMAGE[None], [2], transform=change, target_transform=transforms.OneHot(3))
    x, y = data[0]
    assert (x == IMAGE.reshape(-1).astype(np.float32) + 1).all()
    assert y.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: transforms.Normalize(0, 0), "std must not be 0"),
        (lambda: transforms.Normalize([1, 2], 1)(IMAGE), r"\(2,\) numbers for the channels"),
        (lambda: transforms.OneHot(3)(3), "3 is not a class from 0 to 2"),
        (lambda: transforms.RandomHorizontalFlip(1.5), "from 0 to 1, not 1.5"),
        (lambda: transforms.CenterCrop(8)(IMAGE), r"shape \(3, 7, 10\) has no window of 8 by 8"),
        (lambda: transforms.CenterCrop((1, 2, 3)), "size must be a number"),
        (lambda: transforms.Resize(0), "size must be 1 or more"),
        (lambda: transforms.ToArray()(np.zeros((1, 2, 3, 4))), "2 or 3 axes"),
        (lambda: TensorDataset(np.ones(3), target_transform=abs), "needs a second array"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, words: str) -> None:
    with pytest.raises((ValueError, IndexError), match=words):
        make()
