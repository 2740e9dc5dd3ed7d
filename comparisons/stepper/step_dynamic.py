"""One training step, in define-by-run."""

import numpy as np

import dynamic
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


x, y = dynamic.tensor(images), dynamic.tensor(labels)
loss = ops.cross_entropy(model(x), y)

loss.backward()
opt.step()
opt.zero_grad()

print(loss.item())
