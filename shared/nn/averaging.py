"""Gradients averaged over ranks: what the Parameters of a `nn.parallel.DataParallel` have in common.

Define-by-run asks for a `round`, in backward, and hands each gradient in as it gets ready. A graph is given
collectives, one for each gradient, which its compiler puts together and places.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.ranks import Communicator
from shared.ranks.buckets import Round
from shared.ranks.transfer import Call
from shared.source import user_line
from shared.state import Parameter, averaged


class Averager:
    """Makes of the gradients of this rank's rows those of all rows.

    parameters  the last ones first: in the order in which, mostly, backward gets their gradients ready
    weight      what this rank counts: the rows that it was last given; None if all count alike
    on          whether gradients are averaged now; see `no_sync`
    behind      whether gradients were added up without averaging, which the next average is to hold
    messages    of the last round, the bytes of each, and how many gradients were ready when it was begun
    share       of the last round, the bytes that were under way before its last gradient was ready, and all
    """

    def __init__(self, comm: Communicator, parameters: Sequence[Parameter]) -> None:
        self.comm = comm
        self.parameters = [*parameters][::-1]
        self._given = tuple(self.parameters)
        self.weight: Any = None
        self.on, self.behind, self.learnt = True, False, False
        self.share = (0, 0)
        self.messages: list[tuple[int, int]] = []
        for parameter in self.parameters:
            parameter.averager = self
            averaged.add(parameter)

    def __reduce__(self) -> Any:
        return type(None), ()  # copies of a model train by themselves

    def start_again(self) -> None:
        """Forget what was agreed with ranks of which some are lost."""
        self.parameters = [*self._given]
        self.on, self.behind, self.learnt = True, False, False

    # --- define-by-run ---

    def round(self) -> Round:
        """One round, to which gradients are handed in by their place in `parameters`."""
        likes = [parameter.value() for parameter in self.parameters]
        return Round(self.comm, likes, None if self.weight is None else float(self.weight), _line())

    def over(self, done: Round) -> None:
        """A round is over: the next one goes by the order in which rank 0 got its gradients ready."""
        self.share = done.early, sum(like.nbytes for like in done.likes)
        self.messages = done.messages
        self.comm.step()
        if not self.learnt:
            order = np.array(done.order, np.int64)
            call = Call(f"backward(order of {len(order)} gradients)", done.at)
            begun = self.comm.begin_spread(call, order, 0)
            self.parameters = [self.parameters[p] for p in self.comm.result(begun)]
            self.learnt = True

    # --- define-and-run ---

    def through(self, gradients: Sequence[Any], parameters: Sequence[Any], like: Any) -> list[Any]:
        """The averages of gradients that are Tensors, in ops; None stays where no rank has a gradient.

        Which gradients there are, the ranks tell each other now.
        """
        known = dict(zip(parameters, gradients, strict=True))
        mine = [parameter for parameter in self.parameters if parameter in known]
        has = np.array([known[parameter] is not None for parameter in mine], np.int64)
        begun = self.comm.begin_sum(Call(f"gradients(of {len(mine)} parameters)", _line()), [has])
        (counts,), _ = self.comm.result(begun)
        used = [parameter for parameter, count in zip(mine, counts, strict=True) if count]
        if all(count in (0, self.comm.size) for count in counts):
            for parameter in used:
                known[parameter] = self._mean(known[parameter])
        else:
            self._apart(known, used, like)
        return [known[parameter] for parameter in parameters]

    def _mean(self, g: Any) -> Any:
        return ops.all_reduce(g, self.weight, op="mean", comm=self.comm)

    def _apart(self, known: dict[Any, Any], used: Sequence[Any], like: Any) -> None:
        """The ranks have graphs of their own, in which gradients get ready in orders of their own: they go
        in one message, at the end, for each dtype."""
        for dtype in dict.fromkeys(parameter.dtype for parameter in used):
            these = [parameter for parameter in used if parameter.dtype == dtype]
            sizes = tuple([math.prod(parameter.shape) for parameter in these])
            rows = [
                ops.zeros((size,), dtype, like=like) if known[p] is None else ops.reshape(known[p], (size,))
                for p, size in zip(these, sizes, strict=True)
            ]
            parts = ops.split(self._mean(ops.concatenate(rows)), sizes)
            for parameter, part in zip(these, parts, strict=True):
                known[parameter] = ops.reshape(part, parameter.shape)


def average(gradients: Sequence[Any], parameters: Sequence[Any], like: Any) -> list[Any]:
    """Gradients as Tensors of the engine of `like`, those of parameters that ranks share averaged over
    them."""
    found = list(gradients)
    groups = dict.fromkeys([getattr(parameter, "averager", None) for parameter in parameters])
    for averager in groups:
        if averager is not None and averager.on:
            places = [i for i, p in enumerate(parameters) if getattr(p, "averager", None) is averager]
            given = [found[i] for i in places], [parameters[i] for i in places]
            for place, g in zip(places, averager.through(*given, like), strict=True):
                found[place] = g
    return found


def _line() -> str:
    line = user_line()
    return "" if line is None else str(line)
