"""Writes programs, line by line, and tries each line on `dynamic` before it stands.

So the writer needs to know nothing about shapes: it knows the values. A line that is refused, or
whose result is not finite or too large to go on with, is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import dynamic
from shared.errors import DiptychError
from tests.programs import grammar
from tests.programs.choices import Choices
from tests.programs.grammar import Template
from tests.programs.words import DYNAMIC, np_kind

_HOLE = re.compile(r"\{(\w)\}")
_NAME = re.compile(r"[A-Za-z_]\w*")
_REFUSED = (DiptychError, ValueError, TypeError, IndexError, ArithmeticError, RuntimeError)
DEPTH = 3

FITS: dict[str, Callable[[Any], bool]] = {
    "f": lambda v: np_kind(v) == "f",
    "m": lambda v: np_kind(v) == "f" and v.ndim == 2,
    "v": lambda v: np_kind(v) == "f" and v.ndim == 1,
    "t": lambda v: np_kind(v) == "f" and v.ndim >= 1,
    "s": lambda v: np_kind(v) == "f" and v.ndim == 0,
    "i": lambda v: np_kind(v) == "i" and v.ndim >= 1,
    "o": lambda v: np_kind(v) == "i" and v.ndim == 0,
    "b": lambda v: np_kind(v) == "b",
}
"""Which values may stand in a hole."""


@dataclass
class Line:
    """A statement: what it gives names to, and its text."""

    names: tuple[str, ...]
    text: str


@dataclass
class Writer:
    """A block of a program that is being written.

    values   what each name stands for, as a value of `dynamic`
    closed   the items whose templates stay out
    used     the items whose templates are in
    """

    choices: Choices
    values: dict[str, Any]
    closed: frozenset[str] = frozenset()
    depth: int = 0
    lines: list[Line] = field(default_factory=list)
    used: dict[str, set[str]] = field(default_factory=dict)
    serial: list[int] = field(default_factory=lambda: [0])
    special: bool = False

    def write(self, most: int) -> None:
        """Some lines, until the choices say stop."""
        made = 0
        while made < most and (made == 0 or self.choices.often(8)):
            made += 1
            kind = self.choices.below(20)
            if kind < 11 or self.depth >= DEPTH:
                self.draw(grammar.FLOATS if self.choices.below(3) else grammar.SPECIAL)
            else:
                KINDS[kind - 11](self)

    def draw(self, table: Sequence[Template]) -> str | None:
        """A line from a table; its name, unless it was refused."""
        open_ = [t for t in table if t.item not in self.closed]
        if not open_:
            return None
        template = self.choices.pick(open_)
        text = self.fill(template.text)
        return None if text is None else self.give(text, template.item)

    def fill(self, text: str) -> str | None:
        """A template with its holes filled, or None if nothing fits one."""
        missing = False

        def hole(match: re.Match[str]) -> str:
            nonlocal missing
            found = self.hole(match[1])
            missing |= found is None
            return str(found)

        filled = _HOLE.sub(hole, text)
        return None if missing else filled

    def hole(self, kind: str) -> str | None:
        if kind == "n":
            return self.size(2)
        if kind == "a":
            return self.asked()
        if kind == "x":
            return self.choices.pick(("-1", "0", "1"))
        if kind == "k":
            return self.choices.pick(grammar.NUMBERS)
        if kind == "p":
            return self.choices.pick(grammar.POSITIVE)
        return self.pick(FITS[kind])

    def pick(self, fits: Callable[[Any], bool]) -> str | None:
        """A name of a value that fits, late ones more often."""
        names = [name for name, value in self.values.items() if fits(value)]
        if not names:
            return None
        reach = len(names) if self.choices.below(3) == 1 else min(3, len(names))
        return names[-1 - self.choices.below(reach)]

    def size(self, depth: int) -> str | None:
        """An expression of sizes."""
        kind = self.choices.below(7 if depth and "A1" not in self.closed else 2)
        if kind == 1:
            return self.choices.pick(("2", "1", "3", "4"))
        if kind < 2:
            name = self.pick(FITS["t"])
            return None if name is None else f"{name}.shape[{self.choices.below(self.values[name].ndim)}]"
        a, b = self.size(depth - 1), self.size(depth - 1)
        if a is None or b is None:
            return None
        self.used.setdefault("A1", set())
        return f"({a} {('+', '-', '*', '//', '//')[kind - 2]} {b})"

    def asked(self) -> str | None:
        """A size beside a number, which often is what the size is here."""
        name = self.pick(FITS["t"])
        if name is None:
            return None
        axis = self.choices.below(self.values[name].ndim)
        size = self.values[name].shape[axis]
        number = self.choices.pick((size, 1, size, size + 1))
        return f"{name}.shape[{axis}] {self.choices.pick(('==', '!=', '==', '<', '>='))} {number}"

    def name(self) -> str:
        self.serial[0] += 1
        return f"v{self.serial[0]}"

    def give(
        self, text: str, item: str = "", before: str = "", count: int = 1, tape: Any = dynamic.no_grad
    ) -> str | None:
        """`names = text`, if `dynamic` takes it; `before` are lines that must stand before it."""
        names = tuple(self.name() for _ in range(count))
        statement = f"{before}{', '.join(names)} = {text}"
        space = {"ops": DYNAMIC, "np": np, **self.values}
        try:
            with tape(), np.errstate(all="ignore"):
                exec(statement, space)
        except _REFUSED:
            return None
        made = [space[name] for name in names]
        if not all(self.usable(value) for value in made):
            return None
        self.values.update(zip(names, made, strict=True))
        self.lines.append(Line(names, statement))
        if item:
            self.used.setdefault(item, set()).update(names)
        return names[-1]

    def usable(self, value: Any) -> bool:
        if not isinstance(value, dynamic.Tensor) or value.size > 600 or value.ndim > 4:
            return False
        if self.special or np_kind(value) == "b" or not value.size:
            return True
        array = np.abs(value.numpy().astype("float64"))
        return bool(np.isfinite(array).all() and array.max() < 1e3)

    def child(self, values: dict[str, Any]) -> Writer:
        """A block inside this one, that sees its values and `values`."""
        return Writer(
            self.choices, {**self.values, **values}, self.closed, self.depth + 1, used=self.used,
            serial=self.serial, special=self.special,
        )  # fmt: skip

    def block(
        self, values: dict[str, Any], like: Sequence[Any], free: int = 0
    ) -> tuple[str, list[str]] | None:
        """The lines of a function's body that returns a value like each in `like`, and `free` more;
        and the names of what it returns."""
        inner = self.child(values)
        inner.write(4)
        results: list[str] = []
        for want in like:
            fitting = [n for n, v in inner.values.items() if v.shape == want.shape and v.dtype == want.dtype]
            if not fitting:
                return None
            own = [n for n in fitting if any(n in line.names for line in inner.lines)]
            results.append(own[-1] if own else inner.choices.pick(fitting[::-1]))
        for _ in range(free):
            found = inner.pick(FITS["f"])
            if found is None:
                return None
            results.append(found)
        body = "".join(_indented(line.text) for line in kept(inner.lines, results))
        return body, results

    def function(self, name: str, arguments: str, block: tuple[str, list[str]], returns: str = "") -> str:
        body, results = block
        return f"def {name}({arguments}):\n{body}    return {returns or ', '.join(results)}\n"


def kept(lines: Sequence[Line], results: Sequence[str]) -> list[Line]:
    """The lines that the results need."""
    needed, found = set(results), []
    for line in reversed(lines):
        if needed.intersection(line.names):
            needed |= set(_NAME.findall(line.text))
            found.append(line)
    return found[::-1]


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


# --- control flow --------------------------------------------------------------------------


def _cond(w: Writer) -> None:
    pred = w.fill(w.choices.pick(grammar.PREDICATES))
    target = w.pick(FITS["f"])
    if pred is None or target is None:
        return
    like = [w.values[target]]
    yes, no = w.block({}, like), w.block({}, like)
    if yes and no:
        at = w.name()
        before = w.function(f"yes_{at}", "", yes) + w.function(f"no_{at}", "", no)
        w.give(f"ops.cond({pred}, yes_{at}, no_{at})", "cond", before)


def _rows(w: Writer) -> tuple[str, dict[str, Any]] | None:
    """What a loop goes over: an array, perhaps beside integers; and what a step sees of it."""
    xs = w.pick(FITS["t"])
    if xs is None:
        return None
    over, seen = xs, {w.name(): w.values[xs]}
    beside = w.pick(lambda v: FITS["i"](v) and v.shape[0] == w.values[xs].shape[0])
    if beside is not None and w.choices.below(2):
        over, seen = f"({xs}, {beside})", {**seen, w.name(): w.values[beside]}
    return over, {
        name: v[0] if v.shape[0] else dynamic.zeros(v.shape[1:], dtype=v.dtype) for name, v in seen.items()
    }


def _unpacked(seen: dict[str, Any]) -> str:
    return next(iter(seen)) if len(seen) == 1 else "row"


def _head(seen: dict[str, Any]) -> str:
    return "" if len(seen) == 1 else f"    {', '.join(seen)} = row\n"


def _scan(w: Writer) -> None:
    rows, carry = _rows(w), w.pick(FITS["f"])
    if rows is None or carry is None:
        return
    (over, seen), c = rows, w.name()
    block = w.block({c: w.values[carry], **seen}, [w.values[carry]], free=1)
    if block:
        body, results = block
        before = w.function(f"step_{c}", f"{c}, {_unpacked(seen)}", (_head(seen) + body, results))
        settings = w.choices.pick(("", "", ", reverse=True"))
        w.give(f"ops.scan(step_{c}, {carry}, {over}{settings})", "scan", before, count=2)


def _map(w: Writer) -> None:
    rows = _rows(w)
    if rows is None:
        return
    (over, seen), at = rows, w.name()
    block = w.block(seen, [], free=1)
    if block:
        body, results = block
        before = w.function(f"each_{at}", _unpacked(seen), (_head(seen) + body, results))
        w.give(f"ops.map_fn(each_{at}, {over})", "map_fn", before)


def _while(w: Writer) -> None:
    carry, trips = w.pick(FITS["f"]), w.pick(FITS["o"])
    if carry is None or trips is None:
        return
    i, c = w.name(), w.name()
    counter = dynamic.tensor(np.int64(0))
    block = w.block({i: counter, c: w.values[carry]}, [w.values[carry]])
    if block:
        until = w.choices.pick((f"{i} < {trips}", f"({i} < {trips}) & (ops.sum({c}) < 50.0)", f"{i} < 3"))
        before = f"def go_{c}({i}, {c}):\n    return {until}\n"
        before += w.function(f"body_{c}", f"{i}, {c}", block, f"{i} + 1, {block[1][0]}")
        w.give(f'ops.while_loop(go_{c}, body_{c}, (ops.cast({trips} * 0, "int64"), {carry}))', "while_loop",
               before, count=2)  # fmt: skip


def _slope(w: Writer) -> None:
    """A gradient in the middle of a program, by a value that lies in it."""
    z = w.pick(FITS["f"])
    if z is None or w.depth or "B6" in w.closed:
        return
    at = w.name()
    block = w.block({at: w.values[z]}, [], free=1)
    if block:
        before = f"{at} = ops.stop_gradient({z})\n" + "".join(
            line[4:] + "\n" for line in block[0].splitlines()
        )
        text = f"ops.slope(ops.sum(ops.sin({block[1][0]}) * {at}), {at})"
        w.give(text, "B6", before, tape=dynamic.enable_grad)


def _ints(w: Writer) -> None:
    w.draw(grammar.INTS)


def _bools(w: Writer) -> None:
    w.draw(grammar.BOOLS)


def _sized(w: Writer) -> None:
    w.draw(grammar.SIZED)


def _odd(w: Writer) -> None:
    w.draw(w.choices.pick((grammar.UNKNOWN, grammar.RAGGED, grammar.ASKED)))


KINDS: tuple[Callable[[Writer], None], ...] = (
    _ints, _bools, _sized, _odd, _cond, _scan, _while, _map, _slope,
)  # fmt: skip
