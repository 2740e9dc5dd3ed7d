"""Fourier transforms: of one axis and several, cut off and lengthened, with each norm."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.op import TABLE
from shared.ops import fft
from tests.cases.case import Case, complex_normal, integers, normal
from tests.cases.oracle import torch_op

NM, ABC = [("n", "m")], [("a", "b", "c")]


def of(name: str, axis: Any = None, **settings: Any) -> dict[str, Any]:
    """The call on our side and on PyTorch's, where an axis is a dim."""
    if axis is None:
        return {
            "call": lambda x: getattr(fft, name)(x, **settings),
            "torch": torch_op(f"fft.{name}", **settings),
        }
    key = "axes" if name[-1] in "n2" or name.endswith("shift") else "axis"
    return {
        "call": lambda x: getattr(fft, name)(x, **{key: axis}, **settings),
        "torch": torch_op(f"fft.{name}", dim=axis, **settings),
    }


CASES = [
    Case("fft", **of("fft"), args=[complex_normal(2, 5)], unknown=NM),
    Case("fft", **of("fft", norm="ortho"), args=[normal(2, 5)], unknown=NM, name="real"),
    Case("resized", **of("fft", axis=0, n=4), args=[complex_normal(6, 2)], unknown=NM, name="cut off"),
    Case("resized", **of("fft", axis=0, n=7, norm="forward"), args=[normal(4, 2)], unknown=NM,
         name="lengthened"),
    Case("resized", lambda x: TABLE["resized"](x, axis=1, length=3), [normal(2, 5)], unknown=NM,
         torch=lambda x: x[:, :3]),
    Case("fft", **of("ifft", axis=0), args=[complex_normal(5, 2)], unknown=NM, name="inverse"),
    Case("fft", **of("ifft", axis=0, n=6, norm="forward"), args=[complex_normal(4, 2)], unknown=NM,
         name="inverse, lengthened"),
    Case("fft", **of("fft2"), args=[complex_normal(2, 3, 4)], unknown=ABC, name="two axes"),
    Case("fft", **of("ifft2", s=(5, 2)), args=[complex_normal(2, 3, 4)], unknown=ABC,
         name="two axes, inverse"),
    Case("fft", **of("fftn"), args=[normal(2, 3, 2)], unknown=ABC, name="all axes"),
    Case("fft", **of("ifftn", axis=(2, 0), norm="ortho"), args=[complex_normal(2, 3, 2)], unknown=ABC,
         name="some axes, inverse"),
    Case("fft", lambda x: fft.fft(x), args=[complex_normal(0, 3)], unknown=NM, name="of none"),
    Case("fft", lambda x: fft.fft(x), [integers(0, 9, 4)], smooth=False, name="integers"),
    *(
        Case("rfft", **of("rfft", n=n, norm=norm), args=[normal(2, size)], unknown=NM,
             name=f"{n} of {size}, {norm}")
        for n, size, norm in ((None, 6, None), (None, 5, "ortho"), (4, 6, "forward"), (7, 6, None))
    ),
    Case("rfft", **of("rfft2", s=(2, 5)), args=[normal(2, 3, 4)], unknown=ABC, name="two axes"),
    Case("rfft", **of("rfftn", axis=(2, 0)), args=[normal(2, 3, 4)], unknown=ABC, name="several axes"),
    *(
        Case("irfft", **of("irfft", n=n, norm=norm), args=[complex_normal(2, size)], unknown=NM,
             name=f"{n} of {size}, {norm}")
        for n, size, norm in ((None, 4, None), (5, 3, "ortho"), (4, 6, "forward"), (9, 3, None), (1, 1, None))
    ),
    Case("irfft", **of("irfft", axis=0), args=[complex_normal(4, 2)], unknown=NM, name="the first axis"),
    Case("irfft", **of("irfft"), args=[normal(2, 4)], unknown=NM, name="real"),
    Case("irfft", **of("irfft2"), args=[complex_normal(2, 3, 3)], unknown=ABC, name="two axes"),
    Case("irfft", **of("irfftn", s=(3, 5)), args=[complex_normal(2, 3, 3)], unknown=ABC, name="several axes"),
    Case("irfft", **of("hfft"), args=[complex_normal(2, 4)], unknown=NM, name="hfft"),
    Case("irfft", **of("hfft", n=5, norm="ortho"), args=[complex_normal(2, 4)], unknown=NM,
         name="hfft, cut off"),
    Case("rfft", **of("ihfft"), args=[normal(2, 5)], unknown=NM, name="ihfft"),
    Case("roll", **of("fftshift"), args=[normal(4, 5)], unknown=NM, name="fftshift"),
    Case("roll", **of("ifftshift", axis=(1,)), args=[complex_normal(2, 5)], unknown=NM,
         name="ifftshift"),
    Case("arange", lambda x: x * fft.fftfreq(x.shape[0], 0.5, dtype="float64", like=x), [normal(5)],
         name="fftfreq"),
    Case("arange", lambda x: x * fft.rfftfreq(x.shape[0] * 2 - 1, dtype="float64", like=x), [normal(4)],
         name="rfftfreq"),
    Case("fft", lambda x: ops.real(fft.ifft(fft.fft(x) * fft.fft(x))), [normal(6)], name="a convolution",
         torch=lambda x: torch_op("fft.ifft")(torch_op("fft.fft")(x) ** 2).real),
]  # fmt: skip
