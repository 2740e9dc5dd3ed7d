"""Training two networks against each other, in define-and-run."""

import static
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    maker, judge = model.maker, model.judge
    maker_opt, judge_opt = task.optimizer(maker.parameters()), task.optimizer(judge.parameters())
    graph = static.Graph()
    with graph.as_default():
        real = static.placeholder("float32", ("N", task.examples.train_x.shape[1]), name="real")
        made = maker(model.noise_for_judge(real))
        judge_loss = task.loss(judge(real), True) + task.loss(judge(made), False)
        train_judge = judge_opt.minimize(judge_loss)
        loss = task.loss(judge(maker(model.noise_for_maker(real))), True)
        train_op = maker_opt.minimize(loss)
        with nn.evaluating(model):
            noise = static.placeholder("float32", task.asked.shape, name="noise")
            guess = task.guess(maker(noise))
    yield "build"

    with static.Session(graph=graph, optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.program([judge_loss, train_judge], [real])
        session.program([loss, train_op], [real])
        yield "compile"

        for x, _ in task.batches(seed):
            feed = {real: x}
            judged, _ = session.run([judge_loss, train_judge], feed)
            value, _ = session.run([loss, train_op], feed)
            yield judged.item() + value.item()

        guesses = session.run(guess, {noise: task.asked})
        session.store(model, maker_opt, judge_opt)
    return model, (maker_opt, judge_opt), guesses
