"""The programs. Each is made with the words of one library, `w.torch`, `w.nn`, `w.F`, and computes a loss
from a batch; `w.grad(y, x)` is the derivative that can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_rng = np.random.default_rng(0)


def floats(*shape: int) -> Any:
    """Standard normal float32."""
    return _rng.standard_normal(shape).astype("float32")


def whole(high: int, *shape: int) -> Any:
    """Integers from 0 up to `high`."""
    return _rng.integers(0, high, shape)


@dataclass(frozen=True)
class Program:
    """make gives the model; loss, of (words, model, *batch), what is made small; `rule`, the optimiser with
    its settings; `clip`, the norm that gradients are cut to."""

    make: Callable[[Any], Any]
    loss: Callable[..., Any]
    batches: list[tuple[Any, ...]]
    rule: tuple[str, dict[str, Any]] = ("Adam", {"lr": 1e-2})
    clip: float | None = None
    closure: bool = field(default=False)


# --- nanoGPT -------------------------------------------------------------------------------------


def _gpt(w: Any) -> Any:
    nn, F = w.nn, w.F

    class Block(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.heads = heads
            self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def attend(self, x: Any) -> Any:
            B, T, C = x.shape
            q, k, v = self.c_attn(x).chunk(3, dim=2)
            q, k, v = (y.view(B, T, self.heads, C // self.heads).transpose(1, 2) for y in (q, k, v))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))

        def forward(self, x: Any) -> Any:
            x = x + self.attend(self.ln_1(x))
            return x + self.mlp(self.ln_2(x))

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wte, self.wpe = nn.Embedding(20, 16), nn.Embedding(8, 16)
            self.h = nn.ModuleList([Block(16, 2) for _ in range(2)])
            self.ln_f = nn.LayerNorm(16)
            self.lm_head = nn.Linear(16, 20, bias=False)

        def forward(self, idx: Any, pos: Any) -> Any:
            x = self.wte(idx) + self.wpe(pos)
            for block in self.h:
                x = block(x)
            return self.lm_head(self.ln_f(x))

    return GPT()


def _gpt_loss(w: Any, net: Any, idx: Any, pos: Any, targets: Any) -> Any:
    logits = net(idx, pos)
    return w.F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))


# --- images, text, generators --------------------------------------------------------------------


def _mnist(w: Any) -> Any:
    nn, F = w.nn, w.F

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 4, 3, 1), nn.Conv2d(4, 8, 3, 1)
            self.fc1, self.fc2 = nn.Linear(8 * 4 * 4, 16), nn.Linear(16, 10)

        def forward(self, x: Any) -> Any:
            x = F.relu(self.conv1(x))
            x = F.relu(self.conv2(x))
            x = F.max_pool2d(x, 2)
            x = self.fc2(F.relu(self.fc1(x.flatten(1))))
            return F.log_softmax(x, dim=1)

    return Net()


def _word_model(w: Any) -> Any:
    nn = w.nn

    class RNNModel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.rnn, self.decoder = nn.Embedding(30, 8), nn.LSTM(8, 12), nn.Linear(12, 30)

        def forward(self, x: Any) -> Any:
            output, _ = self.rnn(self.encoder(x))
            return self.decoder(output).view(-1, 30)

    return RNNModel()


def _vae(w: Any) -> Any:
    nn, F, torch = w.nn, w.F, w.torch

    class VAE(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc21, self.fc22 = nn.Linear(20, 12), nn.Linear(12, 3), nn.Linear(12, 3)
            self.fc3, self.fc4 = nn.Linear(3, 12), nn.Linear(12, 20)

        def forward(self, x: Any, noise: Any) -> Any:
            h1 = F.relu(self.fc1(x))
            mu, logvar = self.fc21(h1), self.fc22(h1)
            z = mu + noise * torch.exp(0.5 * logvar)
            return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar

    return VAE()


def _vae_loss(w: Any, net: Any, x: Any, noise: Any) -> Any:
    recon, mu, logvar = net(x, noise)
    bce = w.F.binary_cross_entropy(recon, x, reduction="sum")
    return bce + -0.5 * w.torch.sum(1 + logvar - mu.pow(2) - logvar.exp())


def _dcgan(w: Any) -> Any:
    """Generator and discriminator, trained by one loss: the generator's gradient is turned round."""
    nn = w.nn

    class GAN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.netG = nn.Sequential(
                nn.ConvTranspose2d(4, 8, 4, 1, 0, bias=False), nn.BatchNorm2d(8), nn.ReLU(True),
                nn.ConvTranspose2d(8, 1, 4, 2, 1, bias=False), nn.Tanh(),
            )  # fmt: skip
            self.netD = nn.Sequential(
                nn.Conv2d(1, 8, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
                nn.Conv2d(8, 1, 4, 1, 0, bias=False),
            )  # fmt: skip

    return GAN()


def _dcgan_loss(w: Any, net: Any, real: Any, noise: Any) -> Any:
    bce = w.nn.BCEWithLogitsLoss()
    fake = net.netG(noise)
    judged, detached = net.netD(real).view(-1), net.netD(fake.detach()).view(-1)
    fooled = net.netD(fake).view(-1)
    ones, zeros = w.torch.ones_like(judged), w.torch.zeros_like(judged)
    return bce(judged, ones) + bce(detached, zeros) + bce(fooled, ones)


# --- sequences, policies, physics ----------------------------------------------------------------


def _sines(w: Any) -> Any:
    nn, torch = w.nn, w.torch

    class Sequence(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm1, self.lstm2, self.linear = nn.LSTMCell(1, 8), nn.LSTMCell(8, 8), nn.Linear(8, 1)

        def forward(self, x: Any) -> Any:
            outputs = []
            zero = x[:, :1] * 0 + torch.zeros(1, 8)
            h1 = c1 = h2 = c2 = zero
            for t in range(x.shape[1]):
                h1, c1 = self.lstm1(x[:, t : t + 1], (h1, c1))
                h2, c2 = self.lstm2(h1, (h2, c2))
                outputs += [self.linear(h2)]
            return torch.cat(outputs, dim=1)

    return Sequence()


def _policy(w: Any) -> Any:
    nn, F = w.nn, w.F

    class Policy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.affine1, self.affine2 = nn.Linear(4, 16), nn.Linear(16, 2)

        def forward(self, x: Any) -> Any:
            return F.softmax(self.affine2(F.relu(self.affine1(x))), dim=1)

    return Policy()


def _reinforce(w: Any, net: Any, states: Any, actions: Any, returns: Any) -> Any:
    log_probs = w.torch.log(net(states)).gather(1, actions.unsqueeze(1)).squeeze(1)
    returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    return (-log_probs * returns).sum()


def _field(w: Any) -> Any:
    nn = w.nn
    return nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))


