"""Rewriting by patterns that read as what they mean: `log(softmax(x, axis=a))` to
`log_softmax(x, axis=a)`.

A pattern is an expression over ops of the table: a name stands for any value, and for the same
one where it stands twice; a number for a weak number or an array of nothing else; a name in the
place of a setting for whatever is set there. Sums and products match in either order.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shared.op import TABLE, exact
from shared.sizes.atoms import Symbol
from shared.spec import is_weak
from static.compile.block import Block, Step, Value, applied, sizes_of
from static.compile.log import Log

Bound = dict[str, Any]
"""What the names of a pattern stand for."""

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.USub: "neg",
}  # fmt: skip
_COMMUTE = ("add", "mul")
_ROUNDS = 8
"""How often a step may be rewritten again: each round but the last must have found something."""


NUMBER = "#"
"""In the place of an op's name: a number."""


class Makers:
    """Who makes the values of a block that is being rewritten."""

    def __init__(self, block: Block) -> None:
        self.constants = block.constants
        self.steps: dict[Value, Step] = {}

    def add(self, step: Step) -> None:
        """One more step has been written."""
        for value in step.outputs:
            self.steps[value] = step

    def of(self, value: Any, op: str) -> Step | None:
        """The step of this op that makes a value, if one does."""
        step = self.steps.get(value) if isinstance(value, Value) else None
        return step if step is not None and step.op is TABLE.get(op) else None

    def head(self, value: Any) -> str:
        """The name of the op that makes a value; of one that may be a number, `NUMBER`."""
        step = self.steps.get(value) if isinstance(value, Value) else None
        if step is not None:
            return step.op.name
        return NUMBER if value in self.constants or not isinstance(value, Value) else ""

    def number(self, value: Any) -> Any:
        """The number that a value holds in all its elements, if that is known; else None."""
        if is_weak(value):
            return value
        if (array := self.constants.get(value)) is not None:
            same = array.size and bool((array == array.flat[0]).all())
            return array.flat[0].item() if same else None
        full = self.of(value, "full")
        return full.settings["value"] if full is not None else None


@dataclass(frozen=True)
class Pattern:
    """What may stand instead of what, and why.

    changes  whether answers change: the new one is right, or finite, where the old one was not
    kinds    the kinds of dtypes for which it holds, if not for all: integers wrap around, so that -x of an
             unsigned one, seen in a wider dtype, is not what 0 - x is there; complex numbers have no order
    """

    old: str
    new: str
    why: str
    changes: bool = False
    kinds: str = ""

    def rule(self) -> Rewrite:
        """What rewrites a step by it."""
        old, new = (_Numbers().visit(ast.parse(text, mode="eval").body) for text in (self.old, self.new))
        root, arguments, _ = _call(old)
        wanted = tuple(_head(argument) for argument in arguments)
        orders = (wanted, wanted[::-1]) if root in _COMMUTE else (wanted,)

        def attempt(step: Step, makers: Makers) -> Any:
            for bound in _match_step(old, step, makers, {}):
                if not self.kinds or _all_of(self.kinds, bound):
                    return _build(new, bound, step.nodes)
            return None

        return Rewrite(root, f"{self.old} to {self.new}", self.why, attempt, orders)


@dataclass(frozen=True)
class Rewrite:
    """One way to rewrite the steps of an op.

    attempt  gives None, the value to take instead, the steps whose last one makes it, or steps
             and value, which are as good as the table can make them
    heads    what must make the inputs, in one of these ways (`Makers.head`); () for anything
    """

    op: str
    what: str
    why: str
    attempt: Callable[[Step, Makers], Any]
    heads: tuple[tuple[str, ...], ...] = ()


