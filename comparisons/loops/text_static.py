"""Training on text whose state goes on from window to window, in define-and-run."""

import numpy as np

import static
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    shapes, shapes_of_one = model.state_shapes(task.batch_size), model.state_shapes(1)
    window, _ = next(task.batches(seed))
    graph = static.Graph()
    with graph.as_default():
        x_in = static.placeholder("int64", window.shape, name="x")
        y_in = static.placeholder("int64", window.shape, name="y")
        start = [static.placeholder("float32", shape, name="state") for shape in shapes]
        logits, end = model(x_in, start)
        loss = task.loss(logits, y_in)
        train_op = optimizer.minimize(loss)
        with nn.evaluating(model):
            one_in = static.placeholder("int64", (1, 1), name="character")
            before = [static.placeholder("float32", shape, name="before") for shape in shapes_of_one]
            scores, after = model(one_in, before)
    yield "build"

    with static.Session(graph=graph, optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.program([loss, train_op, *end], [x_in, y_in, *start])
        yield "compile"

        state = [np.zeros(shape, np.float32) for shape in shapes]
        for x, y in task.batches(seed):
            feed = {x_in: x, y_in: y, **dict(zip(start, state, strict=True))}
            value, _, *state = session.run([loss, train_op, *end], feed)
            yield value.item()

        given, random = task.asked, np.random.RandomState(seed)
        state = [np.zeros(shape, np.float32) for shape in shapes_of_one]
        text = np.concatenate([given, np.zeros_like(task.examples.test_y)])
        for place in range(len(text) - 1):
            one = {one_in: text[place].reshape(1, 1), **dict(zip(before, state, strict=True))}
            logits, *state = session.run([scores, *after], one)
            if place + 1 >= len(given):
                noise = 0.6 * random.gumbel(size=logits.shape[2])
                text[place + 1] = task.guess(logits[0, 0] + noise)
        session.store(model, optimizer)
    return model, optimizer, text
