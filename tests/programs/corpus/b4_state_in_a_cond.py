"""B4: state in a cond."""

from tests.programs.training import train


def make(nn):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 4)
            self.bn = nn.BatchNorm1d(4)
            self.drop = nn.Dropout(0.5)
            self.out = nn.Linear(4, 2)

    return Net()


def loss(ops, net, x, y):
    h = ops.tanh(net.fc(x))
    h = ops.cond(ops.sum(h) > -100, lambda: net.drop(net.bn(h)), lambda: h)
    return ops.mean(ops.square(net.out(h) - y))


train(make, loss, "Adam")
