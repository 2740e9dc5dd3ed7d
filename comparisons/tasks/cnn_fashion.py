"""The same convolutional network on Fashion-MNIST."""

from dataclasses import replace

from comparisons.tasks import cnn_mnist
from shared.data import load_fashion_mnist

TASK = replace(
    cnn_mnist.TASK,
    name="cnn_fashion",
    title="A convolutional network on Fashion-MNIST",
    short="the CNN on clothes",
    about="Ten kinds of clothes in the place of ten digits, in pictures of the same size: a harder set for "
    "the same network.",
    data=load_fashion_mnist,
    goal=0.78,
    fetched="fashion-mnist",
)
