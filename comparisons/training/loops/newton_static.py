"""Newton's method, in define-and-run."""

import numpy as np

import static
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    places = [np.array(model.place.numpy())]
    graph = static.Graph()
    with graph.as_default():
        loss = model()
        (slope,) = static.gradients(loss, [model.place])
        hessian = [static.gradients(slope[i], [model.place])[0] for i in range(2)]
        train_op = model.place.assign(model.place - model.step(slope, hessian))
    yield "build"

    with static.Session(graph=graph, optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.program([loss, train_op])
        yield "compile"

        for _ in range(task.steps):
            value, place = session.run([loss, train_op])
            places.append(place)
            yield value.item()

        session.store(model)
    return model, (), np.stack(places)
