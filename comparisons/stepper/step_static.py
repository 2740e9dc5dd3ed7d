"""One training step, in define-and-run."""

import numpy as np

import static
from shared import nn, ops, optim
from shared.data import batches, load_digits

digits = load_digits()
pixels = digits.train_x.reshape(-1, 64)
images, labels = next(batches(pixels, digits.train_y, 32))

draw = np.random.RandomState(0).normal
w1 = nn.Parameter(draw(0, 0.1, (64, 32)).astype("float32"), "w1")
b1 = nn.Parameter(np.zeros(32, "float32"), "b1")
w2 = nn.Parameter(draw(0, 0.1, (32, 10)).astype("float32"), "w2")
b2 = nn.Parameter(np.zeros(10, "float32"), "b2")
opt = optim.SGD([w1, b1, w2, b2], lr=0.5)


def model(x):
    h = ops.relu(x @ w1 + b1)
    return h @ w2 + b2


x = static.placeholder("float32", (32, 64), name="x")
y = static.placeholder("int64", (32,), name="y")
loss = ops.cross_entropy(model(x), y)
train = opt.minimize(loss)
start = static.global_variables_initializer()

session = static.Session(optimize="exact")
session.run(start)
step = session.make_callable([loss, train], [x, y])
value, _ = step(images, labels)

print(value.item())
