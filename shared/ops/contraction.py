"""Sums of products named by letters: einsum, and what is said best in its words."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from shared.dims import Dim, Size, same_shape, same_size, stretched
from shared.errors import SettingError, ShapeError
from shared.numerics.half import rounded
from shared.numerics.summing import total
from shared.op import Joint, Op, array_module
from shared.ops.choosing import where
from shared.ops.creation import eye
from shared.ops.elementwise import add
from shared.ops.ranges import smaller
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like, broadcast_to, expand_dims, of_one_size, reshape
from shared.spec import Operand, Spec, promote, sizes_match, str_shape

# --- reading subscripts --------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _normal_form(subscripts: str, ndims: tuple[int, ...]) -> str:
    """The subscripts with letters for every ellipsis, and the output spelled out."""
    text = "".join(subscripts.split())
    left, arrow, output = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise SettingError(
            f"einsum: {subscripts!r} names {len(terms)} operand(s), but {len(ndims)} are given"
        )
    free = [letter for letter in string.ascii_letters if letter not in text]
    widths = [_ellipsis_width(subscripts, term, ndim) for term, ndim in zip(terms, ndims, strict=True)]
    broad = "".join(free[: max(widths)])
    terms = [term.replace("...", broad[len(broad) - w :]) for term, w in zip(terms, widths, strict=True)]
    counts = Counter("".join(terms))
    if arrow:
        output = output.replace("...", broad, 1)
    else:
        output = broad + "".join(sorted(c for c in counts if counts[c] == 1 and c not in broad))
    if not set(output) <= set(counts) or len(set(output)) != len(output):
        raise SettingError(
            f"einsum: the output of {subscripts!r} must name labels of the operands, each once"
        )
    return f"{','.join(terms)}->{output}"


def _ellipsis_width(subscripts: str, term: str, ndim: int) -> int:
    """How many axes the ellipsis of a term stands for; 0 if it has none."""
    letters = term.replace("...", "", 1)
    if not all(letter in string.ascii_letters for letter in letters):
        raise SettingError(
            f"einsum: {subscripts!r} can hold letters, commas, '...' once for each operand, and '->' once"
        )
    width = ndim - len(letters)
    if width < 0 or (width and letters == term):
        raise ShapeError(
            f"einsum: {term!r} in {subscripts!r} names {len(letters)} axes, but its operand has {ndim}"
        )
    return width


def _parts(subscripts: str) -> tuple[list[str], str]:
    """The terms and the output of subscripts in their normal form."""
    left, _, output = subscripts.partition("->")
    return left.split(","), output


# --- the op --------------------------------------------------------------------------------


def _label_sizes(xs: Sequence[Operand], subscripts: str) -> dict[str, Size]:
    """The size of each label; a size of one stretches to that of another operand."""
    sizes: dict[str, Size] = {}
    for x, term in zip(xs, _parts(subscripts)[0], strict=True):
        own: dict[str, Size] = {}
        for letter, size in zip(term, x.shape, strict=True):
            known = own.setdefault(letter, size)
            if not sizes_match(known, size):
                raise _differ(xs, subscripts, letter, known, size)
            own[letter] = size if isinstance(known, Dim) else known
        for letter, size in own.items():
            known = sizes.setdefault(letter, size)
            if not (sizes_match(known, size) or known == 1 or size == 1):
                raise _differ(xs, subscripts, letter, known, size)
            sizes[letter] = stretched(known, size)
    return sizes


def _differ(xs: Sequence[Operand], subscripts: str, letter: str, a: Size, b: Size) -> ShapeError:
    shapes = ", ".join(str_shape(x.shape) for x in xs)
    return ShapeError(
        f"einsum: {subscripts} of {shapes}: label {letter!r} has size {a} and size {b}; they must "
        "be the same (or 1 for one of two operands)"
    )


def _infer_einsum(*xs: Operand, subscripts: str) -> Spec:
    sizes = _label_sizes(xs, subscripts)
    return Spec(tuple(sizes[letter] for letter in _parts(subscripts)[1]), promote(*xs))


@lru_cache(maxsize=1024)
def _path(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> Any:
    """The order in which NumPy contracts operands of these shapes, two by two."""
    stand_ins = [np.broadcast_to(np.zeros(()), shape) for shape in shapes]
    return np.einsum_path(subscripts, *stand_ins, optimize="greedy")[0]


@lru_cache(maxsize=1024)
def _has_diagonal(subscripts: str) -> bool:
    return any(len(set(term)) < len(term) for term in _parts(subscripts)[0])


def _compute_einsum(*xs: Any, subscripts: str) -> Any:
    if _has_diagonal(subscripts):  # NumPy reads past the end of some whose sides differ
        _label_sizes(xs, subscripts)
    xp, dtype = array_module(xs[0]), promote(*xs)
    same = [x if x.dtype == dtype else x.astype(dtype) for x in xs]
    if len(same) == 1:
        return _one_operand(xp, same[0], subscripts)
    path = _path(subscripts, tuple(x.shape for x in same))
    return xp.asarray(xp.einsum(subscripts, *same, optimize=path), order="C")


def _one_operand(xp: Any, x: Any, subscripts: str) -> Any:
    """Diagonals and transposes are views; then what the output has no label for is summed."""
    (term,), output = _parts(subscripts)
    summed = "".join(dict.fromkeys(letter for letter in term if letter not in output))
    view = xp.einsum(f"{term}->{output}{summed}", x)
    if not summed:
        return xp.array(view, order="C")
    axes = tuple(range(len(output), len(output) + len(summed)))
    y = total(view, axes, dtype=None if x.dtype.kind in "fc" else x.dtype)
    return xp.asarray(rounded(y, x.dtype), order="C")


def _einsum_rule(g: Any, y: Any, *xs: Any, wanted: tuple[bool, ...], subscripts: str) -> list[Any]:
    """The output's term and an operand's change places."""
    return [_cotangent(g, xs, k, subscripts) if want else None for k, want in enumerate(wanted)]


def _cotangent(g: Any, xs: Sequence[Any], k: int, subscripts: str) -> Any:
    terms, output = _parts(subscripts)
    term, shape = terms[k], xs[k].shape
    labels = "".join(dict.fromkeys(term))
    given = [(output, g), *((terms[j], x) for j, x in enumerate(xs) if j != k)]
    sizes = {letter: [x.shape[t.index(letter)] for t, x in given if letter in t] for letter in labels}
    there = "".join(letter for letter in labels if sizes[letter])
    found = einsum(",".join(t for t, _ in given) + "->" + there, *(x for _, x in given))
    if there != labels:  # summed over: every element gets the same
        found = expand_dims(found, [i for i, letter in enumerate(labels) if not sizes[letter]])
    whole = tuple(stretched(shape[term.index(letter)], *sizes[letter]) for letter in labels)
    if not same_shape(found.shape, whole):
        found = broadcast_to(found, whole)
    for position, letter in enumerate(term):
        first = term.index(letter)
        if first != position:  # a diagonal was read: nothing else gets anything
            found = expand_dims(found, position)
            sides = [shape[position] if i in (first, position) else 1 for i in range(len(found.shape))]
            diagonal = eye(shape[position], dtype="bool", like=g)
            found = where(reshape(diagonal, sides), found, 0)
    return found


_einsum = Op(
    "einsum",
    _compute_einsum,
    _infer_einsum,
    Joint(
        _einsum_rule,
        reads=lambda wanted: {
            str(j) for j in range(len(wanted)) if any(w for k, w in enumerate(wanted) if k != j)
        },
    ),
    doc="The sum of products that the subscripts name, which are in a normal form: no ellipsis, and\n"
    "the output spelled out.",
)


def einsum(subscripts: str, *xs: Any) -> Any:
    """Einstein's summation: `einsum("bij,bjk->bik", a, b)`, as in NumPy.

    Each operand has a letter for each axis; letters that the output does not name are summed
    over; without `->` the output is the letters that come once, sorted. A letter twice on one
    operand reads its diagonal. `...` stands for the axes that are left, which broadcast; if the
    output leaves it out they are summed over, as in PyTorch. Several operands are contracted two
    by two, in the order that NumPy's greedy search finds, by matrix products where they fit.

    Raises SettingError for subscripts that say nothing, ShapeError for sizes that do not fit.
    """
    if not isinstance(subscripts, str) or not xs:
        raise SettingError("einsum: give the subscripts as text, then the operands: einsum('ij->ji', x)")
    xs = tuple(as_tensor_like(x) for x in xs)
    return _einsum(*xs, subscripts=_normal_form(subscripts, tuple(len(x.shape) for x in xs)))


# --- in its words --------------------------------------------------------------------------


def trace(x: Any) -> Any:
    """The sum of the main diagonal of the last two axes, which may differ in size; of integers and bools in
    64 bits, as `sum` has it."""
    x = as_tensor_like(x)
    if len(x.shape) < 2:
        raise ShapeError(f"trace: {str_shape(x.shape)} has no diagonal; it needs 2 axes")
    rows, columns = x.shape[-2:]
    if not same_size(rows, columns):
        side = smaller(rows, columns)
        x = x[..., :side, :side]
    return sum(einsum("...ii->...i", x), -1)


def bilinear(x1: Any, x2: Any, weight: Any, bias: Any = None) -> Any:
    """`y[..., o] = sum_ij x1[..., i] weight[o, i, j] x2[..., j] + bias[o]`, as
    `torch.nn.functional.bilinear`.

    x1 (..., in1), x2 (..., in2), weight (out, in1, in2), bias (out,) or None; gives (..., out).
    """
    x1, x2, weight = as_tensor_like(x1), as_tensor_like(x2), as_tensor_like(weight)
    inner = x1.shape[-1:] + x2.shape[-1:]
    if len(weight.shape) != 3 or len(inner) != 2 or not all(map(sizes_match, inner, weight.shape[1:])):
        raise ShapeError(
            f"bilinear: x1 {str_shape(x1.shape)} and x2 {str_shape(x2.shape)} with weight "
            f"{str_shape(weight.shape)}: the weight is (out, in1, in2), the last sizes in1 and in2"
        )
    # The later node's gradient is added first: so x1's, if they are the same, as on dynamic.
    x2, weight = of_one_size("bilinear", x2, -1, weight, 2)
    x1, weight = of_one_size("bilinear", x1, -1, weight, 1)
    y = einsum("...i,oij,...j->...o", x1, weight, x2)
    return y if bias is None else add(y, bias)
