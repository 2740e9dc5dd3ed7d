"""A model as a table: what each layer gives, how many numbers it holds, how much it computes.

Nothing is computed to find out: the model is called on shapes alone (`shared.nn.outline`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size, product, stretched
from shared.nn.module import Module
from shared.nn.outline import Application, Outline, watching
from shared.picture.notebook import as_text
from shared.spec import Operand, Spec, str_shape
from shared.state import Parameter

Work = Callable[[Sequence[Operand], Sequence[Spec], dict[str, Any]], Size]


def _per_output(weight: int) -> Work:
    """For each element that comes out, a multiply-add with each element of one weight row."""
    return lambda args, made, settings: 2 * made[0].size * product(args[weight].shape[1:])


def _per_input(args: Sequence[Operand], made: Sequence[Spec], settings: dict[str, Any]) -> Size:
    """A transposed convolution: a multiply-add with a weight row for each element that goes in."""
    return 2 * args[0].size * product(args[1].shape[1:])


def _einsum(args: Sequence[Operand], made: Sequence[Spec], settings: dict[str, Any]) -> Size:
    """As one loop over all labels: for two operands that is a matrix product."""
    sizes: dict[str, Size] = {}
    for term, x in zip(settings["subscripts"].partition("->")[0].split(","), args, strict=True):
        for letter, size in zip(term, x.shape, strict=True):
            sizes[letter] = stretched(sizes.get(letter, 1), size)
    return len(args) * product(tuple(sizes.values())) if len(args) > 1 else 0


FLOPS: dict[str, Work] = {
    "linear": _per_output(1),
    "linear_input": _per_input,
    "linear_weight": lambda args, made, settings: 2 * args[0].size * args[1].shape[-1],
    "matmul": lambda args, made, settings: 2 * made[0].size * args[0].shape[-1],
    "einsum": _einsum,
    "conv2d": _per_output(1),
    "conv2d_input": _per_input,
    "conv2d_weight": lambda args, made, settings: 2 * args[1].size * product(made[0].shape[1:]),
    "lstm_cell": lambda args, made, settings: 9 * made[0].size,
    "gru_cell": lambda args, made, settings: 10 * made[0].size,
    "rnn_cell": lambda args, made, settings: made[0].size,
}
"""What is counted: products of matrices and convolutions, where a multiply-add is two operations
(biases left out, as is usual), and in recurrent cells each arithmetic operation, tanh and sigmoid.
Other ops pass over their arrays once, and are left out."""


@dataclass
class Row:
    """One module. Parameters and flops are its own, without those of the modules inside."""

    path: str
    kind: str
    depth: int
    calls: int = 0
    output: str = ""
    parameters: int = 0
    trainable: int = 0
    buffers: int = 0
    bytes: int = 0
    flops: Size = 0


class Summary:
    """A table of a model's modules; `print` shows it. The rows add up to the totals.

    flops  floating-point operations of one forward pass; see `FLOPS` for what is counted. Where
           a size was not given it is an expression in it.
    bytes  what Parameters and buffers take up
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = list(rows)
        self.parameters = sum(row.parameters for row in rows)
        self.trainable = sum(row.trainable for row in rows)
        self.buffers = sum(row.buffers for row in rows)
        self.bytes = sum(row.bytes for row in rows)
        self.flops: Size = 0
        for row in rows:
            self.flops = self.flops + row.flops

    def __str__(self) -> str:
        head = ("Layer", "Output", "Parameters", "FLOPs")
        lines = [
            (
                "  " * row.depth + (f"{row.path.rpartition('.')[2]}: " if row.path else "") + row.kind,
                row.output + (f"  x {row.calls}" if row.calls > 1 else "") if row.calls else "not called",
                _number(row.parameters),
                _number(row.flops),
            )
            for row in self.rows
        ]
        widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]

        def line(cells: Sequence[str]) -> str:
            left = [cell.ljust(width) for cell, width in zip(cells[:2], widths[:2], strict=True)]
            right = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
            return "  ".join([*left, *right]).rstrip()

        rule = "-" * (sum(widths) + 6)
        frozen = self.parameters - self.trainable
        total = f"{_number(self.parameters)} parameters" + (f" ({frozen:,} of them frozen)" if frozen else "")
        total += f" and {self.buffers:,} numbers in buffers: {_scaled(self.bytes, 1024, 'B', 'i')}"
        work = f"One forward pass: {_scaled(self.flops, 1000, 'FLOP', '')} (a multiply-add is two)"
        return "\n".join([line(head), rule, *map(line, lines), rule, total, work])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_text(self)


