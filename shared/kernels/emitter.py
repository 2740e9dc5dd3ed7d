"""Writing LLVM's language as one would a small program: names, loops, vectors.

Variables are slots on the stack, which LLVM's first pass makes registers, so that nobody who
writes a loop has to think of phi nodes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from shared.kernels.scalars import Code, Term

Value = str | int
"""A name, or a whole number that stands for itself."""


class Emitter:
    """The body of one function over elements of one type: of its arguments, 64-bit words in an
    array (`text`), or of what else it is said to take (`module`).

    element the elements' type, "float" or "double"
    lanes   how many of them a vector holds
    """

    def __init__(self, dtype: np.dtype[np.floating], lanes: int) -> None:
        self.dtype = dtype
        self.element = {4: "float", 8: "double"}[dtype.itemsize]
        self.lanes = lanes
        self.vector = f"<{lanes} x {self.element}>"
        self.mask = f"<{lanes} x i1>"
        self.suffix = f"v{lanes}f{8 * dtype.itemsize}"
        self.align = dtype.itemsize
        self._lines: list[str] = []
        self._slots: list[str] = []
        self._declared: set[str] = set()
        self._fresh = itertools.count()

    def text(self, name: str, arguments: Sequence[str]) -> str:
        """The module of a function of its arguments: `name` finds the words of it under these names."""
        head = []
        for k, word in enumerate(arguments):
            type_ = "ptr" if word.endswith("_at") else "i64"
            head += [f"  %{word}.at = getelementptr i64, ptr %arguments, i64 {k}"]
            head += [f"  %{word} = load {type_}, ptr %{word}.at"]
        return self.module(f"define void @{name}(ptr noalias %arguments)", ["ret void"], head)

    def module(self, define: str, end: Sequence[str], head: Sequence[str] = ()) -> str:
        """The module of one function, which begins and ends with these lines."""
        self.say(*end)
        lines = [f"{define} {{", *self._slots, *head, *self._lines, "}", ""]
        return "\n".join([*sorted(self._declared), *lines])

    # --- instructions ---

    def say(self, *lines: str) -> None:
        self._lines += [line if line.endswith(":") else "  " + line for line in lines]

    def declare(self, line: str) -> None:
        """A function from outside that instructions call."""
        self._declared.add(line)

    def label(self) -> str:
        return f"l{next(self._fresh)}"

    def new(self, instruction: str) -> str:
        name = f"%t{next(self._fresh)}"
        self.say(f"{name} = {instruction}")
        return name

    def add(self, a: Value, b: Value) -> str:
        return self.new(f"add nsw i64 {a}, {b}")

    def sub(self, a: Value, b: Value) -> str:
        return self.new(f"sub nsw i64 {a}, {b}")

    def mul(self, a: Value, b: Value) -> str:
        return self.new(f"mul nsw i64 {a}, {b}")

    def less(self, a: Value, b: Value) -> str:
        return self.new(f"icmp slt i64 {a}, {b}")

    def smaller(self, a: Value, b: Value) -> str:
        return self.new(f"select i1 {self.less(a, b)}, i64 {a}, i64 {b}")

    def larger(self, a: Value, b: Value) -> str:
        return self.new(f"select i1 {self.less(a, b)}, i64 {b}, i64 {a}")

    def at(self, base: str, offset: Value, element: str = "") -> str:
        """The place of an element so many after the first."""
        return self.new(f"getelementptr {element or self.element}, ptr {base}, i64 {offset}")

    def load(self, place: str, element: str = "") -> str:
        return self.new(f"load {element or self.element}, ptr {place}, align {self._aligned(element)}")

    def store(self, value: str, place: str, element: str = "") -> None:
        self.say(f"store {element or self.element} {value}, ptr {place}, align {self._aligned(element)}")

    def _aligned(self, element: str) -> int:
        return {"i64": 8, "double": 8, "i8": 1}.get(element, self.align)

    # --- vectors ---

    def variable(self, element: str) -> str:
        """A place for a value that changes."""
        name = f"%v{next(self._fresh)}"
        self._slots.append(f"  {name} = alloca {element}")
        return name

    def splat(self, value: str) -> str:
        """A vector that holds one number in all its lanes."""
        first = self.new(f"insertelement {self.vector} poison, {self.element} {value}, i64 0")
        return self.shuffle(first, "poison", [0] * self.lanes)

    def constant(self, value: float) -> str:
        """A number in all lanes."""
        return Code(self.lanes).constant(value, self.dtype).ref

    def shuffle(self, a: str, b: str, lanes: Sequence[int], element: str = "") -> str:
        """The lanes with these numbers of two vectors, side by side."""
        element, mask = element or self.vector, ", ".join(f"i32 {lane}" for lane in lanes)
        return self.new(f"shufflevector {element} {a}, {element} {b}, <{len(lanes)} x i32> <{mask}>")

    def multiply_add(self, a: str, b: str, total: str) -> str:
        """a b + total, rounded once where the processor can."""
        name, v = f"@llvm.fmuladd.{self.suffix}", self.vector
        self._declared.add(f"declare {v} {name}({v}, {v}, {v})")
        return self.new(f"call {v} {name}({v} {a}, {v} {b}, {v} {total})")

    def arithmetic(self, word: str, a: str, b: str) -> str:
        """`fadd` or its like, lane by lane."""
        return self.new(f"{word} {self.vector} {a}, {b}")

    def computed(self, form: Callable[..., Term], *values: str) -> str:
        """What `form(code, *terms)`, one of `fast_math` for example, makes of some vectors."""
        code = Code(self.lanes, f"%c{next(self._fresh)}_")
        y = form(code, *(code.given(self.dtype, value) for value in values))
        self.say(*code.lines)
        self._declared |= code.declared
        return y.ref

    def gathered(self, join: Callable[[str, str], str], vector: str) -> str:
        """What joins all lanes of a vector, in each of them: halves first, then halves of these."""
        step = self.lanes // 2
        while step:
            moved = self.shuffle(vector, "poison", [lane ^ step for lane in range(self.lanes)])
            vector, step = join(vector, moved), step // 2
        return vector

    def first(self, count: Value) -> str:
        """A mask of the first so many lanes."""
        lanes = ", ".join(f"i64 {lane}" for lane in range(self.lanes))
        wide = f"<{self.lanes} x i64>"
        one = self.new(f"insertelement {wide} poison, i64 {count}, i64 0")
        most = self.shuffle(one, "poison", [0] * self.lanes, wide)
        return self.new(f"icmp slt {wide} <{lanes}>, {most}")

    def load_some(self, place: str, mask: str, element: str = "") -> str:
        """The lanes of a mask; zero in the others, whose memory is not touched."""
        suffix = f"v{self.lanes}i8" if element == "i8" else self.suffix
        name, m, aligned = f"@llvm.masked.load.{suffix}.p0", self.mask, self._aligned(element)
        v = f"<{self.lanes} x {element or self.element}>"
        self._declared.add(f"declare {v} {name}(ptr, i32, {m}, {v})")
        return self.new(f"call {v} {name}(ptr {place}, i32 {aligned}, {m} {mask}, {v} zeroinitializer)")

    def store_some(self, value: str, place: str, mask: str, element: str = "") -> None:
        """The lanes of a mask; the memory of the others stays as it is."""
        suffix = f"v{self.lanes}i8" if element == "i8" else self.suffix
        name, m = f"@llvm.masked.store.{suffix}.p0", self.mask
        v = f"<{self.lanes} x {element or self.element}>"
        self._declared.add(f"declare void {name}({v}, ptr, i32, {m})")
        self.say(f"call void {name}({v} {value}, ptr {place}, i32 {self._aligned(element)}, {m} {mask})")

    def transposed(self, rows: Sequence[str]) -> list[str]:
        """As many vectors as each has lanes, with rows and columns exchanged: blocks first, then
        within blocks."""
        rows, step = list(rows), self.lanes // 2
        while step:
            for i in range(self.lanes):
                if not i & step:
                    a, b = rows[i], rows[i + step]
                    lanes = range(self.lanes)
                    low = [k if not k & step else self.lanes + k - step for k in lanes]
                    high = [k + step if not k & step else self.lanes + k for k in lanes]
                    rows[i], rows[i + step] = self.shuffle(a, b, low), self.shuffle(a, b, high)
            step //= 2
        return rows

    def sum_of_lanes(self, vector: str) -> str:
        """One number: halves are added to halves."""
        step = self.lanes // 2
        while step:
            swapped = self.shuffle(vector, vector, [(k + step) % self.lanes for k in range(self.lanes)])
            vector, step = self.new(f"fadd {self.vector} {vector}, {swapped}"), step // 2
        return self.new(f"extractelement {self.vector} {vector}, i64 0")

    # --- loops ---

    @contextmanager
    def loop(self, stop: Value, step: Value = 1) -> Iterator[str]:
        """The lines within, for an index of 0, step, ... below `stop`."""
        k = next(self._fresh)
        self.say(
            f"br label %before{k}", f"before{k}:",
            f"%some{k} = icmp sgt i64 {stop}, 0", f"br i1 %some{k}, label %body{k}, label %after{k}",
            f"body{k}:", f"%i{k} = phi i64 [ 0, %before{k} ], [ %next{k}, %latch{k} ]",
        )  # fmt: skip
        yield f"%i{k}"
        self.say(
            f"br label %latch{k}", f"latch{k}:", f"%next{k} = add nsw i64 %i{k}, {step}",
            f"%more{k} = icmp slt i64 %next{k}, {stop}",
            f"br i1 %more{k}, label %body{k}, label %after{k}", f"after{k}:",
        )  # fmt: skip
