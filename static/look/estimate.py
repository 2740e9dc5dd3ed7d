"""What a graph will cost, said before anything runs: operations, bytes, parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared import nest
from shared.dims import Dim, Shape, Size, product
from shared.errors import FetchError
from shared.nn.overview import FLOPS
from shared.picture.notebook import as_text
from shared.sizes.atoms import Symbol
from shared.spec import Operand, Spec, spec_of
from static.compile.block import Block, Step, Value, last_uses
from static.compile.lower import lower
from static.graph.graph import Graph, Node, Tensor, get_default_graph
from static.graph.select import select


@dataclass
class OpRow:
    """All applications of one op: how many, floating-point operations, bytes that come out."""

    op: str
    nodes: int = 0
    flops: Size = 0
    bytes: Size = 0


@dataclass
class Estimate:
    """A table of the ops, those that compute most first; `print` shows it.

    flops       as `shared.nn.overview.FLOPS` counts: products, convolutions and recurrent cells
    bytes       of all arrays that ops give
    peak        the most bytes of them that are alive at one time, run in program order
    parameters  numbers in trainable variables; `variable_bytes` of all variables

    Where a size is not known the totals are expressions in it, and `peak` is None.
    """

    rows: list[OpRow]
    flops: Size
    bytes: Size
    peak: int | None
    parameters: int
    variable_bytes: int

    def __str__(self) -> str:
        lines = [f"{'op':20}{'nodes':>7}{'FLOPs':>16}{'bytes':>16}"]
        lines += [f"{r.op:20}{r.nodes:>7}{_shown(r.flops):>16}{_shown(r.bytes):>16}" for r in self.rows]
        lines.append(
            f"{'all':20}{sum(r.nodes for r in self.rows):>7}{_shown(self.flops):>16}{_shown(self.bytes):>16}"
        )
        lines.append(f"{self.parameters:,} parameters; variables take {self.variable_bytes:,} bytes")
        if self.peak is None:
            lines.append("peak memory: give the unknown sizes, as in estimate(..., sizes={'N': 32})")
        else:
            lines.append(f"peak memory of what ops give: {self.peak:,} bytes")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_text(self)


def estimate(fetches: Any = None, sizes: Mapping[str, int] | None = None) -> Estimate:
    """What a run of `fetches` (or of everything in the default graph) will cost.

    sizes: values for unknown sizes, by name. Nothing is computed. The gradients of a training
    operation count as what they are: ops like any other.
    """
    graph, targets = _targets(fetches)
    block = lower(select(graph, targets), (), [t for t in targets if isinstance(t, Tensor)])
    known = {s: sizes[s.name] for s in _symbols(block) if sizes and s.name in sizes}
    rows: dict[str, OpRow] = {}
    for step in block.steps:
        row = rows.setdefault(step.op.name, OpRow(step.op.name))
        row.nodes += 1
        row.flops = row.flops + _flops(step, known)
        for value in step.outputs:
            row.bytes = row.bytes + _bytes(value.spec, known)
    ordered = sorted(rows.values(), key=lambda row: -row.flops if isinstance(row.flops, int) else -1e99)
    variables = list(dict.fromkeys([*block.reads, *block.stores]))
    total_flops: Size = 0
    total_bytes: Size = 0
    for row in ordered:
        total_flops, total_bytes = total_flops + row.flops, total_bytes + row.bytes
    return Estimate(
        ordered, total_flops, total_bytes, _peak(block, known),
        sum(int(product(v.shape)) for v in variables if v.trainable),
        sum(int(_bytes(v.spec, {})) for v in variables),
    )  # fmt: skip


def _targets(fetches: Any) -> tuple[Graph, list[Any]]:
    if fetches is None:
        graph = get_default_graph()
        return graph, list(graph.nodes)
    targets = nest.flatten(fetches)[0]
    if not targets:
        raise FetchError("summary: no fetches; pass Tensors or operations, or None for the whole graph")
    for target in targets:
        if not isinstance(target, (Tensor, Node)):
            raise FetchError(f"summary: {target!r} is neither a Tensor nor an operation of a graph")
    return targets[0].graph, targets


def _symbols(block: Block) -> set[Symbol]:
    """Every unknown size that a value of the run has."""
    values = [*block.fed, *block.missing.values(), *(v for step in block.steps for v in step.outputs)]
    sizes = [size for value in values for size in value.shape]
    return {symbol for size in sizes if isinstance(size, Dim) for symbol in size.symbols()}


def _known(size: Size, known: Mapping[Symbol, int]) -> Size:
    if isinstance(size, Dim) and all(symbol in known for symbol in size.symbols()):
        return size.evaluate(known)
    return size


def _sized(value: Operand, known: Mapping[Symbol, int]) -> Operand:
    if not isinstance(value, Spec):
        return value
    shape: Shape = tuple(_known(size, known) for size in value.shape)
    return Spec(shape, value.dtype)


def _bytes(spec: Spec, known: Mapping[Symbol, int]) -> Size:
    return product(_sized(spec, known).shape) * spec.dtype.itemsize


def _flops(step: Step, known: Mapping[Symbol, int]) -> Size:
    work = FLOPS.get(step.op.name)
    if work is None:
        return 0
    inputs = [_sized(spec_of(x), known) for x in step.inputs]
    return work(inputs, [_sized(v.spec, known) for v in step.outputs], dict(step.settings))


def _peak(block: Block, known: Mapping[Symbol, int]) -> int | None:
    """The most bytes alive at once; None if a size is unknown. Views own nothing, and keep what
    they look at alive."""
    uses = last_uses(block)
    place = {step: at for at, step in enumerate(block.steps)}
    for step in reversed(block.steps):
        for position in step.op.alias:
            base, ends_at = step.inputs[position], [uses.get(v, step) for v in step.outputs]
            if isinstance(base, Value) and (before := uses.get(base)) is not None:
                uses[base] = None if None in ends_at else max([before, *ends_at], key=place.__getitem__)  # type: ignore[arg-type]
    ends: dict[Step, list[int]] = {}
    alive = peak = 0
    for step in block.steps:
        if not step.op.alias:
            for value in step.outputs:
                size = _bytes(value.spec, known)
                if not isinstance(size, int):
                    return None
                alive += size
                peak = max(peak, alive)
                last = uses.get(value, step)
                if last is not None:
                    ends.setdefault(last, []).append(size)
        alive -= sum(ends.pop(step, ()))
    return peak


def _shown(value: Size) -> str:
    return str(value) if isinstance(value, Dim) else f"{value:,}"
