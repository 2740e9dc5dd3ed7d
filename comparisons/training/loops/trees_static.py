"""Training on trees, in define-and-run: level by level, in a graph laid out for the deepest."""

import static
from shared import nn
from shared.models import levels


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    optimizer = task.optimizer(model.parameters())
    depth = max(len(levels([tree])[0]) for part in (task.examples.train_x, task.asked) for tree in part)
    graph = static.Graph()
    with graph.as_default():
        labels = [static.placeholder("int64", (None,), name="labels") for _ in range(depth)]
        parents = [static.placeholder("int64", (level.shape[0],), name="parents") for level in labels[1:]]
        y_in = static.placeholder("int64", (labels[0].shape[0],), name="y")
        loss = task.loss(model(labels, parents), y_in)
        train_op = optimizer.minimize(loss)
        with nn.evaluating(model):
            guess = task.guess(model(labels, parents))
    yield "build"

    def fed(trees):
        arrays = levels(trees, depth)
        return dict(zip([*labels, *parents], [*arrays[0], *arrays[1]], strict=True))

    with static.Session(graph=graph, optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.program([loss, train_op], [*labels, *parents, y_in])
        yield "compile"

        for trees, y in task.batches(seed):
            feed = {**fed(trees), y_in: y}
            value, _ = session.run([loss, train_op], feed)
            yield value.item()

        guesses = session.run(guess, fed(task.asked))
        session.store(model, optimizer)
    return model, optimizer, guesses
