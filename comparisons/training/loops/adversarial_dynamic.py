"""Training two networks against each other, in define-by-run."""

import dynamic
from shared import nn


def train(task, seed):
    nn.manual_seed(seed)
    model = task.model()
    maker, judge = model.maker, model.judge
    maker_opt, judge_opt = task.optimizer(maker.parameters()), task.optimizer(judge.parameters())
    yield "build"

    for x, _ in task.batches(seed):
        real = dynamic.tensor(x)
        with dynamic.no_grad():
            made = maker(model.noise_for_judge(real))
        judge_loss = task.loss(judge(real), True) + task.loss(judge(made), False)
        judge_opt.zero_grad()
        judge_loss.backward()
        judge_opt.step()

        loss = task.loss(judge(maker(model.noise_for_maker(real))), True)
        maker_opt.zero_grad()
        loss.backward()
        maker_opt.step()
        yield judge_loss.item() + loss.item()

    with nn.evaluating(model), dynamic.no_grad():
        guesses = task.guess(maker(dynamic.tensor(task.asked))).numpy()
    return model, (maker_opt, judge_opt), guesses
