"""Weight gradients as one product: where the terms of a sum are `linear_weight`s, one product over
all their rows gives the sum.

A weight that is used at every time step gets a gradient from each; a product of few rows is slow,
and adding it up passes over the whole weight each time. Putting rows under each other takes a copy,
which pays where they are few or the weight is large (`rows.pays`); rows that something else puts
under each other anyway cost nothing, for they are made where they shall lie (`static.compile.layout`).
What a `scan` adds up is in `scan_weight_gradients.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from shared.op import TABLE
from shared.ops.matrices import linear_weight
from static.compile.block import Block, Step, Value, applied, in_order
from static.compile.log import Log
from static.compile.passes.rows import in_rows, pays


def gather_products(block: Block, log: Log) -> Block:
    """The block with each sum of weight gradients as one of them."""
    users, makers = block.users(), block.makers()
    leaving = set(block.leaving())
    joins = [s for s in block.steps if _joins_rows(s)]
    joined = {tuple(s.inputs): s.outputs[0] for s in joins}
    joined_values = set(joined.values())
    lies: dict[Any, list[tuple[Step, int]]] = {}  # in which joins a value is, and where
    for join in joins:
        for number, part in enumerate(join.inputs):
            lies.setdefault(part, []).append((join, number))
    seen: set[Step] = set()  # additions that are part of a sum: each sum is looked at once
    gone: set[Step] = set()
    instead: dict[Step, list[Step]] = {}

    def only_here(value: Any) -> Step | None:
        """What makes a value, if nothing but one step uses it."""
        if not isinstance(value, Value) or value in leaving or len(users.get(value, ())) != 1:
            return None
        return makers.get(value)

    for step in reversed(block.steps):
        if step in seen or not _adds(step):
            continue
        terms: list[tuple[Value, Step | None]] = []
        stack = list(reversed(step.inputs))
        inside: list[Step] = []
        while stack:
            value = stack.pop()
            maker = only_here(value)
            if maker is not None and _adds(maker):
                inside.append(maker)
                seen.add(maker)
                stack.extend(reversed(maker.inputs))
            else:
                terms.append((value, maker))
        products = [  # one that is added twice stays a term
            maker for maker, times in Counter([maker for _, maker in terms]).items()
            if maker is not None and maker.op is linear_weight and times == 1
            and not joined_values.issuperset(maker.inputs)
        ]  # fmt: skip
        if len(products) < 2:
            continue
        sums = [products] if pays(products[0].inputs[0], products[0].outputs[0]) else []
        if run := _in_a_row(products, lies):
            others = [product for product in products if product not in run]
            sums = [run, others] if sums and len(others) > 1 else [run]
        if not sums:
            continue
        products = [product for products in sums for product in products]
        rest = [value for value, maker in terms if maker not in products]
        instead[step] = _as_few(step, sums, rest, joined)
        gone.update(inside, products)
        log.note(
            f"{len(products)} weight gradients in one product",
            "a sum over time steps is a sum over rows", step.node.line,
        )  # fmt: skip
    if not instead:
        return block
    return in_order(block.with_steps(
        new for step in block.steps if step not in gone for new in instead.get(step, (step,))
    ))  # fmt: skip


def _adds(step: Step) -> bool:
    """Whether a step adds two values of one shape."""
    return step.op is TABLE["add"] and all(
        isinstance(x, Value) and x.spec == step.outputs[0].spec for x in step.inputs
    )


def _joins_rows(step: Step) -> bool:
    return step.op is TABLE["concatenate"] and step.settings["axis"] == 0


def _in_a_row(products: Sequence[Step], lies: Mapping[Any, Sequence[tuple[Step, int]]]) -> list[Step]:
    """Those of the products whose rows lie under each other anyway, on both sides and in one order: the
    longest such run, if it has at least half of them. Each is in it once,
    though its rows may lie there twice."""
    rows: dict[Any, dict[int, Step]] = {}
    for product in products:
        x, g = product.inputs
        for first, i in lies.get(x, ()):
            for second, j in lies.get(g, ()):
                rows.setdefault((first, second, i - j), {})[i] = product
    longest: list[Step] = []
    for found in rows.values():
        run: list[Step] = []
        for i in sorted(found):
            run = [*run, found[i]] if i - 1 in found and found[i] not in run else [found[i]]
            longest = max(longest, run, key=len)
    return longest if 2 * len(longest) >= len(products) else []


def _as_few(
    root: Step, sums: Sequence[Sequence[Step]], rest: Sequence[Value], joined: dict[tuple[Any, ...], Value]
) -> list[Step]:
    """The steps that give what `root` gave: a product for each of `sums`, and the other terms."""
    steps: list[Step] = []
    terms: list[Value] = []
    for products in sums:
        steps.extend(_as_one(root, products, joined))
        terms.append(steps[-1].outputs[0])
    total = terms[0]
    for value in (*terms[1:], *rest):
        steps.append(applied(TABLE["add"], [total, value], {}, root.nodes))
        total = steps[-1].outputs[0]
    last = steps.pop()
    return [*steps, Step(last.op, last.inputs, last.settings, root.outputs, last.nodes)]


def _as_one(root: Step, products: Sequence[Step], joined: dict[tuple[Any, ...], Value]) -> list[Step]:
    """The sum of some products as a product of all their rows."""
    steps: list[Step] = []
    nodes = tuple(dict.fromkeys(node for step in (root, *products) for node in step.nodes))
    products = _in_known_order(products, joined)
    sides = []
    for side in (0, 1):
        parts = [in_rows(step.inputs[side], nodes, steps) for step in products]
        known = joined.get(tuple(parts))
        if known is None:
            steps.append(applied(TABLE["concatenate"], parts, {"axis": 0}, nodes))
            known = joined[tuple(parts)] = steps[-1].outputs[0]
        sides.append(known)
    steps.append(applied(linear_weight, sides, {}, nodes))
    return steps


def _in_known_order(
    products: Sequence[Step], joined: dict[tuple[Any, ...], Value]
) -> Sequence[Step]:
    """The products in the order in which one side of them lies under each other already, if any does."""
    for side in (1, 0):
        at = {step.inputs[side]: step for step in products}
        if len(at) < len(products):
            continue  # some have the same rows there: which is whose, they do not say
        for parts in joined:
            if len(parts) == len(at) == len({*parts}) and all(part in at for part in parts):
                return [at[part] for part in parts]
    return products
