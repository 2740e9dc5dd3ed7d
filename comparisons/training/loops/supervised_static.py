"""Training on labelled examples, in define-and-run."""

import static
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    graph = static.Graph()
    with graph.as_default():
        x, y, _, _ = task.examples
        x_in = static.placeholder(x.dtype, ("N", *x.shape[1:]), name="x")
        y_in = static.placeholder(y.dtype, ("N", *y.shape[1:]), name="y")
        loss = task.loss(model(x_in), y_in)
        train_op = optimizer.minimize(loss)
        with nn.evaluating(model):
            guess = task.guess(model(x_in))
    yield "build"

    with static.Session(graph=graph, optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.program([loss, train_op], [x_in, y_in])
        yield "compile"

        for x, y in task.batches(seed):
            feed = {x_in: x, y_in: y}
            value, _ = session.run([loss, train_op], feed)
            yield value.item()

        guesses = session.run(guess, {x_in: task.asked})
        session.store(model, optimizer)
    return model, optimizer, guesses
