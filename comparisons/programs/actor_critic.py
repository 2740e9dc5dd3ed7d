"""An actor and a critic, who learn from a game that is played in Python.

The game is an object with a state of its own; the actor's probabilities are looked at to draw a move, in
every turn; an episode ends when it ends, and its loss is a sum over lists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops, optim


class Corridor:
    """Nine places in a row; one begins in the middle, and the right end is worth something."""

    def reset(self) -> np.ndarray:
        self.place, self.turns = 4, 0
        return self.seen()

    def seen(self) -> np.ndarray:
        return np.eye(9, dtype="float32")[[self.place]]

    def move(self, right: int) -> tuple[np.ndarray, float, bool]:
        """What is seen then, what it was worth, and whether that was the end."""
        self.place += 1 if right else -1
        self.turns += 1
        over = self.place in (0, 8) or self.turns == 10
        return self.seen(), float(self.place == 8) - 0.02, over


class Player(nn.Module):
    """Of what is seen the chances of the moves, as logarithms, and what is to be expected."""

    def __init__(self) -> None:
        self.body = nn.Sequential(nn.Linear(9, 24), nn.Tanh())
        self.actor, self.critic = nn.Linear(24, 2), nn.Linear(24, 1)

    def forward(self, seen: Any) -> tuple[Any, Any]:
        h = self.body(seen)
        return ops.log_softmax(self.actor(h), -1), self.critic(h)


def make(seed: int) -> tuple[Callable[[], Any], list[Any]]:
    """An episode with the step of training behind it, and what that changes."""
    nn.manual_seed(seed)
    rng = np.random.default_rng(seed)
    game, model = Corridor(), Player()
    opt = optim.Adam(model.parameters(), lr=1e-2)
    won: list[bool] = []

    def step() -> Any:
        seen, over = game.reset(), False
        chances, values, rewards = [], [], []
        while not over:
            logs, worth = model(dynamic.tensor(seen))
            right = int(rng.random() < np.exp(logs.numpy()[0, 1]))
            seen, reward, over = game.move(right)
            chances.append(logs[0, right])
            values.append(worth[0, 0])
            rewards.append(reward)

        returns: list[float] = []
        total = 0.0
        for reward in reversed(rewards):
            total = reward + 0.95 * total
            returns.insert(0, total)
        better = np.array(returns, "float32") - ops.stack(values)
        loss = (better * better).mean() - (better.detach() * ops.stack(chances)).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        won.append(game.place == 8)
        if len(won) % 20 == 0:
            print(f"{sum(won[-20:])} of 20 won")
        return loss, len(rewards)

    return step, [model, opt]