def _physics(w: Any, net: Any, x: Any) -> Any:
    """u'' + u = 0, u(0) = 0, u'(0) = 1: the sine."""
    u = net(x)
    du = w.grad(u.sum(), x)
    ddu = w.grad(du.sum(), x)
    return ((ddu + u) ** 2).mean() + (u[0] ** 2).sum() + ((du[0] - 1) ** 2).sum()


def _flow(w: Any, net: Any, y0: Any, y1: Any) -> Any:
    """A neural ODE, by four steps of Runge and Kutta."""
    y, h = y0, 0.25
    for _ in range(4):
        k1 = net(y)
        k2 = net(y + h / 2 * k1)
        k3 = net(y + h / 2 * k2)
        k4 = net(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return w.torch.mean(w.torch.abs(y - y1))


def _graph_net(w: Any) -> Any:
    nn, F = w.nn, w.F

    class GCN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(6, 8), nn.Linear(8, 3)

        def forward(self, x: Any, source: Any, target: Any, weight: Any) -> Any:
            for layer in (self.one, self.two):
                h = layer(x)
                sent = h.index_select(0, source) * weight.unsqueeze(1)
                x = h.scatter_add(0, target.unsqueeze(1).expand(-1, h.shape[1]), sent)
                x = F.relu(x) if layer is self.one else x
            return F.log_softmax(x, dim=1)

    return GCN()


def _batches(count: int, make: Callable[[], tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [make() for _ in range(count)]


_POSITIONS = np.arange(8)
PROGRAMS: dict[str, Program] = {
    "nanogpt": Program(
        _gpt, _gpt_loss, _batches(5, lambda: (whole(20, 3, 8), _POSITIONS, whole(20, 3, 8))),
        ("AdamW", {"lr": 1e-2, "weight_decay": 0.1}), clip=1.0,
    ),
    "mnist": Program(
        _mnist, lambda w, net, x, y: w.F.nll_loss(net(x), y),
        _batches(5, lambda: (floats(6, 1, 12, 12), whole(10, 6))), ("Adadelta", {"lr": 1.0}),
    ),
    "word language model": Program(
        _word_model, lambda w, net, x, y: w.nn.CrossEntropyLoss()(net(x), y.view(-1)),
        _batches(5, lambda: (whole(30, 7, 4), whole(30, 7, 4))), ("SGD", {"lr": 2.0}), clip=0.25,
    ),
    "vae": Program(
        _vae, _vae_loss, _batches(5, lambda: (_rng.random((6, 20)).astype("float32"), floats(6, 3))),
        ("Adam", {"lr": 1e-3}),
    ),
    "dcgan": Program(
        _dcgan, _dcgan_loss, _batches(5, lambda: (floats(4, 1, 8, 8), floats(4, 4, 1, 1))),
        ("Adam", {"lr": 2e-3, "betas": (0.5, 0.999)}),
    ),
    "sines by lbfgs": Program(
        _sines, lambda w, net, x, y: w.nn.MSELoss()(net(x), y),
        [(np.sin(np.arange(9) + floats(5, 1)).astype("float32")[:, :-1],) * 2],
        ("LBFGS", {"lr": 0.8, "max_iter": 5}), closure=True,
    ),
    "reinforce": Program(
        _policy, _reinforce, _batches(5, lambda: (floats(10, 4), whole(2, 10), floats(10))),
    ),
    "physics-informed": Program(
        _field, _physics, _batches(5, lambda: (np.linspace(0, 3, 12, dtype="float32")[:, None],)),
    ),
    "neural ode": Program(
        lambda w: w.nn.Sequential(w.nn.Linear(2, 12), w.nn.Tanh(), w.nn.Linear(12, 2)), _flow,
        _batches(5, lambda: (floats(8, 2), floats(8, 2))), ("RMSprop", {"lr": 1e-3}),
    ),
    "graph network": Program(
        _graph_net, lambda w, net, x, s, t, a, y: w.F.nll_loss(net(x, s, t, a), y),
        _batches(5, lambda: (floats(7, 6), whole(7, 12), whole(7, 12), floats(12) ** 2, whole(3, 7))),
        ("Adam", {"lr": 1e-2, "weight_decay": 5e-4}),
    ),
}  # fmt: skip
