"""Training on text whose state goes on from window to window, and writing some, in define-and-run."""

import numpy as np

import static
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    shapes = model.state_shapes(task.batch_size)
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
            before = [static.placeholder("float32", shape, name="before") for shape in model.state_shapes(1)]
            scores, after = model(one_in, before)
    yield "build"

    with static.Session(graph=graph, optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.program([loss, train_op, *end], [x_in, y_in, *start])
        yield "compile"

        state, written = [np.zeros(shape, np.float32) for shape in shapes], []
        for step, (x, y) in enumerate(task.batches(seed), 1):
            feed = {x_in: x, y_in: y, **dict(zip(start, state, strict=True))}
            value, _, *state = session.run([loss, train_op, *end], feed)
            yield value.item()
            if step in task.moments:
                written.append(write(task, session, [one_in, *before], [scores, *after], seed))
                yield "write"
        session.store(model, optimizer)
    return model, optimizer, np.stack(written)


def write(task, session, inputs, fetches, seed):
    one_in, *before = inputs
    given, random = task.asked, np.random.RandomState(seed)
    state = [np.zeros(place.shape, np.float32) for place in before]
    text = np.concatenate([given, np.zeros_like(task.examples.test_y)])
    for place in range(len(text) - 1):
        one = {one_in: text[place].reshape(1, 1), **dict(zip(before, state, strict=True))}
        logits, *state = session.run(fetches, one)
        if place + 1 >= len(given):
            noise = 0.6 * random.gumbel(size=logits.shape[2])
            text[place + 1] = task.guess(logits[0, 0] + noise)
    return text
