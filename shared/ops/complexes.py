"""Complex numbers: their parts, conjugates and angles, and the pairs of real numbers that they are.

Arithmetic, powers, exp, log, sqrt, angles, products of matrices, sums and means take complex arguments and
give complex results; what compares by size refuses them, and so does a cast to a real dtype.

The gradient of a real loss L by a complex x = a + ib is dL/da + i dL/db, as in PyTorch (JAX gives its
conjugate): `x - lr * x.grad` goes downhill. The gradient by a real argument, be it beside a complex one, is
real. Rules know nothing of this: they hold the plain derivative of a function, without conjugates, as for
real numbers, and the engines conjugate what goes into the walk back and what comes out of it
(`shared.reverse`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.errors import DTypeError, ShapeError
from shared.op import Op, Rule, array_module, elementwise, put
from shared.ops.choosing import cast, equal, gate, isnan, less, not_equal, where
from shared.ops.creation import zeros_like
from shared.ops.shapes import as_tensor_like
from shared.spec import Operand, Spec, float_dtype, is_weak, promote, sizes_match, str_shape


def is_complex(x: Any) -> bool:
    """Whether an array, a Tensor, a Spec or a number is complex by its dtype."""
    return isinstance(x, complex_number) if is_weak(x) else x.dtype.kind == "c"


complex_number = complex  # Python's, whose name an op of this file takes


def real_dtype(x: Operand) -> np.dtype[Any]:
    """The dtype of the parts of a complex operand."""
    return np.empty(0, x.dtype).real.dtype


def complex_dtype(*operands: Operand) -> np.dtype[Any]:
    """The dtype of complex numbers that hold what these operands do: of half precision complex64."""
    return np.result_type(float_dtype(Spec((), promote(*operands))), np.complex64)


# --- parts ---------------------------------------------------------------------------------

_conj = elementwise("conj", np.conjugate, None, Rule(lambda g, y, x: conj(g)))

_real = elementwise(
    "real", lambda x, out=None: put(x.real.copy(), out), None,
    Rule(lambda g, y, x: g),
    dtype=real_dtype, out=True,
)  # fmt: skip

_imag = elementwise(
    "imag", lambda x, out=None: put(x.imag.copy(), out), None,
    Rule(lambda g, y, x: -g * 1j),  # Im z is the real part of -i z
    dtype=real_dtype, out=True,
)  # fmt: skip


def conj(x: Any) -> Any:
    """The complex conjugate, elementwise; of real values the values themselves, and no copy."""
    return conjugated(as_tensor_like(x))


def conjugated(x: Any) -> Any:
    """The same of an array or a Tensor: what each cotangent goes through at either end of the way back."""
    return _conj(x) if x.dtype.kind == "c" else x


def real(x: Any) -> Any:
    """The real part, elementwise, in the dtype of the parts; of real values the values themselves."""
    x = as_tensor_like(x)
    return _real(x) if x.dtype.kind == "c" else x


def imag(x: Any) -> Any:
    """The imaginary part, elementwise, in the dtype of the parts; of real values zeros."""
    x = as_tensor_like(x)
    return _imag(x) if x.dtype.kind == "c" else zeros_like(x)


def _compute_complex(re: Any, im: Any, out: Any = None) -> Any:
    if out is None:
        xp = array_module(im if is_weak(re) else re)
        shape = np.broadcast_shapes(getattr(re, "shape", ()), getattr(im, "shape", ()))
        out = xp.empty(shape, complex_dtype(re, im))
    out.real[...] = re
    out.imag[...] = im
    return out


_complex = elementwise(
    "complex", _compute_complex, None,
    Rule(lambda g, y, re, im: real(g)),
    Rule(lambda g, y, re, im: -imag(g)),
    dtype=complex_dtype, out=True,
)  # fmt: skip


def complex(re: Any, im: Any) -> Any:
    """`re + i im`, elementwise, of real arguments, which broadcast: complex64, or complex128 where one is
    float64 or holds integers. Raises DTypeError where an argument is complex already."""
    if is_weak(re) and is_weak(im):
        re = as_tensor_like(re)
    re, im = (x if is_weak(x) else as_tensor_like(x) for x in (re, im))
    if is_complex(re) or is_complex(im):
        raise DTypeError("complex: the parts must be real, and one of them is complex; use a + b * 1j")
    return _complex(re, im)


# --- angle ---------------------------------------------------------------------------------

_angle = elementwise(
    "angle", lambda x, out=None: np.arctan2(x.imag, x.real, out=out, order="C"), None,
    Rule(
        lambda g, y, x: gate(g, not_equal(x, 0)) * -1j / where(equal(x, 0), 1, x),  # that of log, but for 0
        reads="x",
    ),
    dtype=lambda x: float_dtype(Spec((), real_dtype(x))), out=True,
)  # fmt: skip


def angle(x: Any) -> Any:
    """The angle of x in the complex plane, in radians from -pi to pi; of negative real values pi, of others
    0, and NaN of NaN. Its derivative at 0 is taken as 0, as in PyTorch."""
    x = as_tensor_like(x)
    if x.dtype.kind == "c":
        return _angle(x)
    x = x if x.dtype.kind == "f" else cast(x, float_dtype(Spec((), x.dtype)))
    return where(isnan(x), x * 0, cast(less(x, 0), x.dtype) * math.pi)


# --- pairs ---------------------------------------------------------------------------------


def _compute_view_as_real(x: Any) -> Any:
    pairs = array_module(x).asarray(x, order="C").reshape(*x.shape, 1)
    return pairs.view(real_dtype(x))


def _compute_view_as_complex(x: Any) -> Any:
    _infer_view_as_complex(x)
    pairs = array_module(x).asarray(x, order="C")
    return pairs.view(complex_dtype(x)).reshape(x.shape[:-1])


def _infer_view_as_complex(x: Operand) -> Spec:
    if not x.shape or not sizes_match(x.shape[-1], 2):
        raise ShapeError(
            f"view_as_complex: {str_shape(x.shape)} must end with an axis of 2: real part, imaginary part"
        )
    if x.dtype not in (np.float32, np.float64):
        raise DTypeError(f"view_as_complex: pairs of {x.dtype} are no complex dtype; cast them to float32")
    return Spec(x.shape[:-1], complex_dtype(x))


_view_as_real = Op(
    "view_as_real",
    _compute_view_as_real,
    lambda x: Spec((*x.shape, 2), real_dtype(x)),
    [Rule(lambda g, y, x: conj(_view_as_complex(g)))],
    alias=(0,),
)

_view_as_complex = Op(
    "view_as_complex",
    _compute_view_as_complex,
    _infer_view_as_complex,
    [Rule(lambda g, y, x: _view_as_real(conj(g)))],
    alias=(0,),
)


def view_as_real(x: Any) -> Any:
    """A complex x (...) as real numbers (..., 2): the real part and the imaginary. May share memory with x.

    Raises DTypeError for a real x.
    """
    x = as_tensor_like(x)
    if x.dtype.kind != "c":
        raise DTypeError(f"view_as_real: {x.dtype} is real already; complex(re, im) makes complex numbers")
    return _view_as_real(x)


def view_as_complex(x: Any) -> Any:
    """Pairs of floats (..., 2) as complex numbers (...). May share memory with x.

    Half precision becomes single. Raises ShapeError for a last axis that is not 2, DTypeError for other
    dtypes.
    """
    x = as_tensor_like(x)
    return _view_as_complex(cast(x, np.float32) if x.dtype == np.float16 else x)
