"""Models made of layers, for either engine."""

from shared.models.characters import CharLSTM, CharRNN
from shared.models.plain import MLP, LeNet
from shared.models.resnet import (
    BasicBlock,
    Bottleneck,
    ResNet,
    ResNet18,
    ResNet50,
    ResNet101,
    ResNet152,
)
from shared.models.transformer import Transformer
from shared.models.tree import ChildSumCell, TreeLSTM, levels
from shared.models.vgg import VGG16
from shared.usage.door import public

__all__ = [
    "BasicBlock", "Bottleneck", "CharLSTM", "CharRNN", "ChildSumCell", "LeNet", "MLP", "ResNet", "ResNet101",
    "ResNet152", "ResNet18", "ResNet50", "Transformer", "TreeLSTM", "VGG16", "levels",
]  # fmt: skip

public(globals(), __all__)
