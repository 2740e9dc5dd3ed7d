"""What messages cost, by a model: seconds = alpha for each message + beta for each byte.

The model, and the costs of the sums that ours is held against, are those of Thakur, Rabenseifner and Gropp,
"Optimization of Collective Communication Operations in MPICH" (IJHPCA 19(1), 2005): between any two ranks a
message of m bytes takes alpha + m beta, whatever the others do, and adding takes gamma for a byte.
Nothing here measures anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log2
from typing import Any, NamedTuple

import numpy as np

from shared.ranks.buckets import LEAST
from shared.ranks.communicator import Communicator
from shared.ranks.transfer import SHORT

BACKWARD = 2 / 3
"""The share of a step that is backward: it has two matrix products where forward has one."""


@dataclass(frozen=True)
class Costs:
    """Seconds: of a message, of each of its bytes, of adding a byte, of copying one into a message and out of
    it, and of a call by itself, whatever it sends."""

    alpha: float
    beta: float
    gamma: float = 0.0
    copy: float = 0.0
    call: float = 0.0


# --- sums over n ranks of m bytes ---------------------------------------------------------------


def ordered(n: int, m: float, of: Costs) -> float:
    """Ours, which adds in the order of the ranks, so that each run gives the same bits.

    Rank r gets everybody's part r, one message from each of the others, adds them, and sends the sum to each:
    2(n-1) alpha + 2(n-1)/n m beta + (n-1)/n m gamma, if MPI's exchange sends one message to each. Those are
    the bytes of the best ones below, and no more additions; but messages grow as n and not as log2 n: that
    is what this order costs. (Pairs, and pairs of pairs, would be an order too, the same in every run on n
    ranks, for log2 n messages; it is not what is written.) A short sum (`SHORT`) sends everybody everything:
    (n-1)(alpha + m beta + m gamma).
    """
    if n == 1:
        return 0.0
    own = of.call + m * of.copy
    if m * n <= SHORT:
        return own + (n - 1) * (of.alpha + m * (of.beta + of.gamma))
    return own + 2 * (n - 1) * of.alpha + (n - 1) / n * m * (2 * of.beta + of.gamma)


def doubling(n: int, m: float, of: Costs) -> float:
    """Recursive doubling: ceil(log2 n) times alpha + m beta + m gamma."""
    return ceil(log2(n)) * (of.alpha + m * (of.beta + of.gamma))


def halving(n: int, m: float, of: Costs) -> float:
    """Rabenseifner's: reduce-scatter by recursive halving, then all-gather by recursive doubling, for n a
    power of two: 2 log2 n alpha + 2(n-1)/n m beta + (n-1)/n m gamma."""
    return 2 * ceil(log2(n)) * of.alpha + (n - 1) / n * m * (2 * of.beta + of.gamma)


def ring(n: int, m: float, of: Costs) -> float:
    """A ring, there and back: 2(n-1) alpha + 2(n-1)/n m beta + (n-1)/n m gamma."""
    return 2 * (n - 1) * of.alpha + (n - 1) / n * m * (2 * of.beta + of.gamma)


# --- constants from measurements ------------------------------------------------------------------


class Line(NamedTuple):
    """A line through measurements, alpha + beta m, each with what lies within two standard errors."""

    alpha: tuple[float, float, float]
    beta: tuple[float, float, float]


def line(sizes: Sequence[float], seconds: Sequence[float]) -> Line:
    """By least squares of the relative errors, since sizes span many powers of ten: median, low and high.
    A latency is not negative, so the interval ends at zero."""
    t = np.array(seconds, np.float64)
    design = np.stack([1 / t, np.array(sizes, np.float64) / t], 1)
    found, *_ = np.linalg.lstsq(design, np.ones(len(t)), rcond=None)
    left = design @ found - 1
    spread = np.linalg.inv(design.T @ design) * (left @ left) / max(len(t) - 2, 1)
    within = 2 * np.sqrt(np.diag(spread))
    alpha, beta = [
        (float(max(a, 0)), float(max(a - w, 0)), float(a + w)) for a, w in zip(found, within, strict=True)
    ]
    return Line(alpha, beta)


# --- a training step ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Net:
    """What is trained, as far as messages go.

    parameters  of float32, each with a gradient of four bytes
    work        floating-point operations of a step of one rank
    says        where the numbers are from
    """

    title: str
    parameters: int
    work: float
    says: str

    @property
    def bytes(self) -> int:
        return 4 * self.parameters


NETS = {
    "resnet50": Net(
        "ResNet-50, 32 images of 3x224x224 a rank", 25_557_032, 32 * 3 * 2 * 4.09e9,
        "4.09e9 multiplications with additions forward (He et al. 2015 say 3.8e9, without the shortcuts), "
        "backward twice as many",
    ),
    "gpt": Net(
        "a GPT of 124 M parameters, 8 rows of 1,024 tokens a rank", 124_439_808, 8 * 1024 * 6 * 124_439_808,
        "GPT-2's smallest (Radford et al. 2019), whose output shares the embedding's table; 6 operations for "
        "each parameter and token (Kaplan et al. 2020), attention's own left out",
    ),
}  # fmt: skip


def messages(total: int, most: int = Communicator.bucket_bytes) -> list[int]:
    """The bytes of each message in which gradients of so many bytes go, where every Parameter is small beside
    a message: see `shared.ranks.buckets.cut`."""
    full = min(most, max(total // 8, LEAST))
    whole, rest = divmod(total, full)
    return [full] * whole + [rest] * (rest > 0)


Sum = Callable[[int, float, Costs], float]


def step(net: Net, n: int, compute: float, of: Costs, by: Sum = ordered) -> tuple[float, float]:
    """Seconds of a step on n ranks, each with rows of its own: at best, and at worst.

    compute  seconds of a rank by itself

    At worst nothing is hidden; at best all messages but the last are, as far as backward lasts.
    """
    sent = [by(n, size, of) for size in messages(net.bytes)]
    hidden = min(sum(sent[:-1]), BACKWARD * compute)
    return compute + sum(sent) - hidden, compute + sum(sent)


@dataclass(frozen=True)
class Place:
    """Where a training is imagined to run.

    rate   floating-point operations that a rank makes in a second
    """

    title: str
    rate: float
    costs: Costs
    measured: bool


NETWORK = {"alpha": 10e-6, "beta": 8 / 100e9}
"""A network that is assumed and not measured: 10 microseconds and 100 Gbit/s."""
ACCELERATOR = 50e12
"""Operations in a second of an accelerator that is assumed and not measured; its memory gives 1e12 bytes."""
RANKS = tuple(2**k for k in range(11))


def places(measured: Costs, rate: float) -> list[Place]:
    """Cores and wires as measured, and accelerators that nobody here has had."""
    assumed = Costs(**NETWORK, gamma=3 / 1e12, copy=4 / 1e12, call=measured.call)
    return [
        Place("cores and shared memory as measured here", rate, measured, True),
        Place("assumed: 50 TFLOP/s, 100 Gbit/s, 10 microseconds", ACCELERATOR, assumed, False),
    ]


ASSUMPTIONS = (
    "All ranks have equal work, and a core, or an accelerator, each to themselves.",
    "A message takes alpha + m beta between any two ranks, whatever the others send at the time: there is no "
    "congestion, and more ranks than a machine has cores still have this machine's wires between them.",
    "A step of one rank takes its operations over the rate that a step of the same kind reached here.",
    "Gradients go in messages of equal size; a Parameter that is larger than a message is cut up.",
    "At best everything but the last message hides behind backward, which is two thirds of a step; at worst "
    "nothing does. Messages that a core has to copy, as through shared memory, are nearer the worst.",
)
"""Of the predictions."""


def predicted(measured: Costs, rates: Mapping[str, float]) -> list[dict[str, Any]]:
    """For each net and place, the efficiency on 1 to 1,024 ranks: a step of one rank over one of n, at best
    and at worst, and at best with Rabenseifner's sum."""
    found = []
    for name, net in NETS.items():
        for place in places(measured, rates[name]):
            compute = net.work / place.rate
            ours = [step(net, n, compute, place.costs) for n in RANKS]
            theirs = [step(net, n, compute, place.costs, halving) for n in RANKS]
            found.append(
                {
                    "net": name, "title": net.title, "place": place.title, "measured": place.measured,
                    "bytes": net.bytes, "messages": len(messages(net.bytes)), "compute": compute,
                    "ranks": list(RANKS), "best": [compute / best for best, _ in ours],
                    "worst": [compute / worst for _, worst in ours],
                    "halving": [compute / worst for _, worst in theirs],
                }
            )  # fmt: skip
    return found
