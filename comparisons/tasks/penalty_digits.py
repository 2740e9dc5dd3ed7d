"""A network that is punished for steep slopes: a gradient inside the loss."""

from comparisons.training.task import Task
from shared import nn, optim
from shared.data import load_digits


def model() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 96),
        nn.Tanh(),
        nn.Linear(96, 10),
    )


TASK = Task(
    name="penalty_digits",
    title="A gradient inside the loss",
    short="the gradient penalty",
    about="Digits again, but the loss also holds the squared slope of the loss by the pixels, so that small "
    "changes of an image matter little (Drucker and LeCun 1992). Training differentiates a derivative in "
    "every step: dynamic asks for it with create_graph, static calls gradients twice.",
    model=model,
    optimizer=lambda parameters: optim.Adam(parameters, lr=3e-3),
    data=load_digits,
    batch_size=50,
    steps=300,
    full_steps=1400,
    loop="penalty",
)
