"""Kernels of many elementwise ops for a GPU: from a recipe to the body of one of CuPy's elementwise kernels.

The body is CUDA C++ for one element. CuPy compiles it when it first runs, writes the loop around it, which
takes views, broadcast arrays and any number of axes, and keeps it on disk. Nothing is contracted
(`--fmad=false`), so plain arithmetic gives the bits that CuPy's ops give one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from shared.device.cuda import cupy
from shared.kernels.expressions import FUNCTIONS
from shared.kernels.fused import FLOAT, INT, Recipe, values_of
from shared.kernels.scalars import BOOL, FLOAT32, FLOAT64, Code, Number, Term, Unfit

C_TYPES = {
    BOOL: "bool", FLOAT32: "float", FLOAT64: "double",
    **{np.dtype(f"{'u' * unsigned}int{bits}"): f"{'unsigned' if unsigned else 'signed'} {name}"
       for bits, name in ((8, "char"), (16, "short"), (32, "int"), (64, "long long"))
       for unsigned in (0, 1)},
}  # fmt: skip
"""The dtypes that kernels know."""

_WORDS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_SIGNS = {"add": "+", "sub": "-", "mul": "*"}
_BOOLEAN = {"add": "||", "mul": "&&", "sub": "!="}


class CudaCode(Code):
    """The statements of one element, in CUDA C++."""

    functions = FUNCTIONS | {
        name: lambda code, x, name=name: code.call(name, code.floating(x))
        for name in ("exp", "expm1", "log", "log1p", "tanh", "erf", "erfc", "normcdf")
    }

    def _write(self, dtype: np.dtype[Any], instruction: str) -> Term:
        key = f"{dtype} {instruction}"
        ref = self.known.get(key)
        if ref is None:
            ref = self.known[key] = f"v{len(self.known)}"
            self.lines.append(f"const {C_TYPES[dtype]} {ref} = {instruction};")
        return Term(self, dtype, ref)

    def constant(self, value: Any, dtype: np.dtype[Any]) -> Term:
        if isinstance(value, Number):
            if dtype.kind != "f":
                raise Unfit("whether a number fits into an integer, only its value says")
            return self._write(dtype, f"({C_TYPES[dtype]}){value.ref.lstrip('%')}")
        super().constant(value, dtype)  # refuses what does not fit
        if dtype == BOOL:
            return Term(self, dtype, "true" if value else "false")
        if dtype.kind != "f":
            return Term(self, dtype, _integer(int(value), dtype))
        with np.errstate(over="ignore"):
            return Term(self, dtype, _float(float(dtype.type(value)), dtype))

    def cast(self, x: Any, dtype: np.dtype[Any]) -> Term:
        if not isinstance(x, Term):
            return self.constant(x, dtype)
        if x.dtype == dtype:
            return x
        if dtype == BOOL:
            return x != 0
        if dtype not in C_TYPES or (x.dtype.kind == "f" and dtype.kind != "f"):
            raise Unfit(f"a cast from {x.dtype} to {dtype} is left to the op")
        return self._write(dtype, f"({C_TYPES[dtype]}){x.ref}")

    def arithmetic(self, word: str, a: Any, b: Any) -> Term:
        dtype = self.common(a, b)
        a, b = self.cast(a, dtype), self.cast(b, dtype)
        if dtype == BOOL:
            return self._write(dtype, f"{a.ref} {_BOOLEAN[word]} {b.ref}")
        if dtype.kind == "f":
            return self._write(dtype, f"{a.ref} {_SIGNS[word]} {b.ref}")
        return self._write(dtype, _wrapping(dtype, f"{_bits(a)} {_SIGNS[word]} {_bits(b)}"))

    def quotient(self, a: Any, b: Any) -> Term:
        dtype = self.common(a, b)
        dtype = dtype if dtype.kind == "f" else FLOAT64
        return self._write(dtype, f"{self.cast(a, dtype).ref} / {self.cast(b, dtype).ref}")

    def negative(self, x: Term) -> Term:
        if x.dtype.kind == "f":
            return self._write(x.dtype, f"-{x.ref}")
        return self._write(x.dtype, _wrapping(x.dtype, f"0 - {_bits(x)}"))

    def compare(self, word: str, a: Any, b: Any) -> Term:
        dtype = self.common(a, b)
        return self._write(BOOL, f"{self.cast(a, dtype).ref} {_WORDS[word]} {self.cast(b, dtype).ref}")

    def _chosen(self, condition: Term, a: Term, b: Term) -> str:
        return f"{condition.ref} ? {a.ref} : {b.ref}"

    def either(self, a: Term, b: Term) -> Term:
        return self._write(BOOL, f"{a.ref} || {b.ref}")

    def call(self, name: str, *values: Term) -> Term:
        """A function of CUDA's library: the one for float has an f behind its name."""
        dtype = values[0].dtype
        suffix = "f" if dtype == FLOAT32 else ""
        return self._write(dtype, f"{name}{suffix}({', '.join(v.ref for v in values)})")

    _intrinsic = call


