"""Data sets, and the order in which training meets their examples, the same for both engines.

Everything here gives NumPy arrays: `dynamic.tensor(x)` takes them, and so does a feed.
"""

from shared.data import transforms
from shared.data.collate import PadCollate, default_collate, pad_sequence
from shared.data.dataset import ConcatDataset, Dataset, Subset, TensorDataset, random_split
from shared.data.digits import load_digits
from shared.data.download import data_directory
from shared.data.images import (
    CIFAR10_CLASSES,
    FASHION_CLASSES,
    load_cifar10,
    load_cifar100,
    load_fashion_mnist,
    load_mnist,
)
from shared.data.loader import DataLoader, SequenceLoader
from shared.data.order import batches
from shared.data.split import Split
from shared.data.text import Text, Vocabulary, load_library_text
from shared.data.toys import load_noisy_sine, load_sine_curve, load_spiral
from shared.data.trees import NODE_TYPES, Tree, Trees, load_library_trees
from shared.usage.door import public

__all__ = [
    "CIFAR10_CLASSES", "ConcatDataset", "DataLoader", "Dataset", "FASHION_CLASSES", "NODE_TYPES",
    "PadCollate", "SequenceLoader", "Split", "Subset", "TensorDataset", "Text", "Tree", "Trees",
    "Vocabulary", "batches", "data_directory", "default_collate", "load_cifar10", "load_cifar100",
    "load_digits", "load_fashion_mnist", "load_library_text", "load_library_trees", "load_mnist",
    "load_noisy_sine", "load_sine_curve", "load_spiral", "pad_sequence", "random_split", "transforms",
]  # fmt: skip

public(globals(), __all__)
