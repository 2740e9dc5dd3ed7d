"""A convolutional network on MNIST."""

from comparisons.training.task import Task
from shared import nn, optim
from shared.data import load_mnist


def model() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(1568, 10),
    )


TASK = Task(
    name="cnn_mnist",
    title="A convolutional network on MNIST",
    short="the CNN on MNIST",
    about="Handwritten digits of 28 x 28 points, 60,000 of them: pictures twelve times as large as the small "
    "digits.",
    model=model,
    optimizer=lambda parameters: optim.Adam(parameters, lr=2e-3),
    data=load_mnist,
    batch_size=64,
    steps=300,
    full_steps=900,
    goal=0.95,
    fetched="mnist",
    kin="cnn",
    unlike="The task has images of the same size, half as many channels, dropout, and is trained by Adam.",
)
