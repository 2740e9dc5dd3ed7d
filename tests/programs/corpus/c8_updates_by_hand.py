"""C8: updates by hand."""

from tests.programs.eager import hand


def program(E, a, b, layer):
    loss = (layer(a.T) ** 2).sum()
    loss.backward()
    with E.no_grad():
        layer.weight -= 0.1 * layer.weight.grad
        for p in layer.parameters():
            p *= 0.5
        layer.bias[0] = 1.0
    again = (layer(a.detach().T) ** 2).sum()
    again.backward()
    return [loss, again]


hand(program, must=True)
