"""A small GAN: two models, two losses, two optimisers, the same bits on both engines."""

from __future__ import annotations

import numpy as np

import dynamic
import static
from shared import nn, ops, optim

STEPS = 15


def parts():
    nn.manual_seed(3)
    generator = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
    judge = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1))
    return (
        generator, judge,
        optim.Adam(generator.parameters(), lr=0.01), optim.Adam(judge.parameters(), lr=0.02),
    )  # fmt: skip


def draws(step):
    random = np.random.RandomState(step)
    real = random.normal([1.0, -2.0], 0.5, (8, 2)).astype(np.float32)
    return real, random.normal(size=(8, 2)).astype(np.float32), random.normal(size=(8, 2)).astype(np.float32)


def surely(scores, real):
    """The mean of -log of the probability that the judge gives to the truth."""
    return -ops.log(ops.sigmoid(scores if real else -scores)).mean()


def on_dynamic():
    generator, judge, generator_opt, judge_opt = parts()
    losses = []
    for step in range(STEPS):
        real, noise, more = (dynamic.tensor(a) for a in draws(step))
        judge_loss = surely(judge(real), True) + surely(judge(generator(noise).detach()), False)
        judge_opt.zero_grad()
        judge_loss.backward()
        judge_opt.step()

        generator_loss = surely(judge(generator(more)), True)
        generator_opt.zero_grad()
        generator_loss.backward()
        generator_opt.step()
        losses.append((judge_loss.item(), generator_loss.item()))
    return losses, states(generator, judge, generator_opt, judge_opt)


def on_static():
    generator, judge, generator_opt, judge_opt = parts()
    graph = static.Graph()
    with graph.as_default():
        real, noise, more = (static.placeholder("float32", (8, 2)) for _ in range(3))
        judge_loss = surely(judge(real), True) + surely(judge(generator(noise)), False)
        train_judge = judge_opt.minimize(judge_loss)
        generator_loss = surely(judge(generator(more)), True)
        train_generator = generator_opt.minimize(generator_loss)
    losses = []
    with static.Session(graph=graph, optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for step in range(STEPS):
            a, b, c = draws(step)
            first, _ = session.run([judge_loss, train_judge], {real: a, noise: b})
            second, _ = session.run([generator_loss, train_generator], {more: c})
            losses.append((first.item(), second.item()))
        session.store(generator, judge, generator_opt, judge_opt)
    return losses, states(generator, judge, generator_opt, judge_opt)


def states(*holders):
    return [(name, state.value().tobytes()) for holder in holders for name, state in holder.named_states()]


def test_a_gan_gives_the_same_bits_on_both_engines():
    (dynamic_losses, dynamic_states), (static_losses, static_states) = on_dynamic(), on_static()
    assert static_losses == dynamic_losses
    assert static_states == dynamic_states
    assert len(set(dynamic_losses)) == STEPS
