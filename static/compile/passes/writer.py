"""Values as a factor times an exponential, so that their logarithms and quotients lose nothing.

What is made of softmax, sigmoid and exp by products, sums, slices and views is `factor * exp(sum of
terms)`: its logarithm is that of the factor and the terms, and a quotient of two an exponential of a
difference, where floating point has long gone to 0 or to infinity. The terms of a slice are slices of
the terms, and so with every op that gives elements another place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from shared.op import TABLE
from shared.spec import Spec
from static.compile.block import Step, Value, applied
from static.compile.passes.traits import Known, Terms, key_of

MOST = 400
"""Steps that one rewriting may take, and values that it may look at; what needs more stays as it is."""


@dataclass(frozen=True)
class Scaled:
    """factor * exp(sum of the terms).

    factor  a Value, a number, or None for one
    sparse  whether the exponential may be infinite where the factor is 0
    """

    factor: Any
    terms: Terms = field(default_factory=dict)
    sparse: bool = False

    @property
    def below(self) -> bool:
        """Whether there is something under a fraction line."""
        return any([count < 0 for count in self.terms.values()])


class Unsaid(Exception):
    """A value that can not be written so, or not in few steps."""


class Writer:
    """Writes the steps of one rewriting: each once, and none that stands already."""

    def __init__(self, known: Known, nodes: Any) -> None:
        self.known, self.nodes = known, nodes
        self.steps: list[Step] = []
        self.seen = 0

    def __call__(self, name: str, *inputs: Any, **settings: Any) -> Any:
        """The value that an op gives; of several the tuple."""
        step = self.known.same.get(key_of(name, inputs, settings))
        if step is None:
            step = applied(TABLE[name], inputs, settings, self.nodes)
            self.steps.append(step)
            self.known.add(step)
            if len(self.steps) > MOST:
                raise Unsaid
        return step.outputs[0] if step.op.single else step.outputs

    def done(self, value: Value | None) -> tuple[list[Step], Value] | None:
        """The steps that a value needs, and the value; all others are forgotten."""
        needed = {value}
        kept: list[Step] = []
        for step in reversed(self.steps):
            if needed.isdisjoint(step.outputs):
                self.known.forget(step)
            else:
                needed.update(step.values())
                kept.append(step)
        return None if value is None else (kept[::-1], value)

    def look(self) -> None:
        """One more value is looked at."""
        self.seen += 1
        if self.seen > MOST:
            raise Unsaid

    def times(self, a: Scaled, b: Scaled, sign: int = 1) -> Scaled:
        """The product of two, or the quotient."""
        terms = dict(a.terms)
        for term, count in b.terms.items():
            terms[term] = terms.get(term, 0.0) + sign * count
        left = {term: count for term, count in terms.items() if count}
        return Scaled(self.factors(a.factor, b.factor, sign), left, a.sparse or b.sparse)

    def factors(self, a: Any, b: Any, sign: int = 1) -> Any:
        """The product of two factors, or the quotient."""
        if b is None:
            return a
        if a is None and sign > 0:
            return b
        if isinstance(a, Value) or isinstance(b, Value):
            return self("mul" if sign > 0 else "div", 1.0 if a is None else a, b)
        if sign < 0 and b == 0:
            raise Unsaid
        return (1.0 if a is None else a) * (b if sign > 0 else 1 / b)

    def total(self, terms: Terms) -> Any:
        """The sum of the terms; a number if there is no value among them."""
        found: Any = None
        for term, count in sorted(terms.items(), key=lambda one: one[1] < 0):
            if term is not None:
                part = term if abs(count) == 1 else self("mul", term, abs(count))
                if found is None:
                    found = part if count > 0 else self("neg", part)
                else:
                    found = self("add" if count > 0 else "sub", found, part)
        number = terms.get(None, 0.0)
        if found is None:
            return number
        return self("add", found, number) if number else found

    def log(self, x: Scaled, like: Value) -> Value:
        """The logarithm of a value, in the shape of `like`."""
        logs = dict(x.terms)
        if isinstance(x.factor, Value):
            logs[self("log", x.factor)] = logs.get(self("log", x.factor), 0.0) + 1
        elif x.factor is not None:
            logs[None] = logs.get(None, 0.0) + log_of(x.factor)
        return self.at(self.total(logs), like)

    def at(self, value: Any, like: Value) -> Value:
        """A value in the shape of another."""
        if not isinstance(value, Value):
            raise Unsaid
        if Spec(value.shape, like.dtype) == like.spec:
            return value
        return self("broadcast_to", value, shape=like.shape)

    def all_of(self, number: float, like: Value) -> Value:
        """An array of one number, in the shape of a value."""
        return self("full", shape=like.shape, value=number, dtype=like.dtype)

    def product(self, x: Scaled, like: Value) -> Value:
        """The value itself, in the shape of `like`."""
        if not x.terms:
            return self.at(x.factor, like)
        power = self.exp(x.terms)
        whole = self.at(power if x.factor is None else self("mul", x.factor, power), like)
        if not x.sparse or not isinstance(x.factor, Value):
            return whole
        return self("gate", whole, self.at(self("not_equal", x.factor, 0), whole))

    def exp(self, terms: Terms) -> Value:
        """exp of a sum; what it is the logarithm of, where that has a name."""
        (term, count), *others = terms.items()
        maker = self.known.steps.get(term) if term is not None else None
        named = maker is not None and maker.op.name in ("log_softmax", "log_sigmoid")
        if maker is not None and named and not others and count == 1:
            return self(maker.op.name.removeprefix("log_"), *maker.inputs, **maker.settings)
        total = self.total(terms)
        if not isinstance(total, Value):
            raise Unsaid
        return self("exp", total)


def log_of(number: float) -> float:
    """The logarithm of a factor that is a number."""
    return math.log(number) if number > 0 else -math.inf if number == 0 else math.nan
