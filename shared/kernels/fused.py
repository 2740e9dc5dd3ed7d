"""Kernels of many elementwise ops: from a recipe to one loop nest that reads and writes each element once.

A recipe says all that matters to the code, and nothing else: two groups of ops with equal recipes
share one kernel, and the numbers that they do not share are handed to it. The kernel is a function
for Python: `kernel(*outputs, *inputs)` writes the outputs and gives True, or, if an array is not as
the recipe says (its type, dtype, order, shape), gives False and has written nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.kernels import machine, support
from shared.kernels.expressions import written
from shared.kernels.scalars import BOOL, LLVM_TYPES, Code, Number

MOST_LEVELS = 3
"""How deep a loop nest may be: (batch, channel, pixel) beside one number for each channel is 3."""
MOST_ARRAYS = 24
"""How many arrays a kernel may take: past about these, pointers no longer stay in registers."""
RELEASE = 1 << 16
"""From so many elements on a kernel lets other threads of Python run meanwhile."""

Part = int | tuple[str, str]
"""What an op is given: the number of a value (inputs first, then each op's result), or a weak number
as `shared.op.exact` tells it from others: 1, 1.0 and True differ, and so do both zeros. Or one that
the kernel is handed: INT or FLOAT, of which each is the next of the numbers given to `kernel_of`."""
INT, FLOAT = ("handed", "int"), ("handed", "float")
_WEAK: dict[str, Callable[[str], Any]] = {"bool": "True".__eq__, "int": int, "float": float}
_HANDED: dict[Any, type[float]] = {INT: int, FLOAT: float}


@dataclass(frozen=True, slots=True)
class Input:
    """An array that the kernel reads: its dtype, and for each of its axes whether it has the size
    of the loop's axis there (counted from the last), or 1. It holds as many values as `blocks`, side
    by side on its last axis, as gates are kept."""

    dtype: str
    axes: tuple[bool, ...]
    blocks: int = 1


@dataclass(frozen=True, slots=True)
class Element:
    """One op on one element: its scalar form with a0, a1 for the parts, and the dtype it gives."""

    text: str
    parts: tuple[Part, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """A kernel to be.

    rank     the number of axes that the outputs have; None if any number will do, for each input
             has either the outputs' shape (axes (True,)) or a single element (axes ())
    outputs  which values are written, for each array those side by side in it, all of the loop's
             whole shape. Values are numbered: those of the inputs, then each element's
    """

    rank: int | None
    inputs: tuple[Input, ...]
    elements: tuple[Element, ...]
    outputs: tuple[tuple[int, ...], ...]

    def levels(self) -> list[Level]:
        """The nest of loops, outermost first."""
        axes = [x.axes for x in self.inputs]
        if self.rank is None:
            return [Level((), tuple(map(bool, axes)))]
        return levels(self.rank, axes, self.blocked())

    def blocked(self) -> bool:
        """Whether any array holds several values."""
        return any(x.blocks > 1 for x in self.inputs) or any(len(o) > 1 for o in self.outputs)

    def handed(self) -> int:
        """How many numbers the kernel is handed."""
        return sum([part in _HANDED for element in self.elements for part in element.parts])

    def dtypes(self) -> list[str]:
        """Of all values."""
        return [x.dtype for x in self.inputs for _ in range(x.blocks)] + [e.dtype for e in self.elements]


@dataclass(frozen=True, slots=True)
class Level:
    """One loop of a nest: the axes it runs over, and for each input whether that moves along."""

    axes: tuple[int, ...]
    moves: tuple[bool, ...]


def levels(rank: int, inputs: Sequence[tuple[bool, ...]], blocked: bool = False) -> list[Level]:
    """The loops, outermost first, that inputs with such axes take: axes that all of them treat
    alike are one loop; but the last one is a loop of its own where arrays hold blocks of it."""
    found: list[Level] = []
    for axis in range(rank):
        moves = tuple([len(own) >= rank - axis and own[axis - rank] for own in inputs])
        if found and found[-1].moves == moves and not (blocked and axis == rank - 1):
            found[-1] = Level((*found[-1].axes, axis), moves)
        else:
            found.append(Level((axis,), moves))
    return found or [Level((), (True,) * len(inputs))]


def values_of(code: Code, recipe: Recipe, inputs: Sequence[Any]) -> list[Any]:
    """All values of a recipe as terms."""
    values, handed = list(inputs), itertools.count()
    for element in recipe.elements:
        parts: list[Any] = []
        for part in element.parts:
            if isinstance(part, int):
                parts.append(values[part])
            elif part in _HANDED:
                parts.append(Number(_HANDED[part], f"%number{next(handed)}"))
            else:
                parts.append(_WEAK[part[0]](part[1]))
        values.append(written(code, element.text, parts, np.dtype(element.dtype)))
    return values


def kernel_of(recipe: Recipe, numbers: Sequence[float] = ()) -> Callable[..., bool]:
    """The kernel of a recipe: known, or read from the cache, or compiled now. numbers: those that it
    is handed."""
    return machine.function(recipe, lambda name: source_of(recipe, name), numbers)


# --- the source ----------------------------------------------------------------------------


def source_of(recipe: Recipe, name: str) -> str:
    """The kernel in LLVM's language."""
    return _Writer(recipe, name).text()


@dataclass(frozen=True, slots=True)
class _Array:
    """An argument: its position, its dtype, its axes and blocks as in Input, and which loops move it."""

    at: int
    dtype: np.dtype[Any]
    axes: tuple[bool, ...]
    blocks: int
    moves: tuple[bool, ...]

    @property
    def stored(self) -> str:
        """The type of an element in memory: a bool takes a byte."""
        return "i8" if self.dtype == BOOL else LLVM_TYPES[self.dtype]


class _Writer:
    def __init__(self, recipe: Recipe, name: str) -> None:
        self.recipe, self.name = recipe, name
        self.levels = recipe.levels()
        dtypes = recipe.dtypes()
        whole = (True,) * (1 if recipe.rank is None else recipe.rank)
        shapes: list[Any] = [
            (dtypes[values[0]], whole, len(values), (True,) * len(self.levels)) for values in recipe.outputs
        ]
        shapes += [
            (x.dtype, x.axes, x.blocks, tuple(level.moves[i] for level in self.levels))
            for i, x in enumerate(recipe.inputs)
        ]
        self.arrays = [_Array(i, np.dtype(kind), *rest) for i, (kind, *rest) in enumerate(shapes)]
        self.outs, self.ins = self.arrays[: len(recipe.outputs)], self.arrays[len(recipe.outputs) :]
        self.lines: list[str] = []
        self.fresh = itertools.count()
        self.declared: set[str] = set()

    def text(self) -> str:
        count, rank = len(self.arrays), self.recipe.rank
        self._say(
            f"define ptr @{self.name}(ptr %self, ptr %arguments, i64 %given) {{",
            f"%table_at = getelementptr i8, ptr %self, i64 {support.HEAD}",
            "%table = load ptr, ptr %table_at",
            f"%sizes = alloca [{rank or 1} x i64]",
            f"%data = alloca [{count} x ptr]",
        )
        for entry in ("answer", "fits", "enter", "leave"):
            self._say(
                f"%{entry}_at = getelementptr ptr, ptr %table, i64 {support.ENTRIES.index(entry)}",
                f"%{entry} = load ptr, ptr %{entry}_at",
            )
        self._say(
            "%fine = call i1 %fits(ptr %arguments, i64 %given, ptr %table, ptr @plan, ptr %sizes, ptr %data)",
            "br i1 %fine, label %run, label %refuse",
            "refuse:",
            "%no = call ptr %answer(i64 0)",
            "ret ptr %no",
            "run:",
        )
        for i in range(self.recipe.handed()):
            place = len(support.ENTRIES) + i
            self._say(
                f"%number{i}_at = getelementptr double, ptr %table, i64 {place}",
                f"%number{i} = load double, ptr %number{i}_at",
            )
        self._lengths()
        for a in self.arrays:
            self._say(
                f"%at{a.at} = getelementptr ptr, ptr %data, i64 {a.at}",
                f"%data{a.at} = load ptr, ptr %at{a.at}",
            )
        self._loops()
        self._say("%yes = call ptr %answer(i64 1)", "ret ptr %yes", "}")
        tail = ["!0 = distinct !{}", '!1 = distinct !{!1, !{!"llvm.loop.parallel_accesses", !0}}']
        return "\n".join([self._plan(), *sorted(self.declared), *self.lines, *tail]) + "\n"

    def _plan(self) -> str:
        """What `support` shall look for in the arguments."""
        rank = self.recipe.rank
        numbers = [len(self.arrays), len(self.outs), -1 if rank is None else rank]
        for a in self.arrays:
            bits = sum(1 << own for own, follows in enumerate(a.axes) if follows)
            numbers += [support.ENTRIES.index(a.dtype.name), a.dtype.itemsize, len(a.axes), bits, a.blocks]
        listed = ", ".join(f"i64 {n}" for n in numbers)
        return f"@plan = internal constant [{len(numbers)} x i64] [{listed}]"

    def _say(self, *lines: str) -> None:
        self.lines.extend(line if line[-1] in ":{}" else "  " + line for line in lines)

    def _new(self, instruction: str) -> str:
        name = f"%t{next(self.fresh)}"
        self._say(f"{name} = {instruction}")
        return name

    def _lengths(self) -> None:
        """How often each loop goes round."""
        if self.recipe.rank is None:
            self._say("%length0 = load i64, ptr %sizes")
            return
        for level, loop in enumerate(self.levels):
            length = "1"
            for axis in loop.axes:
                size = self._new(f"load i64, ptr {self._new(f'getelementptr i64, ptr %sizes, i64 {axis}')}")
                length = self._new(f"mul i64 {length}, {size}")
            self._say(f"%length{level} = add i64 {length}, 0")
        for block in range(1, max(a.blocks for a in self.arrays)):
            self._say(f"%block{block} = mul i64 %length{len(self.levels) - 1}, {block}")

    def _stride(self, a: _Array, level: int) -> str:
        """How many elements an array holds within one step of a loop."""
        stride = str(a.blocks if level < len(self.levels) - 1 else 1)
        for inner in range(level + 1, len(self.levels)):
            if a.moves[inner]:
                stride = self._new(f"mul i64 {stride}, %length{inner}")
        return stride

    def _loops(self) -> None:
        total = "1"
        for level in range(len(self.levels)):
            total = self._new(f"mul i64 {total}, %length{level}")
        self._say(
            f"%large = icmp sge i64 {total}, {RELEASE}",
            "br i1 %large, label %enter_first, label %entered",
            "enter_first:",
            "%left = call ptr %enter(ptr %table)",
            "br label %entered",
            "entered:",
            "%thread = phi ptr [ null, %run ], [ %left, %enter_first ]",
        )
        strides = {
            (a.at, level): self._stride(a, level) for a in self.arrays for level in range(len(self.levels))
        }
        self._loop(0, {a.at: f"%data{a.at}" for a in self.arrays}, strides)
        self._say(
            "br i1 %large, label %leave_last, label %done",
            "leave_last:",
            "call void %leave(ptr %table, ptr %thread)",
            "br label %done",
            "done:",
        )

    def _loop(self, level: int, bases: dict[int, str], strides: dict[tuple[int, int], str]) -> None:
        """The loop of one level, with those inside it."""
        inner = level == len(self.levels) - 1
        code = Code() if inner else None
        held: dict[int, Any] = {}
        if code is not None:
            for a in self.ins:
                if not a.moves[level]:
                    held[a.at] = self._loads(code, a, bases[a.at], "")
        k = next(self.fresh)
        self._say(f"br label %before{k}", f"before{k}:")
        self._say(
            f"%some{k} = icmp sgt i64 %length{level}, 0", f"br i1 %some{k}, label %body{k}, label %after{k}"
        )
        self._say(f"body{k}:")
        latch = f"body{k}" if inner else f"latch{k}"
        self._say(f"%i{k} = phi i64 [ 0, %before{k} ], [ %next{k}, %{latch} ]")
        moved = dict(bases)
        for a in self.arrays:
            if a.moves[level]:
                offset = f"%i{k}" if inner else self._new(f"mul i64 %i{k}, {strides[a.at, level]}")
                moved[a.at] = self._new(f"getelementptr {a.stored}, ptr {bases[a.at]}, i64 {offset}")
        if code is not None:
            self._body(code, moved, held)
        else:
            self._loop(level + 1, moved, strides)
            self._say(f"br label %latch{k}", f"latch{k}:")
        self._say(f"%next{k} = add nuw nsw i64 %i{k}, 1", f"%more{k} = icmp slt i64 %next{k}, %length{level}")
        note = ", !llvm.loop !1" if inner else ""
        self._say(f"br i1 %more{k}, label %body{k}, label %after{k}{note}", f"after{k}:")

    def _body(self, code: Code, places: dict[int, str], held: dict[int, Any]) -> None:
        """One element: read all, compute, write all, so that an output may stand in an input's place."""
        note = ", !llvm.access.group !0"
        inputs = [
            value
            for a in self.ins
            for value in (held[a.at] if a.at in held else self._loads(code, a, places[a.at], note))
        ]
        values = values_of(code, self.recipe, inputs)
        self._say(*code.lines)
        self.declared |= code.declared
        for a, outputs in zip(self.outs, self.recipe.outputs, strict=True):
            for place, output in zip(self._blocks(a, places[a.at]), outputs, strict=True):
                value = values[output].llvm
                if a.dtype == BOOL:
                    value = f"i8 {self._new(f'zext {value} to i8')}"
                self._say(f"store {value}, ptr {place}{note}")

    def _blocks(self, a: _Array, place: str) -> Iterator[str]:
        """Where the values of an array's blocks stand, given the first one's place."""
        yield place
        for block in range(1, a.blocks):
            yield self._new(f"getelementptr {a.stored}, ptr {place}, i64 %block{block}")

    def _loads(self, code: Code, a: _Array, place: str, note: str) -> list[Any]:
        return [self._load(code, a, at, note) for at in self._blocks(a, place)]

    def _load(self, code: Code, a: _Array, place: str, note: str) -> Any:
        loaded = self._new(f"load {a.stored}, ptr {place}{note}")
        if a.dtype == BOOL:
            loaded = self._new(f"icmp ne i8 {loaded}, 0")
        return code.given(a.dtype, loaded)


def inputs_followed(recipe: Recipe, blocks: int = 1) -> Iterator[int]:
    """The inputs whose shape is that of an output that holds so many values."""
    for i, x in enumerate(recipe.inputs):
        if x.blocks != blocks:
            continue
        if recipe.rank is None:
            if x.axes:
                yield i
        elif len(x.axes) == recipe.rank and all(x.axes):
            yield i
