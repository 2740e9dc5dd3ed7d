"""Models from ONNX files, as Modules of ops: `shared.onnx.load(path)`.

What a file says is read and checked (`reading`, `external`) into plain data (`graph`); `loading` finds for
each node its row in the one table (`table`, which says how to add one; the rows themselves are in `ops`) and
makes a layer of it; `model` is the Module that calls them in order. `values` says what flows between them:
besides Tensors what is known when the graph is built, sizes among it (`sizes`), and dtypes that NumPy lacks.
"""

from __future__ import annotations

from typing import Any

from shared.onnx.loading import load as _load
from shared.onnx.model import OnnxModel
from shared.onnx.table import onnx_op
from shared.onnx.values import carrier, is_narrow


def load(source: Any) -> OnnxModel:
    """The model in an ONNX file, as a Module: called on Tensors of either engine, it gives its outputs.

    source  a path, the bytes of a file, or a ModelProto of the package onnx, which the extra `onnx` brings

    Opsets 7 to the newest. OnnxError for a file that is damaged or was not honestly made, for data beside it
    that lies outside of its folder, and for ops that have no words here; DataError for what is no ONNX file.
    """
    return _load(source)


__all__ = ["OnnxModel", "carrier", "is_narrow", "load", "onnx_op"]
