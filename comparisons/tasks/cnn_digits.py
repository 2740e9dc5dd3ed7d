"""A small convolutional network that reads digits."""

from comparisons.training.task import Task
from shared import nn, optim
from shared.data import load_digits


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
        nn.Linear(128, 10),
    )


TASK = Task(
    name="cnn_digits",
    title="A convolutional network on digits",
    short="the CNN",
    about="The same digits, read by two convolutions with max pooling, dropout and one dense layer.",
    model=model,
    optimizer=lambda parameters: optim.Adam(parameters, lr=3e-3),
    data=load_digits,
    batch_size=50,
    steps=420,
    full_steps=1400,
    quick=True,
    goal=0.97,
    kin="cnn",
    unlike="The task's images are smaller (8 x 8) and so are its layers; it has dropout and is trained "
    "by Adam.",
)
