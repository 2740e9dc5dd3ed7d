"""A compiled program as an op: called in define-by-run code it is one node of the tape, with a gradient of
any order, which is a program too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.op import Joint, Op
from shared.spec import Spec
from static.compile.options import Options
from static.compile.program import Program
from static.differentiate import gradients
from static.graph.create import placeholder
from static.graph.graph import Graph, Node, Tensor
from static.graph.select import select
from static.graph.variables import Variable


class ProgramOp(Op):
    """What a graph computes of Tensors that it is fed and of variables.

    fed, variables  whose values are the arguments, in this order
    fetched         whose values it gives, and behind them what the variables `stored` are to hold
    """

    def __init__(
        self,
        name: str,
        graph: Graph,
        fed: Sequence[Tensor],
        fetched: Sequence[Tensor],
        options: Options,
        targets: Sequence[Node] = (),
        variables: Sequence[Variable] | None = None,
    ) -> None:
        selection = select(graph, [*fetched, *targets], fed)
        self.program = Program(selection, fed, fetched, options)
        self.graph, self.fed, self.fetched, self.options = graph, tuple(fed), tuple(fetched), options
        self.stored = tuple(self.program.block.stores)
        self.variables = tuple(self.program.reads if variables is None else variables)
        self._derived: dict[Any, ProgramOp] = {}
        specs = tuple([Spec(tuple(t.shape), t.dtype) for t in (*fetched, *self.stored)])
        names = tuple([f"y{i}" for i in range(len(specs))])
        super().__init__(
            name, lambda *arrays: self._compute(arrays), lambda *args: specs,
            Joint(
                lambda g, y, *args, wanted: self._rule(g, args, wanted),
                reads=lambda wanted: {str(i) for i in range(len(wanted))},
            ),
            outputs=names, constant=names[len(fetched) :], listed=False,
            doc=f"The compiled program of {name}.",
        )  # fmt: skip
        self.single = False

    def _compute(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        count = len(self.fed)
        values = dict(zip(self.variables, arrays[count:], strict=True))
        results, stores = self.program(arrays[:count], values)
        return (*results, *[stores[variable] for variable in self.stored])

    def _rule(self, g: Any, args: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
        given = [i for i, part in enumerate(g[: len(self.fetched)]) if part is not None]
        found: list[Any] = [None] * len(wanted)
        if not given:
            return found
        op, reached = self._derivative(tuple(wanted), tuple(given))
        if op is not None:
            made = op(*args[: len(self.fed)], *[g[i] for i in given], *args[len(self.fed) :])
            for i, part in zip(reached, made, strict=False):
                found[i] = part
        return found

    def _derivative(self, wanted: tuple[bool, ...], given: tuple[int, ...]) -> Any:
        """The program of the gradients by the wanted arguments that there are any by, and which those are."""
        key = wanted, given
        if key not in self._derived:
            inputs = [x for x, want in zip((*self.fed, *self.variables), wanted, strict=True) if want]
            ys = [self.fetched[i] for i in given]
            with self.graph.as_default():
                seeds = [placeholder(y.dtype, y.shape, name="cotangent") for y in ys]
                slopes = gradients(ys, inputs, seeds)
            places = [i for i, want in enumerate(wanted) if want]
            reached = [i for i, slope in zip(places, slopes, strict=True) if slope is not None]
            found = [slope for slope in slopes if slope is not None]
            op = None
            if found:
                op = ProgramOp(
                    f"gradient of {self.name}", self.graph, (*self.fed, *seeds), found, self.options,
                    variables=self.variables,
                )  # fmt: skip
            self._derived[key] = op, reached  # type: ignore[assignment]
        return self._derived[key]
