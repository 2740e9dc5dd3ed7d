"""A variational autoencoder of digits."""

from __future__ import annotations

from typing import Any

from comparisons.training.task import Task
from shared import nn, ops, optim
from shared.data import Split, load_digits
from shared.nn.initial import generator

LATENT = 8
SHOWN = 12


class VAE(nn.Module):
    """Kingma and Welling 2013: images (N, 1, 8, 8) to (logits of that shape, mean, log variance).

    In training what is decoded is drawn around the mean, by a generator that the model holds; in
    evaluation it is the mean.
    """

    def __init__(self) -> None:
        self.encode = nn.Sequential(nn.Flatten(), nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 2 * LATENT))
        self.decode = nn.Sequential(nn.Linear(LATENT, 96), nn.ReLU(), nn.Linear(96, 64))
        self.generator = generator()

    def forward(self, x: Any) -> tuple[Any, Any, Any]:
        mean, log_var = ops.split(self.encode(x), 2, axis=1)
        z = mean
        if self.training:
            noise, moved = ops.normal(self.generator, mean.shape)
            self.generator.assign(moved)
            z = mean + ops.exp(0.5 * log_var) * noise
        return ops.reshape(self.decode(z), x.shape), mean, log_var


def loss(output: tuple[Any, Any, Any], image: Any) -> Any:
    """The negative evidence lower bound, for one image on average."""
    logits, mean, log_var = output
    likelihood = ops.binary_cross_entropy_with_logits(logits, image, reduction="sum")
    divergence = -0.5 * (1 + log_var - mean * mean - ops.exp(log_var)).sum()
    return (likelihood + divergence) / logits.shape[0]


def images() -> Split:
    """Digits that are their own labels."""
    train_x, _, test_x, _ = load_digits()
    return Split(train_x, train_x, test_x, test_x)


def show(answers: Any, task: Task) -> dict[str, Any]:
    """Test digits and what came back."""
    kinds = {"test digits": task.examples.test_x, f"the same, from {LATENT} numbers": answers}
    return {
        "kind": "digits",
        "says": f"Digits of the test set, squeezed into {LATENT} numbers each, and what comes back.",
        "rows": [
            {"label": label, "images": of[:SHOWN, 0].astype(float).round(2).tolist()}
            for label, of in kinds.items()
        ],
    }


TASK = Task(
    name="vae_digits",
    title="A variational autoencoder of digits",
    short="the VAE",
    about=f"Digits squeezed into {LATENT} numbers and a spread for each, and decoded from a random draw "
    "within that spread. The generator is a buffer of the model, read and written like any other state.",
    model=VAE,
    optimizer=lambda parameters: optim.Adam(parameters, lr=3e-3),
    data=images,
    batch_size=50,
    steps=400,
    full_steps=1400,
    loss=loss,
    guess=lambda output: ops.sigmoid(output[0]),
    counted=None,
    show=show,
)
