"""Polynomials in sizes, with integer coefficients: what they are worth, between what, and as Python text.

One is a dict from products of atoms (`shared.sizes.atoms`) to their coefficients. The parts of an atom are
integers, and objects that hold a polynomial (`shared.dims.Dim`) as their `terms`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.sizes.atoms import FUNCTIONS, Atom, Symbol

Terms = dict[tuple[Atom, ...], int]
Bounds = tuple[int | None, int | None]


def value(terms: Terms, sizes: Mapping[Symbol, int]) -> int:
    """The integer, where every symbol has one."""
    total = 0
    for atoms, count in terms.items():
        for atom in atoms:
            count *= _value_of(atom, sizes)
        total += count
    return total


def _value_of(atom: Atom, sizes: Mapping[Symbol, int]) -> int:
    if isinstance(atom, Symbol):
        return sizes[atom]
    parts = [value(part.terms, sizes) if hasattr(part, "terms") else part for part in atom.parts]
    return FUNCTIONS[atom.function].of(*parts)


def bounds(terms: Terms) -> Bounds:
    """The least and the greatest that it can be, None where it has none that is known here. No symbol is
    below zero."""
    constant = terms.get((), 0)
    rises = [count > 0 for atoms, count in terms.items() if atoms]
    if not all(_counts(atom) for atoms in terms for atom in atoms):
        return None, None
    return (constant if all(rises) else None), (None if any(rises) else constant)


def _counts(atom: Atom) -> bool:
    """Whether an atom is never below zero. A quotient alone may be."""
    if isinstance(atom, Symbol) or atom.function != "//":
        return True
    lows = [bounds(part.terms)[0] if hasattr(part, "terms") else part for part in atom.parts]
    return all(low is not None and low >= 0 for low in lows)


def source(terms: Terms, name: Callable[[Symbol], str]) -> str:
    """A Python expression for it; `name` gives the name of each symbol. A sum stands in brackets."""

    def text(atom: Atom) -> str:
        if isinstance(atom, Symbol):
            return name(atom)
        return FUNCTIONS[atom.function].source(*map(operand, atom.parts))

    def operand(part: Any) -> str:
        """Fit to stand beside any operator."""
        if hasattr(part, "terms"):
            whole = source(part.terms, name)
            return whole if len(part.terms) > 1 or alone(part.terms) is not None else f"({whole})"
        return "" if part is None else f"({part})" if part < 0 else str(part)

    pieces: list[str] = []
    for atoms, count in terms.items():
        factors = [text(atom) for atom in atoms]
        if abs(count) != 1 or not factors:
            factors.insert(0, str(abs(count)))
        sign = "-" if count < 0 else "+"
        sign = f" {sign} " if pieces else sign.strip("+")
        pieces.append(sign + "*".join(factors))
    return f"({''.join(pieces)})" if len(pieces) > 1 else pieces[0]


def alone(terms: Terms) -> Atom | None:
    """The atom, where it is one and nothing else."""
    if len(terms) == 1:
        ((atoms, count),) = terms.items()
        if count == 1 and len(atoms) == 1:
            return atoms[0]
    return None
