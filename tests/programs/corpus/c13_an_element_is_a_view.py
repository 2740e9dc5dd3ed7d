"""C13: a single element is a view of what it is an element of, as a row is."""

from tests.programs.eager import hand


def program(E, a, b, layer):
    v0 = b[0]
    v1 = v0[0]
    v2 = v1.detach()
    v3 = v2.T
    v3 += 1.0
    loss = (layer(a.T) ** 2).sum()
    loss.backward()
    return [v0, v1, v2, v3, loss]


hand(program)
