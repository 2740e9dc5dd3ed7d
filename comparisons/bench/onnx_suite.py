"""ONNX's own tests, which the package onnx carries, run on both engines: how many models come out right.

Most tests are a model of one or a few nodes with inputs and what comes of them. Three ways: on `dynamic`; on
`static` with the sizes known that the inputs have (`known`); on `static` with all sizes unknown (`unknown`).
Inputs that are shapes, axes, pads or counts (`model.known`), and strings, are given as arrays when the graph
is built. What was found stands in `onnx_suite.json`, beside this file, which `--write` writes.
"""

from __future__ import annotations

import json
import math
import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import dynamic
import static
from shared import onnx as importer

WAYS = ("dynamic", "known", "unknown")

KINDS = ("node", "simple", "pytorch-operator", "pytorch-converted", "real")
"""As the package names them; "real" are nine light networks, whose weights are made up in their files."""

TABLE = Path(__file__).with_name("onnx_suite.json")


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
            model = importer.load(model_of(case))
            for inputs, outputs in sets_of(case, model):
                outputs, made = (_said(case.name, inputs, y) for y in (outputs, answer(model, inputs, way)))
                compare(outputs, made, case.rtol, case.atol)
    except Exception as error:
        said = " ".join(getattr(error, "message", str(error)).split())
        return f"{type(error).__name__}: {said}"
    return ""


def model_of(case: Any) -> Any:
    """What `load` takes: some tests have their model in the package's folder, others make it."""
    if case.model is not None:
        return case.model
    return _light(case) if case.model_dir is None else os.path.join(case.model_dir, "model.onnx")


def _light(case: Any) -> Path:
    """The file of a light network, in the folder of the package onnx."""
    import onnx

    return Path(onnx.__file__).parent.parent / case.url


def sets_of(case: Any, model: Any) -> Iterator[tuple[Sequence[Any], Sequence[Any]]]:
    """Inputs and outputs. A light network is given evenly spaced numbers from 0 to 1, as the package does."""
    for inputs, outputs in case.data_sets or ():
        yield [_read(x) for x in inputs], [_read(x) for x in outputs]
    if case.model_dir is not None:
        for folder in sorted(Path(case.model_dir).glob("test_data_set*")):
            yield (
                [_in_file(folder / f"input_{i}.pb", value.type) for i, value in enumerate(model.inputs)],
                [_in_file(folder / f"output_{i}.pb", value.type) for i, value in enumerate(model.outputs)],
            )
    elif case.url is not None:
        shapes = [[n if isinstance(n, int) else 1 for n in value.type.shape] for value in model.inputs]
        given = [(np.arange(math.prod(s)).reshape(s) / math.prod(s)).astype(np.float32) for s in shapes]
        path = _light(case)
        outputs = [path.with_name(f"{path.stem}_output_{i}.pb") for i in range(len(model.outputs))]
        yield given, [_in_file(path, v.type) for path, v in zip(outputs, model.outputs, strict=True)]


def _read(x: Any) -> Any:
    """A value as an array; the package keeps some as it would write them."""
    import onnx

    if isinstance(x, onnx.TensorProto):
        return onnx.numpy_helper.to_array(x)
    if isinstance(x, onnx.SequenceProto):
        return onnx.numpy_helper.to_list(x)
    if isinstance(x, onnx.OptionalProto):
        return onnx.numpy_helper.to_optional(x)
    return [_read(part) for part in x] if isinstance(x, (list, tuple)) else x


NARROWED = re.compile(r"cast(?:like)?_FLOAT(?:16)?_to_(U?)INT([24])")
"""Casts of floats, some of them out of range: what these give, ONNX does not say, and the package takes what
its ml_dtypes makes of them, which up to 0.6 wraps, and since 0.7 gives 0."""


