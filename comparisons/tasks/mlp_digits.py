"""A two-layer network that reads digits."""

from comparisons.training.task import Task
from shared import nn, optim
from shared.data import load_digits


def model() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 128),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(128, 10),
    )


TASK = Task(
    name="mlp_digits",
    title="A two-layer network on digits",
    short="the MLP",
    about="1,797 handwritten digits of 8 by 8 pixels, read by two dense layers with dropout "
    "between them. The arrays are small.",
    model=model,
    optimizer=lambda parameters: optim.Adam(parameters, lr=5e-3),
    data=load_digits,
    batch_size=50,
    steps=336,
    full_steps=1400,
    quick=True,
    kin="mlp",
    unlike="The task's network is smaller (64 inputs and 128 hidden units), has dropout and is trained "
    "by Adam.",
)
