"""What stands in the middle: quantile and median, with NaN and without; sums that leave NaN out."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from tests.cases.case import Case, distinct, integers
from tests.cases.oracle import torch_op

_AB, _ABC = [("a", "b")], [("a", "b", "c")]
_nan = np.array([[1.0, np.nan, -1.0, 0.5], [3.0, 2.0, -0.5, 2.5], [np.nan] * 4])
_some_nan = np.array([[1.0, np.nan, -1.0, 0.4], [3.0, 2.0, -0.5, 2.5]])


def _quantile(q: Any, name: str = "quantile", **settings: Any) -> Any:
    def call(x: Any) -> Any:
        import torch

        return getattr(torch, name)(x, torch.tensor(q, dtype=x.dtype), **settings)

    return call


CASES = [
    *(Case("argsort", lambda x, m=m: ops.quantile(x, [0.3, 0.85, 1.0], axis=1, method=m), [distinct(2, 6)],
           torch=_quantile([0.3, 0.85, 1.0], dim=1, interpolation=m), unknown=_AB, name=f"quantile, {m}")
      for m in ("linear", "lower", "higher", "midpoint", "nearest")),
    Case("argsort", lambda x: ops.quantile(x, 0.4, axis=(2, 0), keepdims=True), [distinct(2, 3, 4)],
         unknown=_ABC,
         torch=lambda x: _quantile(0.4, dim=1)(x.transpose(0, 1).reshape(3, 8)).reshape(1, 3, 1),
         name="quantile, two axes"),
    Case("argsort", lambda x, q: ops.quantile(x, q, axis=1), [distinct(2, 6), np.array([0.3, 0.75])],
         torch=lambda x, q: torch_op("quantile", dim=1)(x, q), unknown=[("a", "b"), ("k",)],
         name="quantile of Tensors"),
    Case("argsort", ops.nanquantile, [_some_nan, np.array(0.3)], smooth=False, second=False,
         torch=lambda x, q: torch_op("nanquantile")(x, q), unknown=[("a", "b"), ()],
         name="nanquantile of a Tensor"),
    Case("argsort", lambda x: ops.quantile(x, 0.25), [distinct(3, 2)], torch=_quantile(0.25), unknown=_AB,
         name="quantile of all"),
    Case("argsort", lambda x: ops.isnan(ops.quantile(x, 0.25, axis=0)), [_nan], torch=lambda x:
         _quantile(0.25, dim=0)(x).isnan(), smooth=False, unknown=_AB, name="quantile with NaN"),
    Case("argsort", lambda x: ops.nanquantile(x, 0.3, axis=1), [_some_nan], smooth=False, second=False,
         torch=_quantile(0.3, "nanquantile", dim=1), unknown=_AB, name="nanquantile"),
    Case("argsort", lambda x: ops.isnan(ops.nanmedian(x, axis=1)), [_nan], smooth=False, unknown=_AB,
         name="nanmedian of nothing else"),
    Case("argsort", lambda x: ops.median(x, axis=0), [distinct(4, 3)], unknown=_AB,
         torch=_quantile(0.5, dim=0), name="median"),
    Case("argsort", lambda x: ops.median(x, keepdims=True), [distinct(3, 3)], unknown=_AB,
         torch=lambda x: x.median().reshape(1, 1), name="median of all"),
    Case("argsort", lambda x: ops.median(x, 1), [integers(0, 9, 2, 4)], smooth=False, unknown=_AB,
         name="median of integers"),
    Case("gate", lambda x: ops.nansum(x, axis=1), [_nan], torch=torch_op("nansum", dim=1), smooth=False,
         second=False, unknown=_AB, name="nansum"),
    Case("gate", lambda x: ops.nanmean(x, axis=1, keepdims=True), [_some_nan], smooth=False, second=False,
         torch=torch_op("nanmean", dim=1, keepdim=True), unknown=_AB, name="nanmean"),
    Case("gate", lambda x: ops.nanmean(x), [distinct(2, 3)], torch=torch_op("nanmean"), unknown=_AB,
         name="nanmean without NaN"),
]  # fmt: skip