def _said(name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Sequence[Any]:
    """A test's outputs, with zeros where ONNX leaves open what stands there."""
    narrowed = NARROWED.search(name)
    if not narrowed:
        return outputs
    unsigned, bits = narrowed[1], int(narrowed[2])
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    inside = (low <= inputs[0]) & (inputs[0] <= high)
    return [np.where(inside, y, np.zeros((), y.dtype)) for y in outputs]


def _in_file(path: Path, type: Any) -> Any:  # noqa: A002
    import onnx

    kinds: dict[str, Any] = {"sequence": onnx.SequenceProto, "optional": onnx.OptionalProto}
    proto = kinds.get(type.kind, onnx.TensorProto)()
    proto.ParseFromString(path.read_bytes())
    return _read(proto)


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
            shape = x.shape if way == "known" else (None,) * x.ndim
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
    if importer.is_narrow(x.dtype):
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
    if importer.is_narrow(expected.dtype):
        expected = expected.astype(importer.carrier(expected.dtype))
    if expected.dtype.kind in "OUST":
        assert expected.shape == found.shape, f"shape {found.shape}, not {expected.shape}"
        assert [str(a) for a in expected.ravel()] == [str(b) for b in found.ravel()], f"strings {found}"
        return
    assert expected.dtype == found.dtype, f"dtype {found.dtype}, not {expected.dtype}"
    assert expected.shape == found.shape, f"shape {found.shape}, not {expected.shape}"
    np.testing.assert_allclose(found, expected, rtol, atol)


def reason(name: str, said: str) -> str:
    """What is amiss with a test, in the words that tests share."""
    kind, _, rest = said.partition(": ")
    missing = re.search(r"no words here for ops of this model: ([^;]*)", rest)
    if missing:
        return f"there are no words for {missing[1]}"
    if kind == "AssertionError":
        return next((words for part, words in OTHERS.items() if part in name), "other numbers")
    rest = re.sub(r"^OnnxModel: (Layer: )?", "", rest)
    for pattern, words in REASONS.items():
        if found := re.search(pattern, rest):
            return words.format(*found.groups())
    return re.sub(r"\bn\d+\b", "n", rest)[:150]


OTHERS = {
    "bernoulli": "random numbers: ONNX does not say which",
    "training_dropout": "random numbers: ONNX does not say which",
    "bf16": "each step rounds to half precision elsewhere, and the last digit differs",
    "fp16": "each step rounds to half precision elsewhere, and the last digit differs",
}
"""Why numbers differ, by a part of the test's name."""

REASONS = {
    r"(\w+): its input '(\w+)' is needed when": "{1} of {0} is known only when a session runs it",
    r"(\w+): it stacks what each trip gives": "{0} stacks, and only a run knows how many trips there are",
    r"(\w+): .*not known until a session runs": "{0} asks for a size that is not known",
    r"(\w+): conv1d: conv2d: groups must be an int": "{0} asks for a size that is not known",
    r"(\w+): \w+: padding must be an int or a pair": "{0} asks for a size that is not known",
    r"nothing to choose from": "that an axis has no elements is known only when a session runs it",
    r"Resize: (with antialias|which size is)": "Resize asks for a size that is not known",
    r"If: cond: the two branches must give the same": "If gives other shapes in one branch than in the other",
}
"""What errors are called in the table."""


def found(
    kinds: Sequence[str] = KINDS,
    ways: Sequence[str] = WAYS,
    only: str = "",
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """The tests of each kind, and each way the reasons of those that don't come out right."""
    import onnx

    table: dict[str, Any] = {"onnx": onnx.__version__, "kinds": {}}
    for kind in kinds:
        chosen = [case for case in cases(kind) if only in case.name]
        row: dict[str, Any] = {"tests": len(chosen), "given": sum(_gives(case) for case in chosen)}
        for way in ways:
            row[way] = {case.name: reason(case.name, said) for case in chosen if (said := check(case, way))}
            say(f"{kind}, {way}: {len(chosen) - len(row[way])} of {len(chosen)}")
            for words, count in Counter(row[way].values()).most_common(20):
                say(f"  {count:4} {words}")
        table["kinds"][kind] = row
    return table


def _gives(case: Any) -> bool:
    """Whether a test's model has inputs that are given when a graph is built."""
    try:
        return bool(importer.load(model_of(case)).known)
    except Exception:
        return False


def write(table: dict[str, Any]) -> None:
    """Keep what was found."""
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
