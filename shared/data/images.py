"""MNIST, Fashion-MNIST, CIFAR-10 and CIFAR-100, downloaded at first use."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from shared.data.download import Remote, data_directory, fetch
from shared.data.idx import read_idx
from shared.data.split import Split
from shared.errors import DataError, SettingError
from shared.spec import as_dtype


def load_mnist(dtype: Any = "float32") -> Split:
    """Handwritten digits: 60,000 to train on, 10,000 to test with.

    x (N, 1, 28, 28), ink from 0 to 1 in a float dtype, or from 0 to 255 as "uint8"; y int64 (N,).
    Source: LeCun, Cortes and Burges. Kept in `mnist` below `data_directory()`.
    """
    return _gray(_MNIST, dtype, "load_mnist")


def load_fashion_mnist(dtype: Any = "float32") -> Split:
    """Pictures of ten kinds of clothes, in the shapes of MNIST. See `FASHION_CLASSES`.

    x (N, 1, 28, 28), from 0 to 1 in a float dtype, or from 0 to 255 as "uint8"; y int64 (N,).
    Source: Xiao, Rasul and Vollgraf 2017. Kept in `fashion-mnist` below `data_directory()`.
    """
    return _gray(_FASHION, dtype, "load_fashion_mnist")


def load_cifar10(dtype: Any = "float32") -> Split:
    """Colour photographs of ten kinds of things: 50,000 to train on, 10,000 to test with. See
    `CIFAR10_CLASSES`.

    x (N, 3, 32, 32), red, green and blue from 0 to 1 in a float dtype (614 MB as float32), or
    from 0 to 255 as "uint8"; y int64 (N,). Source: Krizhevsky 2009, the binary version. Kept in
    `cifar-10` below `data_directory()`.
    """
    names = [f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6)]
    return _colour(_CIFAR10, names, "cifar-10-batches-bin/test_batch.bin", 1, dtype, "load_cifar10")


def load_cifar100(dtype: Any = "float32") -> Split:
    """Colour photographs of a hundred kinds of things, in the shapes of CIFAR-10.

    y is the fine label, 0 to 99. Source: Krizhevsky 2009, the binary version. Kept in
    `cifar-100` below `data_directory()`.
    """
    names = ["cifar-100-binary/train.bin"]
    return _colour(_CIFAR100, names, "cifar-100-binary/test.bin", 2, dtype, "load_cifar100")


FASHION_CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip

# --- where they come from ------------------------------------------------------------------


def _idx_files(folder: str, mirrors: tuple[str, ...], hashes: tuple[str, ...]) -> tuple[Remote, ...]:
    """The four files of a data set in MNIST's form; hashes are of the unpacked content."""
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    sizes = (47_040_016, 60_008, 7_840_016, 10_008)
    return tuple(
        Remote(
            f"{folder}/{name}-ubyte.gz",
            tuple(f"{m}{name}-ubyte.gz" for m in mirrors),
            sha256,
            size,
            gzip.open,
        )
        for name, size, sha256 in zip(names, sizes, hashes, strict=True)
    )


_MNIST = _idx_files(
    "mnist",
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
_FASHION = _idx_files(
    "fashion-mnist",
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)
_CIFAR10 = Remote(
    "cifar-10/cifar-10-binary.tar.gz",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    170_052_171,
)
_CIFAR100 = Remote(
    "cifar-100/cifar-100-binary.tar.gz",
    ("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",),
    "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    168_513_733,
)

DATA_SETS: dict[str, tuple[Remote, ...]] = {
    "mnist": _MNIST, "fashion-mnist": _FASHION, "cifar-10": (_CIFAR10,), "cifar-100": (_CIFAR100,),
}  # fmt: skip
"""The files of each data set, by the name of its folder below `data_directory()`."""


def fetch_data_set(name: str) -> Path:
    """Download what is not there yet, and check what is; gives the data set's folder. DataError where
    no mirror gives a file, or the one that is there is not right."""
    paths = [fetch(remote) for remote in DATA_SETS[name]]
    return paths[0].parent


def is_here(name: str) -> bool:
    """Whether all files of a data set have been downloaded; not whether they are right."""
    try:
        return all((data_directory() / remote.name).exists() for remote in DATA_SETS[name])
    except OSError:  # there is no home, or its folder is closed to us
        return False


# --- how they are read ---------------------------------------------------------------------


def _gray(files: tuple[Remote, ...], dtype: Any, call: str) -> Split:
    kind = _kind(call, dtype)
    images, labels, test_images, test_labels = (read_idx(fetch(remote)) for remote in files)
    return Split(
        _scaled(images[:, None], kind),
        labels.astype(np.int64),
        _scaled(test_images[:, None], kind),
        test_labels.astype(np.int64),
    )


def _colour(remote: Remote, train: list[str], test: str, label_bytes: int, dtype: Any, call: str) -> Split:
    kind = _kind(call, dtype)
    content = _members(fetch(remote), [*train, test])
    halves: list[Any] = []
    for names in (train, [test]):
        raw = np.concatenate([np.frombuffer(content[name], np.uint8) for name in names])
        rows = raw.reshape(-1, label_bytes + 3 * 32 * 32)
        images = np.ascontiguousarray(rows[:, label_bytes:]).reshape(-1, 3, 32, 32)
        halves += [_scaled(images, kind), rows[:, label_bytes - 1].astype(np.int64)]
    return Split(*halves)


def _members(path: Path, names: list[str]) -> dict[str, bytes]:
    """The content of some plain files in a gzipped archive. Nothing is unpacked to the disk."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if member.name in names and member.isfile() and member.size <= 1 << 28:
                    file = archive.extractfile(member)
                    found[member.name] = file.read() if file is not None else b""
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path} can not be read ({error}); delete it, and load the data set again") from None
    if missing := [name for name in names if name not in found]:
        raise DataError(f"{path} lacks {missing[0]}; delete it, and load the data set again")
    return found


def _kind(call: str, dtype: Any) -> Any:
    kind = as_dtype(dtype)
    if kind.kind != "f" and kind != np.uint8:
        raise SettingError(f"{call}: dtype must be a float dtype or 'uint8', not {kind}")
    return kind


def _scaled(pixels: Any, kind: Any) -> Any:
    if kind == np.uint8:
        return np.ascontiguousarray(pixels)
    scaled = pixels.astype(kind, order="C")
    scaled /= kind.type(255)
    return scaled
