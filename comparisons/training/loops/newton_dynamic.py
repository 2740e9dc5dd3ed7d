"""Newton's method, in define-by-run."""

import numpy as np

import dynamic
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    places = [np.array(model.place.numpy())]
    yield "build"

    for _ in range(task.steps):
        loss = model()
        (slope,) = dynamic.grad(loss, [model.place], create_graph=True)
        hessian = [dynamic.grad(slope[i], [model.place], retain_graph=True)[0] for i in range(2)]
        with dynamic.no_grad():
            model.place.assign(model.place - model.step(slope, hessian))
        places.append(np.array(model.place.numpy()))
        yield loss.item()

    return model, (), np.stack(places)