class RewriteTable:
    """Rules, found by the op of a step and by what makes its inputs: most steps fit none, and that
    is one look into a dict."""

    def __init__(self, rules: Iterable[Rewrite]) -> None:
        self.rules: dict[str, list[Rewrite]] = {}
        for rule in rules:
            self.rules.setdefault(rule.op, []).append(rule)
        self._known: dict[tuple[str, ...], list[Rewrite]] = {}

    def candidates(self, step: Step, makers: Makers) -> list[Rewrite]:
        """The rules that may fit a step."""
        rules = self.rules.get(step.op.name)
        if rules is None:
            return []
        heads = tuple([makers.head(x) for x in step.inputs])
        key = (step.op.name, *heads)
        found = self._known.get(key)
        if found is None:
            found = [
                rule for rule in rules
                if not rule.heads or any([_may_be(heads, wanted) for wanted in rule.heads])
            ]  # fmt: skip
            self._known[key] = found
        return found


def rewrite(block: Block, table: RewriteTable, log: Log, makers: Makers | None = None) -> Block:
    """The block with every step rewritten for which the table knows something better.

    One walk in program order: what a step is made of is rewritten before it. makers: what is to know of
    each step that is written.
    """
    writer = _Rewriter(table, log, makers or Makers(block))
    for step in block.steps:
        writer.write(step, _ROUNDS)
    made = block.with_steps(writer.kept, writer.instead)
    if made.sizes.keys() >= writer.sizes:
        return made
    return replace(made, sizes=sizes_of([*made.fed, *made.missing.values(), *made.constants], made.steps))


class _Rewriter:
    """One walk: the steps that are `kept`, and what now stands `instead` of values."""

    def __init__(self, table: RewriteTable, log: Log, makers: Makers) -> None:
        self.table, self.log, self.makers = table, log, makers
        self.instead: dict[Value, Any] = {}
        self.kept: list[Step] = []
        self.sizes: set[Symbol] = set()  # those that new steps need

    def write(self, step: Step, rounds: int) -> None:
        """A step, or what is better; what that is made of may be rewritten in so many rounds more."""
        step = step.instead(self.instead)
        for rule in self.table.candidates(step, self.makers) if rounds else ():
            found = rule.attempt(step, self.makers)
            if found is None:
                continue
            more, value = found if isinstance(found, tuple) else (found, None)
            if value is None:
                more, value = (found, found[-1].outputs[0]) if isinstance(found, list) else ([], found)
            if not _fits(value, step.outputs[0]):
                continue
            self.log.note(rule.what, rule.why, step.node.line)
            for one in more:
                self.sizes |= one.symbols()
                self.write(one, 0 if isinstance(found, tuple) else rounds - 1)
            known = self.instead.get(value, value) if isinstance(value, Value) else value
            self.instead[step.outputs[0]] = known
            return
        self.makers.add(step)
        self.kept.append(step)


def _fits(new: Any, old: Value) -> bool:
    """Whether one value may stand for another: it must look the same to all who use it."""
    return isinstance(new, Value) and new.spec == old.spec


# --- matching ------------------------------------------------------------------------------


class _Numbers(ast.NodeTransformer):
    """Makes a number of a sign and a number, which is what Python parses `-1` as."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return ast.Constant(-node.operand.value)  # type: ignore[operator]
        return node


def _head(tree: ast.expr) -> str:
    """What must make a value for an expression to match: an op's name, `NUMBER`, or "" for anything."""
    if isinstance(tree, ast.Name):
        return ""
    return NUMBER if isinstance(tree, ast.Constant) else _call(tree)[0]


def _may_be(heads: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return len(heads) == len(wanted) and all(
        want in ("", head) or (want == NUMBER and head == "full")
        for head, want in zip(heads, wanted, strict=True)
    )


def _call(tree: ast.expr) -> tuple[str, list[ast.expr], dict[str, ast.expr]]:
    """An expression as an op's name, its arguments and its settings."""
    if isinstance(tree, ast.BinOp):
        return _OPERATORS[type(tree.op)], [tree.left, tree.right], {}
    if isinstance(tree, ast.UnaryOp):
        return _OPERATORS[type(tree.op)], [tree.operand], {}
    assert isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name), ast.dump(tree)
    return tree.func.id, tree.args, {word.arg or "": word.value for word in tree.keywords}