def _number(value: Size) -> str:
    return str(value) if isinstance(value, Dim) else f"{value:,}" if value else "-"


def _scaled(value: Size, base: int, unit: str, mark: str) -> str:
    """1,814,000,000 FLOP as 1.81 GFLOP, 2,048 B as 2.00 KiB."""
    if isinstance(value, Dim) or value < base:
        return f"{value} {unit}"
    power = min(int(math.log(value, base)), 4)
    return f"{value / base**power:.2f} {' kMGT'[power] if base == 1000 else ' KMGT'[power]}{mark}{unit}"


def summary(model: Module, *inputs: Any, **named: Any) -> Summary:
    """The table of `model` called on `inputs`, in the mode that it is in.

    An input is a shape, as in `summary(model, (32, 1, 28, 28))`, which stands for float32, or an
    array, Tensor or Spec, which is looked at for its shape and dtype. A size may be unknown: a
    name, or None. No value is computed and no state changes, but a layer that learns its sizes
    learns them here.
    """
    rows: dict[int, Row] = {}
    seen: set[int] = set()
    with ExitStack() as stack:
        for path, module in model.named_modules():
            row = rows[id(module)] = Row(path, type(module).__name__, path.count(".") + bool(path))
            stack.enter_context(module.register_forward_hook(_noting(row)))

        def watch(done: Application) -> None:
            work = FLOPS.get(done.op.name)
            if work is not None:
                inside = [rows[id(module)] for module in done.modules if id(module) in rows]
                row = inside[-1] if inside else rows[id(model)]
                row.flops = row.flops + done.times * work(done.inputs, done.outputs, done.settings)

        with watching(watch):
            names: dict[str, Dim] = {}
            given = [_outlined(value, names) for value in inputs]
            model(*given, **{key: _outlined(value, names) for key, value in named.items()})
    for module in model.modules():
        _count(rows[id(module)], module, seen)
    return Summary(list(rows.values()))


def _noting(row: Row) -> Callable[[Any, Any, Any], None]:
    def note(module: Module, args: Any, output: Any) -> None:
        row.calls += 1
        row.output = _described(output)

    return note


def _count(row: Row, module: Module, seen: set[int]) -> None:
    """Count what a module itself holds, and no State twice."""
    for _, state in module.own_states():
        if id(state) in seen:
            continue
        seen.add(id(state))
        size = math.prod(state.shape)
        row.bytes += size * state.dtype.itemsize
        if isinstance(state, Parameter):
            row.parameters += size
            row.trainable += size * state.requires_grad
        else:
            row.buffers += size


def _outlined(value: Any, names: dict[str, Dim]) -> Any:
    """An input as the model shall see it: with an Outline in the place of each value."""
    if isinstance(value, Spec):
        return Outline(value)
    if type(value) in (tuple, list):  # a named tuple is the model's own affair
        if all(size is None or isinstance(size, (int, str, Dim)) for size in value):
            return Outline(Spec(_sizes(value, names), np.dtype(np.float32)))
        return tuple(_outlined(part, names) for part in value)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return Outline(Spec(tuple(value.shape), value.dtype))
    return value


def _sizes(shape: Sequence[Any], names: dict[str, Dim]) -> Shape:
    return tuple(
        Dim() if size is None else names.setdefault(size, Dim(size)) if isinstance(size, str) else size
        for size in shape
    )


def _described(output: Any) -> str:
    """The shapes of what a module gave."""
    if isinstance(output, (tuple, list)):
        return ", ".join(_described(part) for part in output)
    if isinstance(output, dict):
        return ", ".join(f"{key} {_described(part)}" for key, part in output.items())
    return str_shape(tuple(output.shape)) if hasattr(output, "shape") else type(output).__name__
