"""Training on text whose state goes on from window to window, in define-by-run."""

import numpy as np

import dynamic
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    yield "build"

    state = None
    for x, y in task.batches(seed):
        logits, state = model(dynamic.tensor(x), state)
        loss = task.loss(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = [part.detach() for part in state]
        yield loss.item()

    given, random, state = task.asked, np.random.RandomState(seed), None
    text = np.concatenate([given, np.zeros_like(task.examples.test_y)])
    with nn.evaluating(model), dynamic.no_grad():
        for place in range(len(text) - 1):
            logits, state = model(dynamic.tensor(text[place].reshape(1, 1)), state)
            if place + 1 >= len(given):
                noise = 0.6 * random.gumbel(size=logits.shape[2])
                text[place + 1] = task.guess(logits.numpy()[0, 0] + noise)
    return model, optimizer, text