def _bits(x: Term) -> str:
    """An integer as one that wraps around."""
    return f"(unsigned long long){x.ref}"


def _wrapping(dtype: np.dtype[Any], expression: str) -> str:
    return f"({C_TYPES[dtype]})({expression})"


def _integer(value: int, dtype: np.dtype[Any]) -> str:
    """Written as what wraps around to it: the lowest one has no literal of its own."""
    return f"(({C_TYPES[dtype]}){value % 2**64}ULL)"


def _float(value: float, dtype: np.dtype[Any]) -> str:
    zero, suffix, digits = ("0.0f", "f", 9) if dtype == FLOAT32 else ("0.0", "", 17)
    if value != value:
        return f"({zero} / {zero})"
    if value in (np.inf, -np.inf):
        return f"({'-' * (value < 0)}1{zero[1:]} / {zero})"
    text = f"{value:.{digits}g}"
    return f"({text if set(text) & set('.e') else text + '.0'}{suffix})"


def source_of(recipe: Recipe) -> tuple[str, str, str]:
    """The inputs, the outputs and the body of a kernel, as `cupy.ElementwiseKernel` takes them. The inputs
    are all values, those of an array's blocks one by one, then the numbers that it is handed, then
    in the same way the outputs."""
    code, dtypes = CudaCode(), recipe.dtypes()
    count = sum(x.blocks for x in recipe.inputs)
    given = [f"{kind} x{i}" for i, kind in enumerate(dtypes[:count])]
    handed = sum(part in (FLOAT, INT) for element in recipe.elements for part in element.parts)
    given += [f"float64 number{i}" for i in range(handed)]
    inputs = [code.given(np.dtype(kind), f"x{i}") for i, kind in enumerate(dtypes[:count])]
    values = values_of(code, recipe, inputs)
    made = [value for values in recipe.outputs for value in values]
    written = [f"y{i} = {values[value].ref};" for i, value in enumerate(made)]
    outputs = [f"{dtypes[value]} y{i}" for i, value in enumerate(made)]
    return ", ".join(given), ", ".join(outputs), " ".join([*code.lines, *written])


@lru_cache(maxsize=1024)
def kernel_of(recipe: Recipe) -> Any:
    """The kernel of a recipe: a function of the inputs, the numbers and the outputs."""
    inputs, outputs, body = source_of(recipe)
    return cupy().ElementwiseKernel(inputs, outputs, body, "diptych_fused", options=("--fmad=false",))


def run(recipe: Recipe, arrays: Sequence[Any], numbers: Sequence[float], outs: Sequence[Any]) -> None:
    """Compute the outputs of a recipe, into arrays on the GPU, from arrays on the GPU."""
    given = [part for a, x in zip(arrays, recipe.inputs, strict=True) for part in _parts(a.array, x.blocks)]
    made = [part for y, o in zip(outs, recipe.outputs, strict=True) for part in _parts(y.array, len(o))]
    kernel_of(recipe)(*given, *numbers, *made)


def _parts(array: Any, blocks: int) -> list[Any]:
    """The values that an array holds side by side on its last axis, as views of it."""
    if blocks == 1:
        return [array]
    size = array.shape[-1] // blocks
    return [array[..., i * size : (i + 1) * size] for i in range(blocks)]
