"""C13: a view beside what is added to: PyTorch would change it, too, and a new Tensor would not."""

from tests.programs.eager import hand


def program(E, a, b, layer):
    v0 = b * 2
    v1 = v0.reshape(-1)
    v0 += 1.0
    v3 = v1 * 2
    loss = 0
    loss += (v3 * v3).sum()
    loss = loss + (layer(a.T) ** 2).sum()
    loss.backward()
    again = loss
    return [v0, v1, v3, loss, again]


hand(program)
