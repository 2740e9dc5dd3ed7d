"""What a graph will cost, said before it runs, against what a run then shows."""

from __future__ import annotations

import numpy as np

import static
from shared import nn, ops, optim


def test_operations_parameters_and_bytes_are_known_before_anything_runs() -> None:
    with static.Graph().as_default():
        x = static.placeholder("float32", ("N", 784))
        y = nn.Linear(784, 100)(x)
        told = static.estimate(y)
        assert str(told.flops) == "156800*N" and told.parameters == 78_500 and told.peak is None
        sized = static.estimate(y, sizes={"N": 32})
        assert sized.flops == 2 * 32 * 784 * 100 and sized.bytes == sized.peak == 32 * 100 * 4
        assert sized.variable_bytes == 78_500 * 4 and "linear" in str(sized)


def test_each_gradient_of_a_convolution_counts_as_much_as_the_convolution() -> None:
    with static.Graph().as_default():
        x = static.placeholder("float32", (2, 4, 7, 7))
        layer = nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2)
        y = layer(x)
        forward = static.estimate(y).flops
        assert forward == 2 * y.size * (4 // 2) * 3 * 3
        for wanted in (x, static.trainable_variables()[0]):
            (gradient,) = static.gradients(y, [wanted])
            rows = {row.op: row.flops for row in static.estimate(gradient).rows}
            assert rows["conv2d_input" if wanted is x else "conv2d_weight"] == forward


def test_a_training_step_counts_its_gradients_and_dead_values_count_once() -> None:
    nn.manual_seed(0)
    with static.Graph().as_default():
        x = static.placeholder("float32", (8, 20))
        model = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 5))
        loss = ops.mean(ops.square(model(x)))
        train = optim.SGD(model.parameters(), lr=0.1).minimize(loss)
        told, forward = static.estimate([train, loss]), static.estimate(loss)
        assert told.flops > 2 * forward.flops and told.parameters == forward.parameters
        assert forward.peak < forward.bytes
        metadata = static.RunMetadata()
        with static.Session(optimize="exact") as session:
            session.run(static.global_variables_initializer())
            session.run([train, loss], {x: np.ones((8, 20))}, static.RunOptions(trace=True), metadata)
        ran = {span.name for span in metadata.profile.spans}
        assert ran == {row.op for row in told.rows}
