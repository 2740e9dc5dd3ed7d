"""Training on text whose state goes on from window to window, and writing some, in define-by-run."""

import numpy as np

import dynamic
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    yield "build"

    state, written = None, []
    for step, (x, y) in enumerate(task.batches(seed), 1):
        logits, state = model(dynamic.tensor(x), state)
        loss = task.loss(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = [part.detach() for part in state]
        yield loss.item()
        if step in task.moments:
            written.append(write(task, model, seed))
            yield "write"
    return model, optimizer, np.stack(written)


def write(task, model, seed):
    given, random, state = task.asked, np.random.RandomState(seed), None
    text = np.concatenate([given, np.zeros_like(task.examples.test_y)])
    with nn.evaluating(model), dynamic.no_grad():
        for place in range(len(text) - 1):
            logits, state = model(dynamic.tensor(text[place].reshape(1, 1)), state)
            if place + 1 >= len(given):
                noise = 0.6 * random.gumbel(size=logits.shape[2])
                text[place + 1] = task.guess(logits.numpy()[0, 0] + noise)
    return text
