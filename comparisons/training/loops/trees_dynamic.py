"""Training on trees, in define-by-run: each node by node."""

import dynamic
from shared import nn, ops


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    yield "build"

    for trees, y in task.batches(seed):
        logits = ops.concatenate([model(tree) for tree in trees])
        loss = task.loss(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()

    with nn.evaluating(model), dynamic.no_grad():
        guesses = task.guess(ops.concatenate([model(tree) for tree in task.asked])).numpy()
    return model, optimizer, guesses
