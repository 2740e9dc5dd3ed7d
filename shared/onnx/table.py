"""The one table: what each of ONNX's ops is in terms of `shared.ops`, with the opset versions that it knows.

A row is a function. Its positional parameters are the op's inputs, in ONNX's order and under whatever name
reads well; its keyword-only parameters are ONNX's attributes, under ONNX's names and with ONNX's defaults:

    @onnx_op("Gemm", weights=("a", "b", "c"))
    def gemm(a, b, c=None, *, alpha=1.0, beta=1.0, transA=0, transB=0):
        ...

It gives the op's output, or a tuple of several. (A list is a value: a sequence.) What it is written in runs
on NumPy arrays, on dynamic Tensors and on static ones; it never asks which it has. Several rows of one op
differ in `since`, the opset version from which each holds; the latest that is not later than the model's is
taken.

known    inputs whose values must be there when the row is called (shapes, axes, pads, counts): they come as
         NumPy arrays. Integers may be unknown sizes: then the array holds objects, `Dim`s among them
sizes    the same, where they are sizes from 0 up: what only a run knows, a run measures, and no one has to
         give it
weights  inputs that are trained where the file keeps values for them
narrow   whether the row takes `Narrow` values (`shared.onnx.values`) as they are; others get what carries
         them, and what they give is rounded again
outputs, opset   keyword-only parameters of these names are no attributes: how many outputs the node asks for,
         and the model's opset version

To add a family: a file in `shared/onnx/ops/`, and its name in `FAMILIES` below. What a row says of values
that are sizes alone, where `shared.ops` can't take them, stands in `shared/onnx/sizes.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

FAMILIES = (
    "elementwise", "casting", "activations", "products", "reductions", "shapes", "indexing", "convolutions",
    "pooling", "normalisation", "losses", "recurrent", "quantised", "random", "control", "sequences",
    "resizing", "attention", "signal", "vision", "text", "classical", "training",
    "early",
)  # fmt: skip
"""Files of rows, in `shared/onnx/ops/`."""

NEWEST = 28
"""The latest opset version of ONNX's own domain that the rows were read against."""

OWN = ""
"""ONNX's own domain: `ai.onnx` is another word for it."""

ROWS: dict[tuple[str, str], list[Row]] = {}
"""By domain and op, the latest version last."""

SPECIAL = ("outputs", "opset")


@dataclass(frozen=True)
class Row:
    """One op from one version on. See the module's docstring."""

    name: str
    function: Callable[..., Any]
    since: int
    known: frozenset[str]
    sizes: frozenset[str]
    weights: frozenset[str]
    narrow: bool
    inputs: tuple[str, ...]
    fewest: int
    variadic: str
    attributes: dict[str, Any] = field(default_factory=dict)  # defaults; `...` where there is none
    special: tuple[str, ...] = ()

    def input_name(self, position: int) -> str:
        """What the input at a position is called here."""
        return self.inputs[position] if position < len(self.inputs) else self.variadic


def onnx_op(
    *names: str, since: int = 1, domain: str = OWN, known: tuple[str, ...] = (),
    sizes: tuple[str, ...] = (),
    weights: tuple[str, ...] = (), narrow: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # fmt: skip
    """Enter a function into the table, under the names of one or several ops."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        parameters = inspect.signature(function).parameters.values()
        positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        fewest = sum(p.default is p.empty for p in positional)
        named = {
            p.name: ... if p.default is p.empty else p.default for p in parameters if p.kind is p.KEYWORD_ONLY
        }
        for name in names:
            row = Row(
                name, function, since, frozenset({*known, *sizes}), frozenset(sizes),
                frozenset(weights), narrow,
                tuple(p.name for p in positional), fewest,
                next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), ""),
                {key: value for key, value in named.items() if key not in SPECIAL},
                tuple(key for key in named if key in SPECIAL),
            )  # fmt: skip
            rows = ROWS.setdefault((domain, name), [])
            rows.append(row)
            rows.sort(key=lambda row: row.since)
        return function

    return enter


@cache
def _fill() -> None:
    for family in FAMILIES:
        import_module(f"shared.onnx.ops.{family}")


def find(domain: str, op: str, version: int) -> Row | None:
    """The row that holds for an op in a version of its domain."""
    _fill()
    fitting = [row for row in ROWS.get((domain, op), ()) if row.since <= version]
    return fitting[-1] if fitting else None
