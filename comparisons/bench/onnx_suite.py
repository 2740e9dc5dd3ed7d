"""ONNX's own tests, which the package onnx carries, run on both engines: how many models it comes out right
for.

Each test is a model of one or a few nodes with inputs and what comes of them. Three ways: on `dynamic`; on
`static` with the sizes known that the inputs have; on `static` with all sizes unknown. Inputs that are
shapes, axes, pads or counts (`model.known`), strings among them, are given as arrays when the graph is built.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import ml_dtypes  # noqa: F401  its dtypes are what the expected values are of
import numpy as np

import dynamic
import static
from shared import onnx as importer

WAYS = ("dynamic", "static", "unknown")


def cases(kind: str = "node") -> list[Any]:
    """The tests of a kind, each with .name, .model or .model_dir, .data_sets, .rtol and .atol."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(load_model_tests(kind=kind))


def check(case: Any, way: str) -> str:
    """What is amiss with a test one way; nothing if it comes out right."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model = importer.load(case.model)
            for inputs, outputs in sets_of(case):
                made = answer(model, inputs, way)
                compare(outputs, made, case.rtol, case.atol)
    except Exception as error:
        said = " ".join(getattr(error, "message", str(error)).split())
        return f"{type(error).__name__}: {said}"
    return ""


def sets_of(case: Any) -> Iterator[tuple[Sequence[Any], Sequence[Any]]]:
    """Inputs and outputs."""
    for inputs, outputs in case.data_sets:
        yield [_read(x) for x in inputs], [_read(x) for x in outputs]


def _read(x: Any) -> Any:
    """A value as an array; the package keeps some as it would write them."""
    import onnx

    if isinstance(x, onnx.TensorProto):
        return onnx.numpy_helper.to_array(x)
    return [_read(part) for part in x] if isinstance(x, (list, tuple)) else x


def answer(model: Any, inputs: Sequence[Any], way: str) -> list[Any]:
    """What a model gives of arrays."""
    named = dict(zip((value.name for value in model.inputs), inputs, strict=False))
    if way == "dynamic":
        with dynamic.no_grad():
            given = {
                name: x if name in model.known else _mapped(dynamic.tensor, x) for name, x in named.items()
            }
            made = model(**given)
        return _arrays(made if isinstance(made, tuple) else (made,), lambda x: x.numpy())
    graph = static.Graph()
    with graph.as_default():
        feeds: dict[Any, Any] = {}

        def fed(x: Any) -> Any:
            shape = x.shape if way == "static" else (None,) * x.ndim
            place = static.placeholder(x.dtype, shape)
            feeds[place] = x
            return place

        given = {name: x if name in model.known else _mapped(fed, x) for name, x in named.items()}
        made = model(**given)
        made = made if isinstance(made, tuple) else (made,)
        with static.Session(graph=graph) as session:
            session.run(static.global_variables_initializer())
            return _arrays(made, lambda x: session.run(x, feeds))


def _mapped(function: Any, x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return [_mapped(function, part) for part in x]
    if x is None:
        return None
    x = np.asarray(x)
    if x.dtype.kind == "V":
        x = x.astype(importer.carrier(x.dtype))
    return x if x.dtype.kind in "OUST" else function(np.ascontiguousarray(x).reshape(x.shape))


def _arrays(values: Any, take: Any) -> list[Any]:
    return [
        None
        if x is None
        else _arrays(x, take)
        if isinstance(x, list)
        else x
        if isinstance(x, np.ndarray)
        else np.asarray(take(x))
        for x in values
    ]


def compare(expected: Any, found: Any, rtol: float, atol: float) -> None:
    """AssertionError where values differ, in dtype, shape or number."""
    if isinstance(expected, (list, tuple)):
        assert len(expected) == len(found), f"{len(found)} values, not {len(expected)}"
        for a, b in zip(expected, found, strict=True):
            compare(a, b, rtol, atol)
        return
    if expected is None:
        assert found is None
        return
    expected = np.asarray(expected)
    if expected.dtype.kind == "V":
        expected = expected.astype(importer.carrier(expected.dtype))
    if expected.dtype.kind in "OUST":
        assert expected.shape == found.shape, f"shape {found.shape}, not {expected.shape}"
        assert [str(a) for a in expected.ravel()] == [str(b) for b in found.ravel()], f"strings {found}"
        return
    assert expected.dtype == found.dtype, f"dtype {found.dtype}, not {expected.dtype}"
    assert expected.shape == found.shape, f"shape {found.shape}, not {expected.shape}"
    np.testing.assert_allclose(found, expected, rtol, atol)


def main(arguments: Sequence[str]) -> None:
    """Run the tests, and print what came of them."""
    parser = argparse.ArgumentParser("onnx-suite")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--only", default="", help="part of a test's name")
    parser.add_argument("--list", action="store_true", help="say of each test what is amiss")
    asked = parser.parse_args(arguments)
    for kind in ("node",):
        chosen = [case for case in cases(kind) if asked.only in case.name]
        for way in asked.ways.split(","):
            amiss = {case.name: said for case in chosen if (said := check(case, way))}
            print(f"{kind}, {way}: {len(chosen) - len(amiss)} of {len(chosen)}", flush=True)
            if asked.list:
                for name, said in amiss.items():
                    print(f"  {name}: {said[:200]}")
            else:
                for said, count in Counter(said[:90] for said in amiss.values()).most_common(30):
                    print(f"  {count:4} {said}")


if __name__ == "__main__":
    main(sys.argv[1:])
