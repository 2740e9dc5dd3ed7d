"""Training on sequences of different lengths, in define-by-run: each as it is."""

import dynamic
from shared import nn, ops


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    yield "build"

    for x, y in task.batches(seed):
        logits = ops.concatenate([model(dynamic.tensor(line[line > 0][:, None])) for line in x])
        loss = task.loss(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()

    with nn.evaluating(model), dynamic.no_grad():
        lines = [dynamic.tensor(line[line > 0][:, None]) for line in task.asked]
        guesses = task.guess(ops.concatenate([model(line) for line in lines])).numpy()
    return model, optimizer, guesses
