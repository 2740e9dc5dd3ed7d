"""Training on sequences of different lengths, in define-and-run: padded, with their lengths."""

import static
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    graph = static.Graph()
    with graph.as_default():
        x_in = static.placeholder("int64", ("T", "N"), name="x")
        lengths_in = static.placeholder("int64", ("N",), name="lengths")
        y_in = static.placeholder("int64", ("N",), name="y")
        loss = task.loss(model(x_in, lengths_in), y_in)
        train_op = optimizer.minimize(loss)
        with nn.evaluating(model):
            guess = task.guess(model(x_in, lengths_in))
    yield "build"

    with static.Session(graph=graph, optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.program([loss, train_op], [x_in, lengths_in, y_in])
        yield "compile"

        for x, y in task.batches(seed):
            lengths = (x > 0).sum(axis=1)
            feed = {x_in: x[:, : lengths.max()].T, lengths_in: lengths, y_in: y}
            value, _ = session.run([loss, train_op], feed)
            yield value.item()

        lines = task.asked
        guesses = session.run(guess, {x_in: lines.T, lengths_in: (lines > 0).sum(axis=1)})
        session.store(model, optimizer)
    return model, optimizer, guesses
