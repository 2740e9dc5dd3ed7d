"""Training on labelled examples, in define-by-run."""

import dynamic
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    yield "build"

    for x, y in task.batches(seed):
        logits = model(dynamic.tensor(x))
        loss = task.loss(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()

    with nn.evaluating(model), dynamic.no_grad():
        logits = model(dynamic.tensor(task.examples.test_x))
        guesses = logits.argmax(axis=1).numpy()
    return model, optimizer, guesses
