"""C13: a loss that is added up."""

from tests.programs.eager import hand


def program(E, a, b, layer):
    loss = 0
    loss += (a * a).sum()
    loss += E.sum(E.sin(b))
    loss = loss + (layer(a.T) ** 2).sum()
    loss.backward()
    return [loss]


hand(program, must=True)
