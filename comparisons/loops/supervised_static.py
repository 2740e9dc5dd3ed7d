"""Training on labelled examples, in define-and-run."""

import static
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    graph = static.Graph()
    with graph.as_default():
        image = task.examples.train_x.shape[1:]
        x_in = static.placeholder("float32", ("N", *image), name="x")
        y_in = static.placeholder("int64", ("N",), name="y")
        logits = model(x_in)
        loss = task.loss(logits, y_in)
        train_op = optimizer.minimize(loss)
        with nn.evaluating(model):
            guess = model(x_in).argmax(axis=1)
    yield "build"

    with static.Session(graph=graph, optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.program([loss, train_op], [x_in, y_in])
        yield "compile"

        for x, y in task.batches(seed):
            feed = {x_in: x, y_in: y}
            value, _ = session.run([loss, train_op], feed)
            yield value.item()

        guesses = session.run(guess, {x_in: task.examples.test_x})
        session.store(model, optimizer)
    return model, optimizer, guesses
