"""Rows for products of matrices."""

from __future__ import annotations

from typing import Any

from shared.dims import product, same_shape, stretched
from static.onnx.ops.whole import is_whole, whole_sum
from static.onnx.writer import Row, Writer


def _linear(w: Writer, x: Any, weight: Any, bias: Any = None) -> str:
    given = w.given(*(v for v in (x, weight, bias) if v is not None))
    if x.ndim == 2 and w.dtype.kind == "f":
        return w("Gemm", *given, transB=1)
    y = w("MatMul", given[0], w("Transpose", given[1], perm=[1, 0]))
    return y if bias is None else w("Add", y, given[2])


def _linear_weight(w: Writer, x: Any, g: Any) -> str:
    rows, columns = (
        w("Reshape", name, w.shape((product(value.shape[:-1]), value.shape[-1])))
        for name, value in zip(w.given(x, g), (x, g), strict=True)
    )
    return w("MatMul", w("Transpose", columns, perm=[1, 0]), rows)


def _einsum(w: Writer, *xs: Any, subscripts: str) -> str:
    """A size of 1 is stretched beforehand: ONNX's labels have one size each. And of whole numbers what is
    summed of one factor alone, which is no matter of matrices."""
    terms = subscripts.partition("->")[0].split(",")
    sizes: dict[str, Any] = {}
    for x, term in zip(xs, terms, strict=True):
        sizes.update((c, stretched(sizes.get(c, 1), n)) for c, n in zip(term, x.shape, strict=True))
    names = w.given(*xs)
    for i, (x, term) in enumerate(zip(xs, terms, strict=True)):
        full = tuple(sizes[c] for c in term)
        if not same_shape(full, x.shape):
            names[i] = w("Expand", names[i], w.shape(full))
    if is_whole(w.dtype):
        result = subscripts.partition("->")[2]
        for i, term in enumerate(terms):
            others = "".join([*terms[:i], *terms[i + 1 :], result])
            alone = sorted(set(term) - set(others))
            if alone:
                terms[i] = "".join(dict.fromkeys(c for c in term if c in others))
                diagonal = w("Einsum", names[i], equation=f"{term}->{terms[i]}{''.join(alone)}")
                have = tuple(sizes[c] for c in (*terms[i], *alone))
                names[i] = whole_sum(w, diagonal, have, tuple(range(len(terms[i]), len(have))), False)
        subscripts = f"{','.join(terms)}->{result}"
    return w("Einsum", *names, equation=subscripts)


PRODUCTS: dict[str, Row] = {
    "linear": _linear, "linear_input": lambda w, g, weight: w("MatMul", *w.given(g, weight)),
    "linear_weight": _linear_weight, "einsum": _einsum, "det": lambda w, x: w("Det", w.one(x)),
    "tril": lambda w, x, *, diagonal: w("Trilu", w.one(x), w.scalar(diagonal), upper=0),
    "triu": lambda w, x, *, diagonal: w("Trilu", w.one(x), w.scalar(diagonal), upper=1),
}  # fmt: skip