def _match(tree: ast.expr, value: Any, makers: Makers, bound: Bound) -> Iterator[Bound]:
    """Every way in which a value is what the expression says."""
    if isinstance(tree, ast.Name):
        if tree.id not in bound:
            yield {**bound, tree.id: value}
        elif bound[tree.id] is value or (is_weak(value) and exact(value) == exact(bound[tree.id])):
            yield bound
    elif isinstance(tree, ast.Constant):
        number = makers.number(value)
        if number is not None and not is_dim(number) and _same_number(number, tree.value):
            yield bound
    else:
        name, _, _ = _call(tree)
        step = makers.of(value, name)
        if step is not None:
            yield from _match_step(tree, step, makers, bound)


def _match_step(tree: ast.expr, step: Step, makers: Makers, bound: Bound) -> Iterator[Bound]:
    name, arguments, settings = _call(tree)
    if step.op is not TABLE.get(name) or len(step.inputs) != len(arguments):
        return
    if step.settings.keys() != settings.keys():
        return
    for key, part in settings.items():
        fitted = _match_setting(part, step.settings[key], bound)
        if fitted is None:
            return
        bound = fitted
    orders = [step.inputs, step.inputs[::-1]] if name in _COMMUTE else [step.inputs]
    for inputs in orders:
        yield from _match_all(arguments, inputs, makers, bound)


def _match_all(trees: list[ast.expr], values: Any, makers: Makers, bound: Bound) -> Iterator[Bound]:
    if not trees:
        yield bound
        return
    for found in _match(trees[0], values[0], makers, bound):
        yield from _match_all(trees[1:], values[1:], makers, found)


def _match_setting(tree: ast.expr, value: Any, bound: Bound) -> Bound | None:
    if isinstance(tree, ast.Name):
        known = bound.get(tree.id, value)
        return {**bound, tree.id: value} if exact(known) == exact(value) else None
    if isinstance(tree, ast.Tuple):
        if not isinstance(value, tuple) or len(value) != len(tree.elts):
            return None
        for part, given in zip(tree.elts, value, strict=True):
            fitted = _match_setting(part, given, bound)
            if fitted is None:
                return None
            bound = fitted
        return bound
    return bound if exact(ast.literal_eval(tree)) == exact(value) else None


def is_dim(number: Any) -> bool:
    """Whether a weak number is a size that only a run knows."""
    return not isinstance(number, (int, float, complex))


def _same_number(number: Any, wanted: Any) -> bool:
    """Equal, and of the same sign where both are zero. A complex number has two signs: it is no pattern's."""
    if isinstance(number, complex):
        return False
    return bool(number == wanted) and bool(np.signbit(number) == np.signbit(wanted))


def _all_of(kinds: str, bound: Bound) -> bool:
    """Whether all arrays among what names stand for hold numbers of these kinds."""
    return all([x.dtype.kind in kinds for x in bound.values() if isinstance(x, Value)])


# --- building ------------------------------------------------------------------------------


def _build(tree: ast.expr, bound: Bound, nodes: Any) -> Any:
    """The value that an expression means, or the steps that make it."""
    steps: list[Step] = []
    try:
        value = _make(tree, bound, nodes, steps)
    except _NotABlock:
        return None
    return steps or value


def _make(tree: ast.expr, bound: Bound, nodes: Any, steps: list[Step]) -> Any:
    """The value that an expression means; what more makes it is added to the steps."""
    if isinstance(tree, ast.Name):
        return bound[tree.id]
    if isinstance(tree, ast.Constant):
        return tree.value
    name, arguments, settings = _call(tree)
    inputs = [_make(argument, bound, nodes, steps) for argument in arguments]
    if all(not isinstance(x, Value) for x in inputs):
        raise _NotABlock
    given = {key: _setting(part, bound) for key, part in settings.items()}
    steps.append(applied(TABLE[name], inputs, given, nodes))
    return steps[-1].outputs[0]


class _NotABlock(Exception):
    """A pattern's values were all numbers: there is nothing to compute at run."""


def _setting(tree: ast.expr, bound: Bound) -> Any:
    if isinstance(tree, ast.Name):
        return bound[tree.id]
    if isinstance(tree, ast.Tuple):
        return tuple(_setting(part, bound) for part in tree.elts)
    return ast.literal_eval(tree)
