"""Training on labelled examples, in define-by-run."""

import dynamic
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    yield "build"

    for x, y in task.batches(seed):
        loss = task.loss(model(dynamic.tensor(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()

    with nn.evaluating(model), dynamic.no_grad():
        guesses = task.guess(model(dynamic.tensor(task.asked))).numpy()
    return model, optimizer, guesses
