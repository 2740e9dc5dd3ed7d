"""Training with a penalty on the loss's slope, in define-by-run."""

import dynamic
from shared import nn

WEIGHT = 5


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    yield "build"

    for x, y in task.batches(seed):
        image = dynamic.tensor(x, requires_grad=True)
        miss = task.loss(model(image), y)
        (slope,) = dynamic.grad(miss, [image], create_graph=True)
        loss = miss + WEIGHT * (slope * slope).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()

    with nn.evaluating(model), dynamic.no_grad():
        guesses = task.guess(model(dynamic.tensor(task.asked))).numpy()
    return model, optimizer, guesses
